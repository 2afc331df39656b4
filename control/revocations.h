// Which of the gateway's own tokens were taken back: a list in a file that is replaced as one step,
// so that it survives being killed at any instant.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "identity/oidc.h"

namespace sluice::control {

/// An id that no token of the gateway's can have is a typing error: 128 bits in base64url.
[[nodiscard]] bool is_token_id(std::string_view text) noexcept;

class Revocations {
 public:
  static constexpr std::size_t revocations_max = 100'000;

  /// A file that is not there is an empty list; one that cannot be read is an error, for it may
  /// name tokens that must not come in.
  static Result<Revocations> read(const std::string& path);

  /// Takes a token back. When it returns that is durable.
  /// errors  the file cannot be written, or has too many already: then all stays as it was.
  Result<void> add(const std::string& id, WallTime now);

  [[nodiscard]] std::shared_ptr<const identity::RevokedTokens> ids() const;

 private:
  explicit Revocations(std::string path) : path_(std::move(path)) {}

  std::string path_;
  /// By id, until when it must be remembered: then the token has expired, whatever it was.
  std::map<std::string, WallTime, std::less<>> until_;
};

}  // namespace sluice::control
