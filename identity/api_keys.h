// API keys: presented secret in, principal out. Pure given the table and the time.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "config/load/load.h"
#include "config/model/principal.h"

namespace sluice::identity {

enum class KeyFault : unsigned char { none, unknown, expired, malformed };
std::string_view text(KeyFault fault) noexcept;

struct KeyVerdict {
  KeyFault fault = KeyFault::unknown;
  const config::Principal* principal = nullptr;  ///< Lives with the table; set when fault is none.
  std::size_t index = 0;                         ///< Of the key in the table; for caches beside it.
};

/// The keys of one file, immutable. Machine-made keys ("sk_" and at least 128
/// random bits) are stored as SHA-256 and looked up by digest in constant
/// expected time; human-made ones as scrypt, verified on a slow path that the
/// caller must keep off the data path's workers except on first use.
class ApiKeys {
 public:
  /// `yaml` is the file's text; `name` its name for places.
  static Result<std::shared_ptr<const ApiKeys>> parse(std::string_view yaml, const std::string& name);

  [[nodiscard]] KeyVerdict verify(std::string_view presented, WallTime now) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] const config::Principal& principal(std::size_t index) const noexcept;

 private:
  struct Entry;
  std::vector<Entry> entries_;
};

struct NewKey {
  std::string secret;       ///< Shown once.
  std::string yaml_entry;   ///< To append to the keys file.
};

/// random  at least 32 bytes from the system's generator.
NewKey make_key(std::string_view subject, const std::vector<std::string>& groups, WallTime expires,
                ByteView random);

}  // namespace sluice::identity
