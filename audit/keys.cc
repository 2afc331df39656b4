#include "audit/keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audit/log.h"
#include "audit/secret_file.h"
#include "audit/sha256.h"
#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

constexpr std::uint8_t ed25519_algorithm = 0x01;
constexpr std::size_t key_bytes = 32;
constexpr std::string_view private_prefix = "PRIVATE+KEY+";
constexpr std::string_view operations_label = "sluice operation digests";
constexpr std::string_view mocks_label = "sluice mock verifiers";

/// c2sp.org/signed-note: SHA-256 over name, newline, algorithm and key, cut to four bytes.
KeyId key_id(std::string_view origin, ByteView public_key) {
  std::string input(origin);
  input += '\n';
  input += static_cast<char>(ed25519_algorithm);
  input += as_text(public_key);
  const Hash hash = sha256(as_bytes(input));
  KeyId id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::string key_text(std::string_view origin, const KeyId& id, ByteView key) {
  std::string tagged(1, static_cast<char>(ed25519_algorithm));
  tagged += as_text(key);
  std::string out = fmt::format("{}+{}+{}", origin, to_hex(id), to_base64(as_bytes(tagged)));
  OPENSSL_cleanse(tagged.data(), tagged.size());
  return out;
}

struct KeyParts {
  std::string_view origin;
  KeyId id{};
  std::vector<std::uint8_t> key;
};

std::string_view without_newline(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

/// The base64 part may itself hold "+", so the name and the id are cut from the left.
Result<KeyParts> parse_parts(std::string_view line) {
  const std::size_t name_end = line.find('+');
  if (name_end == std::string_view::npos) return fail("expected NAME+ID+KEY");
  const std::size_t id_end = line.find('+', name_end + 1);
  if (id_end == std::string_view::npos) return fail("expected NAME+ID+KEY");
  KeyParts parts;
  parts.origin = line.substr(0, name_end);
  if (!is_origin(parts.origin)) return fail("the name before the first \"+\" is not a log origin");
  const auto id_text = line.substr(name_end + 1, id_end - name_end - 1);
  const auto id = from_hex(id_text);
  if (!id || id->size() != parts.id.size() || to_hex(*id) != id_text) {
    return fail("the key id is not eight lower-case hex digits");
  }
  std::copy(id->begin(), id->end(), parts.id.begin());
  const auto key = from_base64(line.substr(id_end + 1));
  if (!key || key->size() != 1 + key_bytes || (*key)[0] != ed25519_algorithm) {
    return fail("the key is not base64 of an Ed25519 key with its algorithm byte");
  }
  parts.key.assign(key->begin() + 1, key->end());
  return parts;
}

class MemoryKey final : public PrivateKey {
 public:
  explicit MemoryKey(std::unique_ptr<evp_pkey_st, PkeyFree> key)
      : key_(std::move(key)), context_(EVP_MD_CTX_new()) {}

  [[nodiscard]] Result<Signature> sign(ByteView message) override {
    Signature out{};
    std::size_t length = out.size();
    EVP_MD_CTX_reset(context_.get());
    if (!context_ ||
        EVP_DigestSignInit(context_.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context_.get(), out.data(), &length, message.data(), message.size()) != 1) {
      return fail("OpenSSL cannot sign");
    }
    return out;
  }

 private:
  std::unique_ptr<evp_pkey_st, PkeyFree> key_;
  std::unique_ptr<evp_md_ctx_st, DigestContextFree> context_;
};

/// HMAC-SHA-512 of the label under the seed.
OperationKey::Bytes derive(ByteView seed, std::string_view label) {
  OperationKey::Bytes key{};
  unsigned size = 0;
  ASSERT(HMAC(EVP_sha512(), seed.data(), static_cast<int>(seed.size()), as_bytes(label).data(),
              label.size(), key.data(), &size) != nullptr &&
         size == key.size());
  return key;
}

}  // namespace

void PkeyFree::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}
void DigestContextFree::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

bool is_origin(std::string_view name) noexcept {
  return !name.empty() && name.size() <= origin_bytes_max &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '+'; });
}

