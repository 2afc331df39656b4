// Which credentials were taken back: a list of their ids in a file that is replaced as one step, so
// that it survives being killed at any instant.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::control {

/// An id that no token of the gateway's can have is a typing error: 128 bits in base64url.
[[nodiscard]] bool is_token_id(std::string_view text) noexcept;

/// What a list is of.
struct RevocationKind {
  std::string_view magic;   ///< The first line of its file.
  std::string_view things;  ///< In words.
  bool (*is_id)(std::string_view text);
  std::optional<Duration> kept;  ///< How long an id is remembered; nothing: for ever.
  std::string_view remedy;       ///< When there are too many.
};
/// Of the gateway's own tokens.
extern const RevocationKind revoked_tokens;
/// Of API keys. Their entries may come back, so they are never forgotten.
extern const RevocationKind revoked_keys;

class Revocations {
 public:
  using Ids = std::set<std::string, std::less<>>;

  static constexpr std::size_t revocations_max = 100'000;

  /// A file that is not there is an empty list; one that cannot be read is an error, for it may
  /// name what must not come in.
  static Result<Revocations> read(const RevocationKind& kind, const std::string& path);

  /// Takes a credential back. When it returns that is durable.
  /// errors  the file cannot be written, or has too many already: then all stays as it was.
  Result<void> add(const std::string& id, WallTime now);

  [[nodiscard]] std::shared_ptr<const Ids> ids() const;

 private:
  Revocations(const RevocationKind& kind, std::string path)
      : kind_(&kind), path_(std::move(path)) {}

  const RevocationKind* kind_;
  std::string path_;
  /// By id, until when it must be remembered: then it has expired, whatever it was.
  std::map<std::string, WallTime, std::less<>> until_;
};

}  // namespace sluice::control
