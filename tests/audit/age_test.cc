#include "audit/age.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <catch2/catch.hpp>
#include <memory>
#include <sstream>

#include "base/text_codec.h"
#include "must.h"

namespace sluice::audit {
namespace {

using test::must;
using Bytes = std::vector<std::uint8_t>;

struct Free {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_KDF* kdf) const noexcept { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

Bytes from_unpadded(std::string text) {
  while (text.size() % 4 != 0) text += '=';
  const auto bytes = from_base64(text);
  REQUIRE(bytes);
  return *bytes;
}

/// OpenSSL's own, where the writer has its own.
Bytes hkdf(Bytes secret, Bytes salt, std::string info) {
  if (salt.empty()) salt.resize(32);  // What RFC 5869 takes for none.
  const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, Free> context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters{
      OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
      OSSL_PARAM_construct_octet_string("key", secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string("salt", salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string("info", info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  Bytes out(32);
  REQUIRE(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1);
  return out;
}

/// Nothing when the tag is wrong.
std::optional<Bytes> open_sealed(const Bytes& key, const Bytes& nonce, ByteView sealed) {
  constexpr std::size_t tag_bytes = 16;
  const std::unique_ptr<EVP_CIPHER_CTX, Free> cipher(EVP_CIPHER_CTX_new());
  Bytes tag(sealed.end() - tag_bytes, sealed.end());
  Bytes plain(sealed.size());
  int size = 0;
  int more = 0;
  REQUIRE(EVP_DecryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr, key.data(),
                             nonce.data()) == 1);
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data());
  EVP_DecryptUpdate(cipher.get(), plain.data(), &size, sealed.data(),
                    static_cast<int>(sealed.size() - tag_bytes));
  if (EVP_DecryptFinal_ex(cipher.get(), plain.data() + size, &more) != 1) return std::nullopt;
  plain.resize(sealed.size() - tag_bytes);
  return plain;
}

/// Somebody with a key of his own.
class Auditor {
 public:
  Auditor() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")) {
    std::size_t size = recipient.key.size();
    REQUIRE(EVP_PKEY_get_raw_public_key(key_.get(), recipient.key.data(), &size) == 1);
  }

  /// Nothing when the file is not for him, or not whole.
  [[nodiscard]] std::optional<std::string> open(const std::string& file) const {
    const std::size_t end = file.find('\n', file.find("\n---") + 1) + 1;
    std::istringstream lines(file.substr(0, end));
    std::string line;
    std::getline(lines, line);
    REQUIRE(line == "age-encryption.org/v1");
    std::optional<Bytes> file_key;
    while (std::getline(lines, line) && line.starts_with("-> X25519 ")) {
      const Bytes share = from_unpadded(line.substr(10));
      std::getline(lines, line);
      if (!file_key) file_key = unwrap(share, from_unpadded(line));
    }
    if (!file_key || !line.starts_with("--- ")) return std::nullopt;
    check_mac(*file_key, file.substr(0, end), from_unpadded(line.substr(4)));
    return payload(*file_key, as_bytes(file).subspan(end));
  }

  AgeRecipient recipient;

 private:
  [[nodiscard]] std::optional<Bytes> unwrap(const Bytes& share, const Bytes& body) const {
    const std::unique_ptr<EVP_PKEY, Free> peer(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, share.data(), share.size()));
    const std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new(key_.get(), nullptr));
    Bytes shared(32);
    std::size_t size = shared.size();
    REQUIRE((EVP_PKEY_derive_init(context.get()) == 1 &&
             EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
             EVP_PKEY_derive(context.get(), shared.data(), &size) == 1));
    Bytes salt = share;
    salt.insert(salt.end(), recipient.key.begin(), recipient.key.end());
    return open_sealed(hkdf(shared, salt, "age-encryption.org/v1/X25519"), Bytes(12), body);
  }

  static void check_mac(const Bytes& file_key, const std::string& header, const Bytes& mac) {
    const std::string covered = header.substr(0, header.rfind("---") + 3);
    const Bytes key = hkdf(file_key, {}, "header");
    Bytes wanted(32);
    std::size_t size = 0;
    REQUIRE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                      as_bytes(covered).data(), covered.size(), wanted.data(), wanted.size(),
                      &size) != nullptr);
    CHECK(wanted == mac);
  }

