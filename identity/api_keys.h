// API keys: presented secret in, principal out. Pure given the table and the time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "config/load/load.h"
#include "config/model/principal.h"
#include "identity/scram.h"

namespace sluice::identity {

/// The expiry of what does not expire.
inline constexpr WallTime never{INT64_MAX};

/// Ids of keys that were taken back.
using RevokedKeys = std::set<std::string, std::less<>>;

enum class KeyFault : unsigned char {
  none,
  unknown,  ///< No such key, or a wrong secret: never told apart.
  expired,  ///< Told only to who knows the secret.
  malformed,
  needs_slow_proof,  ///< A login: verify_slow() decides, off the data path.
};
std::string_view text(KeyFault fault) noexcept;

struct KeyVerdict {
  KeyFault fault = KeyFault::unknown;
  const config::Principal* principal = nullptr;  ///< Lives with the table; set when fault is none.
  std::size_t index = 0;                         ///< Of the key in the table; for caches beside it.
};

/// What a login by SCRAM is checked against.
struct ScramLogin {
  ScramVerifier verifier;
  std::optional<std::size_t> index;  ///< Of the key; nothing: the verifier is nobody's.
};

/// The keys of one file, immutable. Machine-made keys ("sk_", an id and 256
/// random bits) are stored as SHA-256, found by id and compared in constant
/// time. Human-made secrets are stored as scrypt and presented with a login
/// name as "login:secret"; they are verified on a slow path that the caller
/// must keep off the data path's workers. Either may have a SCRAM verifier beside.
class ApiKeys {
 public:
  /// `yaml` is the file's text; `name` its name for places.
  /// `mock_key` makes the verifiers of subjects that have none; it should outlive the
  /// table, so that theirs stay the same, as real ones do.
  /// `revoked`: see without().
  /// errors  one line a problem: "file:line:column: message".
  static Result<std::shared_ptr<const ApiKeys>> parse(std::string_view yaml,
                                                      const std::string& name,
                                                      const Digest& mock_key,
                                                      const RevokedKeys& revoked = {});
  /// No key at all, for a gateway that reads no keys file; verify() knows nobody.
  static std::shared_ptr<const ApiKeys> none(const Digest& mock_key);
  ~ApiKeys();
  ApiKeys(const ApiKeys&) = delete;
  ApiKeys& operator=(const ApiKeys&) = delete;

  /// `presented` as Credential::presented() gives it. Allocates nothing; an
  /// unknown id costs what a wrong secret costs.
  [[nodiscard]] KeyVerdict verify(std::string_view presented, WallTime now) const noexcept;
  /// The same with scrypt where it is needed: tens of milliseconds and of MiB.
  [[nodiscard]] KeyVerdict verify_slow(std::string_view presented, WallTime now) const noexcept;

  /// By the last verifier in the file that is a subject's and has not expired. Where
  /// there is none, by one that nobody has a secret for and that looks the same.
  /// errors  OpenSSL failed.
  [[nodiscard]] Result<ScramLogin, ScramFault> scram_login(std::string_view subject,
                                                           WallTime now) const;
  /// What a key whose secret was proven is good for now.
  [[nodiscard]] KeyVerdict proven(std::size_t index, WallTime now) const noexcept;

  /// The same, where these prove nobody. Their ids stay taken, and a login that named one of them
  /// names no other; of a subject's SCRAM verifiers the newest that is left counts.
  [[nodiscard]] std::shared_ptr<const ApiKeys> without(const RevokedKeys& revoked) const;

  /// Those that were revoked aren't among these.
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] const config::Principal& principal(std::size_t index) const noexcept;
  /// Whom those would prove that were revoked.
  [[nodiscard]] std::span<const config::Principal> revoked() const noexcept { return revoked_; }
  /// Of either; null: the file has no key of that id.
  [[nodiscard]] const config::Principal* find(std::string_view id) const noexcept;

 private:
  struct Entry;
  class Builder;
  explicit ApiKeys(const Digest& mock_key);

  [[nodiscard]] KeyVerdict verify_machine_key(std::string_view key, std::string_view login,
                                              WallTime now) const noexcept;
  [[nodiscard]] KeyVerdict verify_login(std::string_view login, std::string_view secret,
                                        WallTime now) const noexcept;

  std::vector<Entry> entries_;
  std::vector<config::Principal> revoked_;
  // Keys of the maps are views into entries_.
  std::unordered_map<std::string_view, std::size_t> by_id_;
  std::unordered_map<std::string_view, std::size_t> by_login_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_scram_subject_;
  std::uint32_t mock_iterations_ = scram_iterations_min;
  Digest mock_key_;
};

/// The id in what looks like a machine-made key: what follows it must be shown nowhere. Nothing: it
/// does not look like one.
std::optional<std::string_view> id_in_key(std::string_view text) noexcept;

struct NewKey {
  std::string secret;      ///< Shown once.
  std::string yaml_entry;  ///< To append to the keys file.
};

/// random      at least 32 bytes from the system's generator.
/// scram_salt  as many as scram_salt_bytes, to store a SCRAM verifier too; or none.
NewKey make_key(std::string_view subject, const std::vector<std::string>& groups, WallTime expires,
                ByteView random, ByteView scram_salt = {});

/// The file's entry for a secret that a person chose.
/// salt    at least 16 bytes from the system's generator.
/// errors  scrypt found no memory.
Result<std::string> make_login_entry(std::string_view id, std::string_view subject,
                                     const std::vector<std::string>& groups, WallTime expires,
                                     std::string_view secret, ByteView salt);

}  // namespace sluice::identity
