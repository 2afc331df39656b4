// Keys that were derived from targets' passwords: milliseconds each, the same at
// every login.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "identity/scram.h"

namespace sluice::dataplane {

/// One per worker.
class ScramKeysCache {
 public:
  /// Nothing: the cryptography failed.
  [[nodiscard]] std::optional<identity::ScramKeys> derive(std::string_view password, ByteView salt,
                                                          std::uint32_t iterations) {
    for (const Entry& entry : entries_) {
      if (entry.password == password && entry.iterations == iterations &&
          std::ranges::equal(entry.salt, salt)) {
        return entry.keys;
      }
    }
    auto keys = identity::derive_scram_keys(password, salt, iterations);
    if (!keys) return std::nullopt;
    if (entries_.size() == entries_max) entries_.erase(entries_.begin());
    entries_.push_back({std::string(password), {salt.begin(), salt.end()}, iterations, *keys});
    return keys;
  }

 private:
  struct Entry {
    std::string password;
    std::vector<std::uint8_t> salt;
    std::uint32_t iterations = 0;
    identity::ScramKeys keys;
  };
  static constexpr std::size_t entries_max = 64;

  std::vector<Entry> entries_;
};

}  // namespace sluice::dataplane
