// The keyed digest of what was really asked, beside a record that shows it masked:
// who holds the key can say whether a given text is the one that ran, and equal
// operations show as equal.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "audit/sha256.h"
#include "base/bytes.h"

namespace sluice::audit {

/// SHA-256 of the key, then the operation. The key is one block long and is hashed
/// beforehand: a short operation costs one block more.
class OperationKey {
 public:
  using Bytes = std::array<std::uint8_t, 64>;

  explicit OperationKey(const Bytes& key);
  ~OperationKey();
  OperationKey(const OperationKey&) = delete;
  OperationKey& operator=(const OperationKey&) = delete;

  /// Of the pieces with a zero byte between two of them.
  [[nodiscard]] Hash digest(std::span<const std::string_view> pieces) const noexcept;

 private:
  std::unique_ptr<SHA256state_st> keyed_;
};

}  // namespace sluice::audit
