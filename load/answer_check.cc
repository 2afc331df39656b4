#include "load/answer_check.h"

#include "base/ascii.h"

namespace sluice::load {

std::optional<ExpectedStatus> ExpectedStatus::parse(std::string_view text) noexcept {
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return std::nullopt;
  const auto hundreds = static_cast<std::uint16_t>((text[0] - '0') * 100);
  if (text.substr(1) == "xx") {
    return ExpectedStatus{hundreds, static_cast<std::uint16_t>(hundreds + 99)};
  }
  if (!is_digit(text[1]) || !is_digit(text[2])) return std::nullopt;
  const auto status = static_cast<std::uint16_t>(hundreds + (text[1] - '0') * 10 + (text[2] - '0'));
  return ExpectedStatus{status, status};
}

void AnswerCheck::start(const Expectation& expected) noexcept {
  expected_ = &expected;
  if (expected.digest) {
    if (!digest_) digest_.emplace();
    digest_->start();
  }
  if (expected.no_unmasked_card) cards_.start();
}

void AnswerCheck::on_body(ByteView in) noexcept {
  if (expected_->digest) digest_->on_bytes(in);
  if (expected_->no_unmasked_card) cards_.on_bytes(in);
}

std::optional<Check> AnswerCheck::finish(std::uint16_t status) noexcept {
  // All are finished, so that each is ready for the next answer.
  const bool status_holds = !expected_->status || expected_->status->holds(status);
  const bool digest_holds = !expected_->digest || digest_->finish() == *expected_->digest;
  const bool cards_hold = !expected_->no_unmasked_card || !cards_.finish();
  if (!cards_hold) return Check::unmasked_card;
  if (!status_holds) return Check::status;
  if (!digest_holds) return Check::digest;
  return std::nullopt;
}

}  // namespace sluice::load