  static std::optional<std::string> payload(const Bytes& file_key, ByteView in) {
    constexpr std::size_t sealed_max = (64 << 10) + 16;
    const Bytes key = hkdf(file_key, Bytes(in.begin(), in.begin() + 16), "payload");
    in = in.subspan(16);
    std::string out;
    for (std::size_t number = 0; !in.empty(); ++number) {
      const std::size_t size = std::min(in.size(), sealed_max);
      Bytes nonce(12);
      nonce[10] = static_cast<std::uint8_t>(number);
      nonce[11] = size == in.size() ? 1 : 0;
      if (size < 16) return std::nullopt;
      const auto plain = open_sealed(key, nonce, in.first(size));
      if (!plain) return std::nullopt;
      out += as_text(*plain);
      in = in.subspan(size);
    }
    return out;
  }

  std::unique_ptr<EVP_PKEY, Free> key_;
};

std::string encrypted(const std::string& plain, const std::vector<AgeRecipient>& recipients,
                      std::size_t piece) {
  std::string out;
  auto writer = must(AgeWriter::begin(recipients, [&out](ByteView bytes) {
    out += as_text(bytes);
    return true;
  }));
  for (std::size_t i = 0; i < plain.size(); i += piece) {
    must(writer.write(as_bytes(std::string_view(plain).substr(i, piece))));
  }
  must(writer.finish());
  return out;
}

}  // namespace

TEST_CASE("What is encrypted to a recipient of age is opened by that one, whatever its size") {
  const Auditor auditor;
  const Auditor stranger;
  constexpr std::size_t chunk = 64 << 10;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7}) {
    std::string plain(size, 'x');
    for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<char>(i * 31 >> 3);
    INFO(size);
    for (const std::size_t piece : {std::size_t{1000}, chunk, 5 * chunk}) {
      const std::string file = encrypted(plain, {auditor.recipient}, piece);
      CHECK(auditor.open(file) == plain);
      CHECK_FALSE(stranger.open(file));
    }
  }
}

TEST_CASE("Each of several recipients of age opens the file") {
  const Auditor ann;
  const Auditor bob;
  const std::string file = encrypted("evidence", {ann.recipient, bob.recipient}, 3);
  CHECK(ann.open(file) == "evidence");
  CHECK(bob.open(file) == "evidence");
}

TEST_CASE("A file of age that was cut or changed does not open") {
  const Auditor auditor;
  const std::string file = encrypted(std::string(100'000, 'x'), {auditor.recipient}, 5000);
  std::string changed = file;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK_FALSE(auditor.open(changed));
  CHECK_FALSE(auditor.open(file.substr(0, file.size() - 1)));
  // At the end of a chunk.
  CHECK_FALSE(auditor.open(file.substr(0, file.size() - (100'000 - 65'536) - 16)));
}

TEST_CASE("A file of age whose sink takes nothing, or whose recipient's key is none, is an error") {
  const Auditor auditor;
  const auto refuses = [](ByteView) { return false; };
  const auto takes = [](ByteView) { return true; };
  CHECK_FALSE(AgeWriter::begin(std::vector{auditor.recipient}, refuses));
  CHECK_FALSE(AgeWriter::begin(std::vector{AgeRecipient{}}, takes));  // a point of low order
}

TEST_CASE("A recipient of age is read with its checksum") {
  const std::string line = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
  REQUIRE(AgeRecipient::parse(line));
  for (std::size_t i = 4; i < line.size(); ++i) {
    std::string wrong = line;
    wrong[i] = wrong[i] == 'q' ? 'p' : 'q';
    INFO(wrong);
    CHECK_FALSE(AgeRecipient::parse(wrong));
  }
  for (const std::string& wrong : {std::string(), std::string("age1"), line + 'q', line.substr(1),
                                   "AGE1" + line.substr(4), "ssh1" + line.substr(4)}) {
    CHECK_FALSE(AgeRecipient::parse(wrong));
  }
}

}  // namespace sluice::audit