Result<Verifier> Verifier::make(std::string_view origin, ByteView public_key) {
  Verifier out;
  out.origin_ = origin;
  out.id_ = key_id(origin, public_key);
  out.line_ = key_text(origin, out.id_, public_key);
  std::copy_n(public_key.begin(), out.public_key_.size(), out.public_key_.begin());
  out.key_.reset(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()));
  out.context_.reset(EVP_MD_CTX_new());
  if (!out.key_ || !out.context_) return fail("OpenSSL refuses the Ed25519 public key");
  return out;
}

Result<Verifier> Verifier::parse(std::string_view line) {
  if (line.starts_with(private_prefix)) {
    return fail("that is the signing key, which stays with the gateway; its public half verifies");
  }
  const auto parts = parse_parts(without_newline(line));
  if (!parts) return fail("bad verifier key: " + parts.error().message);
  auto out = make(parts->origin, parts->key);
  if (out && out->id_ != parts->id) {
    return fail("bad verifier key: its id does not belong to its name and key");
  }
  return out;
}

bool Verifier::verify(ByteView message, const Signature& signature) const noexcept {
  EVP_MD_CTX_reset(context_.get());
  return EVP_DigestVerifyInit(context_.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context_.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

Result<Signer> Signer::make(std::string_view origin, ByteView public_key, ByteView seed,
                            std::unique_ptr<PrivateKey> key) {
  auto verifier = Verifier::make(origin, public_key);
  if (!verifier) return fail(verifier.error().message);
  Signer out(std::move(*verifier), std::move(key));
  out.derived_.operations = derive(seed, operations_label);
  const OperationKey::Bytes mocks = derive(seed, mocks_label);
  std::copy_n(mocks.begin(), out.derived_.mocks.size(), out.derived_.mocks.begin());
  return out;
}

Result<Signer> Signer::of_seed(std::string_view origin, ByteView seed) {
  std::unique_ptr<evp_pkey_st, PkeyFree> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  std::array<std::uint8_t, key_bytes> public_key{};
  std::size_t length = public_key.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), public_key.data(), &length) != 1) {
    return fail("OpenSSL refuses the Ed25519 private key");
  }
  return make(origin, public_key, seed, std::make_unique<MemoryKey>(std::move(key)));
}

Result<Signer> Signer::parse(std::string_view line) {
  line = without_newline(line);
  if (!line.starts_with(private_prefix)) return fail("expected a line PRIVATE+KEY+NAME+ID+KEY");
  auto parts = parse_parts(line.substr(private_prefix.size()));
  if (!parts) return fail(parts.error().message);
  auto signer = of_seed(parts->origin, parts->key);
  OPENSSL_cleanse(parts->key.data(), parts->key.size());
  if (signer && signer->verifier().id() != parts->id) {
    return fail("the id does not belong to the name and the key");
  }
  return signer;
}

Result<Signer> Signer::load(const std::filesystem::path& path) {
  auto text = read_secret_file(
      path, "the audit signing key",
      fmt::format("make one with: sluice key signing --file {} --origin NAME", path.string()));
  if (!text) return tl::unexpected(text.error());
  auto signer = parse(*text);
  OPENSSL_cleanse(text->data(), text->size());
  if (!signer) return fail(fmt::format("{}: {}", path.string(), signer.error().message));
  return signer;
}

Result<std::string> create_signing_key(const std::filesystem::path& path,
                                       const std::string& origin) {
  if (!is_origin(origin)) {
    return fail(
        fmt::format("\"{}\" is no log origin: 1 to {} visible ASCII characters without \"+\", "
                    "such as gateway1.example.com/audit",
                    origin, origin_bytes_max));
  }
  std::array<std::uint8_t, key_bytes> seed{};
  if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) {
    return fail("the system gives no randomness");
  }
  const auto signer = Signer::of_seed(origin, seed);
  if (!signer) return tl::unexpected(signer.error());
  const Verifier& verifier = signer->verifier();
  std::string text = fmt::format("{}{}\n", private_prefix, key_text(origin, verifier.id(), seed));
  OPENSSL_cleanse(seed.data(), seed.size());

  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) {
    return fail(
        fmt::format("cannot make the key file {}: {}", path.string(), std::strerror(errno)));
  }
  const bool is_written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(fd) == 0;
  OPENSSL_cleanse(text.data(), text.size());
  ::close(fd);
  if (!is_written) {
    ::unlink(path.c_str());
    return fail("cannot write the key file " + path.string());
  }
  return verifier.line();
}

}  // namespace sluice::audit
