#include "cli/tunnel/tokens.h"

namespace sluice::cli::tunnel {
namespace {

constexpr std::chrono::seconds pause_after_failure{5};

}  // namespace

Result<std::string> CurrentToken::get() {
  const std::lock_guard lock(mutex_);
  if (failure_ && now_() < ask_from_) return tl::unexpected(*failure_);
  auto token = ask_();
  failure_.reset();
  if (!token) {
    failure_ = token.error();
    ask_from_ = now_() + pause_after_failure;
  }
  return token;
}

}  // namespace sluice::cli::tunnel
