#include "base/fingerprint.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>

using namespace sluice;

namespace {

/// OpenSSL's SipHash, under a key of two little-endian words.
Fingerprint openssl_siphash(std::array<std::uint64_t, 2> key, std::string_view text) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(
      EVP_MAC_fetch(nullptr, "SIPHASH", nullptr), &EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> state(EVP_MAC_CTX_new(mac.get()),
                                                                        &EVP_MAC_CTX_free);
  std::size_t size = sizeof(Fingerprint);
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
  Fingerprint print{};
  REQUIRE(EVP_MAC_init(state.get(), reinterpret_cast<const unsigned char*>(key.data()), sizeof key,
                       parameters.data()) == 1);
  REQUIRE(EVP_MAC_update(state.get(), reinterpret_cast<const unsigned char*>(text.data()),
                         text.size()) == 1);
  REQUIRE(EVP_MAC_final(state.get(), reinterpret_cast<unsigned char*>(print.data()), &size,
                        sizeof print) == 1);
  return print;
}

}  // namespace

TEST_CASE("A fingerprint is SipHash-2-4 as OpenSSL computes it, at every length") {
  const std::array<std::uint64_t, 2> key{0x0706050403020100, 0x0F0E0D0C0B0A0908};
  std::string text;
  for (int size = 0; size <= 100; ++size) {
    CHECK(FingerprintKey(key[0], key[1]).of(text) == openssl_siphash(key, text));
    text.push_back(static_cast<char>(size * 37 + 11));
  }
}

TEST_CASE("Every process has fingerprints of its own") {
  CHECK(FingerprintKey::random().of("sk_a") != FingerprintKey::random().of("sk_a"));
}

TEST_CASE("A fingerprint is the same in whatever pieces its text comes") {
  const FingerprintKey key(3, 4);
  std::string text;
  for (int i = 0; i < 70; ++i) text.push_back(static_cast<char>(i * 41 + 7));
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); second += 3) {
      FingerprintStream stream(key);
      stream.append(std::string_view(text).substr(0, first));
      stream.append(std::string_view(text).substr(first, second - first));
      stream.append(std::string_view(text).substr(second));
      CHECK(stream.finish() == key.of(text));
    }
  }
}
