#include "audit/age.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <algorithm>
#include <string>

#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t file_key_bytes = 16;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::string_view x25519_label = "age-encryption.org/v1/X25519";

using Key = std::array<std::uint8_t, key_bytes>;
using CipherNonce = std::array<std::uint8_t, 12>;

struct FreePkey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};

/// A secret that does not outlive its use.
template <std::size_t Size>
struct Secret : std::array<std::uint8_t, Size> {
  Secret() : std::array<std::uint8_t, Size>{} {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(this->data(), Size); }
};

void fill_random(ByteSpan out) {
  ASSERT(::getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
}

void hmac(ByteView key, ByteView text, ByteSpan out) {
  unsigned size = 0;
  ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
              out.data(), &size) != nullptr &&
         size == key_bytes);
}

/// RFC 5869 with SHA-256, for one block of output.
void hkdf(ByteView secret, ByteView salt, std::string_view info, ByteSpan out) {
  static constexpr Key no_salt{};
  Secret<key_bytes> extracted;
  hmac(salt.empty() ? ByteView(no_salt) : salt, secret, extracted);
  const std::string block = std::string(info) + '\x01';
  hmac(extracted, as_bytes(block), out);
}

/// Base64 as age writes it: without padding.
std::string unpadded(ByteView bytes) {
  std::string out = to_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

/// ChaCha20-Poly1305: ciphertext and tag, `plain.size() + 16` bytes.
void seal_into(EVP_CIPHER_CTX* cipher, const CipherNonce& nonce, ByteView plain, ByteSpan out) {
  int size = 0;
  int more = 0;
  ASSERT(EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
         EVP_EncryptUpdate(cipher, out.data(), &size, plain.data(),
                           static_cast<int>(plain.size())) == 1 &&
         EVP_EncryptFinal_ex(cipher, out.data() + size, &more) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, tag_bytes, out.data() + plain.size()) ==
             1);
}

evp_cipher_ctx_st* new_cipher(ByteView key) {
  EVP_CIPHER_CTX* const cipher = EVP_CIPHER_CTX_new();
  ASSERT(cipher != nullptr &&
         EVP_EncryptInit_ex(cipher, EVP_chacha20_poly1305(), nullptr, key.data(), nullptr) == 1);
  return cipher;
}

/// What only the recipient can work out too, and our share in it. RFC 7748 §6.1.
bool agree(const AgeRecipient& recipient, Key& share, ByteSpan shared) {
  Secret<key_bytes> ephemeral;
  fill_random(ephemeral);
  const std::unique_ptr<EVP_PKEY, FreePkey> ours(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, ephemeral.data(), key_bytes));
  const std::unique_ptr<EVP_PKEY, FreePkey> theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, recipient.key.data(), key_bytes));
  std::size_t size = share.size();
  ASSERT(ours && theirs && EVP_PKEY_get_raw_public_key(ours.get(), share.data(), &size) == 1);
  const std::unique_ptr<EVP_PKEY_CTX, FreePkey> context(EVP_PKEY_CTX_new(ours.get(), nullptr));
  size = shared.size();
  // OpenSSL refuses points of low order, whose secret would be all zeros.
  return context && EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1 &&
         EVP_PKEY_derive(context.get(), shared.data(), &size) == 1 && size == shared.size();
}

/// The file's key for one recipient: "-> X25519 SHARE" and a line.
Result<std::string> stanza(const AgeRecipient& recipient, ByteView file_key) {
  Key share{};
  Secret<key_bytes> shared;
  if (!agree(recipient, share, shared)) return fail("a recipient's key is none");
  std::array<std::uint8_t, 2 * key_bytes> salt{};
  std::ranges::copy(share, salt.begin());
  std::ranges::copy(recipient.key, salt.begin() + key_bytes);
  Secret<key_bytes> wrap;
  hkdf(shared, salt, x25519_label, wrap);
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(
      new_cipher(wrap), &EVP_CIPHER_CTX_free);
  std::array<std::uint8_t, file_key_bytes + tag_bytes> body{};
  seal_into(cipher.get(), CipherNonce{}, file_key, body);
  return fmt::format("-> X25519 {}\n{}\n", unpadded(share), unpadded(body));
}

Result<std::string> header(std::span<const AgeRecipient> recipients, ByteView file_key) {
  std::string out = "age-encryption.org/v1\n";
  for (const AgeRecipient& recipient : recipients) {
    auto one = stanza(recipient, file_key);
    if (!one) return one;
    out += *one;
  }
  out += "---";
  Secret<key_bytes> key;
  hkdf(file_key, {}, "header", key);
  Key mac{};
  hmac(key, as_bytes(out), mac);
  return out + ' ' + unpadded(mac) + '\n';
}

}  // namespace

void AgeWriter::FreeCipher::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

AgeWriter::~AgeWriter() = default;
AgeWriter::AgeWriter(AgeWriter&&) noexcept = default;
AgeWriter& AgeWriter::operator=(AgeWriter&&) noexcept = default;

AgeWriter::AgeWriter(std::span<const std::uint8_t> key, Sink sink)
    : sink_(std::move(sink)), cipher_(new_cipher(key)) {
  chunk_.reserve(chunk_bytes);
}

Result<AgeWriter> AgeWriter::begin(std::span<const AgeRecipient> recipients, Sink sink) {
  ASSERT(!recipients.empty());
  Secret<file_key_bytes> file_key;
  fill_random(file_key);
  const auto head = header(recipients, file_key);
  if (!head) return tl::unexpected(head.error());
  std::array<std::uint8_t, 16> nonce{};
  fill_random(nonce);
  Secret<key_bytes> key;
  hkdf(file_key, nonce, "payload", key);
  AgeWriter out(key, std::move(sink));
  if (!out.sink_(as_bytes(*head)) || !out.sink_(nonce)) return fail("it cannot be written");
  return out;
}

Result<void> AgeWriter::write(ByteView plain) {
  while (!plain.empty()) {
    // A full chunk waits: it is the last one if nothing follows.
    if (chunk_.size() == chunk_bytes) {
      if (auto done = seal(false); !done) return done;
    }
    const std::size_t taken = std::min(plain.size(), chunk_bytes - chunk_.size());
    chunk_.insert(chunk_.end(), plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(taken));
    plain = plain.subspan(taken);
  }
  return {};
}

Result<void> AgeWriter::finish() {
  return seal(true);
}

/// The nonce is the chunk's number in eleven bytes, big-endian, and whether it is the last.
Result<void> AgeWriter::seal(bool is_last) {
  CipherNonce nonce{};
  for (std::size_t i = 0; i < sizeof chunks_; ++i) {
    nonce[nonce.size() - 2 - i] = static_cast<std::uint8_t>(chunks_ >> (8 * i));
  }
  nonce.back() = is_last ? 1 : 0;
  ++chunks_;
  std::vector<std::uint8_t> sealed(chunk_.size() + tag_bytes);
  seal_into(cipher_.get(), nonce, chunk_, sealed);
  chunk_.clear();
  if (!sink_(sealed)) return fail("it cannot be written");
  return {};
}

}  // namespace sluice::audit
