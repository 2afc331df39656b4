// What an answer must be like, and whether it is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "load/body_digest.h"
#include "load/card_finder.h"

namespace sluice::load {

/// 200, or every status of a class.
struct ExpectedStatus {
  std::uint16_t min = 0;
  std::uint16_t max = 999;

  /// "201" or "2xx".
  static std::optional<ExpectedStatus> parse(std::string_view text) noexcept;
  [[nodiscard]] bool holds(std::uint16_t status) const noexcept {
    return status >= min && status <= max;
  }
};

struct Expectation {
  std::optional<ExpectedStatus> status;
  std::optional<BodyDigest::Value> digest;
  bool no_unmasked_card = false;
};

/// The worst that fails names the failure.
enum class Check : std::uint8_t { status, digest, unmasked_card };
inline constexpr std::array<std::string_view, 3> check_words{"status", "body digest",
                                                             "unmasked card number"};

/// Looks at one answer after the other.
class AnswerCheck {
 public:
  /// `expected` is borrowed until the answer is over.
  void start(const Expectation& expected) noexcept;
  void on_body(ByteView in) noexcept;
  /// Nothing when the answer is as expected.
  [[nodiscard]] std::optional<Check> finish(std::uint16_t status) noexcept;

 private:
  const Expectation* expected_ = nullptr;
  std::optional<BodyDigest> digest_;  ///< Made when first needed.
  CardFinder cards_;
};

}  // namespace sluice::load
