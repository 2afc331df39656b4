#include "identity/fingerprint.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "identity/proven_credential.h"

using namespace sluice;
using namespace sluice::identity;

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

TEST_CASE("A proven credential is believed for its text, its keys and its time only") {
  const FingerprintKey key(1, 2);
  config::Principal ann;
  ann.expires = WallTime{1000};
  const KeyVerdict verdict{KeyFault::none, &ann, 7};

  ProvenCredential proven;
  CHECK_FALSE(proven.find({}, 1, WallTime{0}));
  proven.remember(key.of("secret"), 3, verdict);
  REQUIRE(proven.find(key.of("secret"), 3, WallTime{999}));
  CHECK(proven.find(key.of("secret"), 3, WallTime{999})->index == 7);
  CHECK_FALSE(proven.find(key.of("secreT"), 3, WallTime{999}));
  CHECK_FALSE(proven.find(key.of("secret"), 4, WallTime{999}));
  CHECK_FALSE(proven.find(key.of("secret"), 3, WallTime{1000}));
}
