// Ed25519 keys of the log in the text forms of C2SP signed-note, and signatures.
//
// source   https://c2sp.org/signed-note: "<name>+<key id in hex>+<base64 of
//          0x01 and the 32 key bytes>", the private form with "PRIVATE+KEY+"
//          in front. The name is the log's origin.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "audit/operation_key.h"
#include "base/bytes.h"
#include "base/result.h"

struct evp_pkey_st;
struct evp_md_ctx_st;

namespace sluice::audit {

inline constexpr std::size_t origin_bytes_max = 200;
using Signature = std::array<std::uint8_t, 64>;
using KeyId = std::array<std::uint8_t, 4>;

struct PkeyFree {
  void operator()(evp_pkey_st* key) const noexcept;
};
struct DigestContextFree {
  void operator()(evp_md_ctx_st* context) const noexcept;
};

/// Neither empty nor long, and free of spaces, control characters and "+".
bool is_origin(std::string_view name) noexcept;

class Verifier {
 public:
  static Result<Verifier> parse(std::string_view line);
  /// public_key   32 bytes.
  static Result<Verifier> make(std::string_view origin, ByteView public_key);

  [[nodiscard]] bool verify(ByteView message, const Signature& signature) const noexcept;
  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
  [[nodiscard]] const KeyId& id() const noexcept { return id_; }
  [[nodiscard]] const std::string& line() const noexcept { return line_; }
  [[nodiscard]] ByteView public_key() const noexcept { return public_key_; }

 private:
  Verifier() = default;

  std::string origin_;
  std::string line_;
  KeyId id_{};
  std::array<std::uint8_t, 32> public_key_{};
  std::unique_ptr<evp_pkey_st, PkeyFree> key_;
  std::unique_ptr<evp_md_ctx_st, DigestContextFree> context_;
};

/// Secrets that are made from a signing key and tell nothing of it.
struct DerivedKeys {
  OperationKey::Bytes operations{};  ///< Of the digests of operations.
  Hash mocks{};                      ///< Of what a login asks unknown names.
};

/// Signs with a private key, wherever that lies: in memory (keys.cc), in a token
/// (token_key.h).
class PrivateKey {
 public:
  virtual ~PrivateKey() = default;
  [[nodiscard]] virtual Result<Signature> sign(ByteView message) = 0;
};

class Signer {
 public:
  /// Reads the private form; refuses a file that others may read (secret_file.h).
  static Result<Signer> load(const std::filesystem::path& path);
  static Result<Signer> parse(std::string_view line);
  /// seed   the private key's 32 bytes.
  static Result<Signer> of_seed(std::string_view origin, ByteView seed);
  /// seed   32 secret bytes that are always the same for this key.
  static Result<Signer> make(std::string_view origin, ByteView public_key, ByteView seed,
                             std::unique_ptr<PrivateKey> key);

  [[nodiscard]] Result<Signature> sign(ByteView message) { return key_->sign(message); }
  [[nodiscard]] const Verifier& verifier() const noexcept { return verifier_; }
  [[nodiscard]] const DerivedKeys& derived_keys() const noexcept { return derived_; }

 private:
  Signer(Verifier verifier, std::unique_ptr<PrivateKey> key)
      : verifier_(std::move(verifier)), key_(std::move(key)) {}

  Verifier verifier_;
  std::unique_ptr<PrivateKey> key_;
  DerivedKeys derived_;
};

}  // namespace sluice::audit
