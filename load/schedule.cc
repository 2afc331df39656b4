#include "load/schedule.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "config/load/quantity.h"

namespace sluice::load {
namespace {

constexpr std::size_t steps_max = 10'000;
constexpr std::int64_t ns_per_second = 1'000'000'000;

}  // namespace

Result<double> parse_rate(std::string_view text) {
  std::string_view digits = text;
  double scale = 1;
  if (digits.ends_with('k')) {
    digits.remove_suffix(1);
    scale = 1000;
  }
  double rate = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, rate, std::chars_format::fixed);
  const bool is_number = fault == std::errc() && stop == end && std::isfinite(rate);
  if (!is_number || rate * scale <= 0 || rate * scale > rate_max) {
    return fail(fmt::format("'{}' is not a rate such as 5000 or 2.5k (per second, at most {:.0f})",
                            text, rate_max));
  }
  return rate * scale;
}

Result<std::vector<RateStep>> parse_rate_steps(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return fail(
        fmt::format("'{}' is not FROM:TO:STEP/DURATION such as 1k:10k:500/10s: {}", text, why));
  };
  const std::size_t slash = text.find('/');
  const std::size_t first = text.find(':');
  const std::size_t second = first == text.npos ? first : text.find(':', first + 1);
  if (slash == text.npos || second == text.npos || second > slash)
    return refuse("a part is missing");

  const auto from = parse_rate(text.substr(0, first));
  if (!from) return refuse(from.error().message);
  const auto to = parse_rate(text.substr(first + 1, second - first - 1));
  if (!to) return refuse(to.error().message);
  const auto step = parse_rate(text.substr(second + 1, slash - second - 1));
  if (!step) return refuse(step.error().message);
  const auto lasts = config::parse_duration(text.substr(slash + 1));
  if (!lasts) return refuse(lasts.error().message);
  if (lasts->ns < ns_per_second || lasts->ns % ns_per_second != 0) {
    return refuse("a step lasts whole seconds");
  }

  const double direction = *to < *from ? -1 : 1;
  const double count = std::floor((*to - *from) * direction / *step + 1e-9) + 1;
  if (count > static_cast<double>(steps_max)) {
    return refuse(fmt::format("more than {} steps", steps_max));
  }
  std::vector<RateStep> steps;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    steps.push_back({*from + direction * *step * static_cast<double>(i), *lasts});
  }
  return steps;
}

Schedule::Schedule(std::vector<RateStep> steps, std::uint64_t worker, std::uint64_t workers)
    : steps_(std::move(steps)), workers_(workers), arrival_(worker) {
  skip_finished();
}

Duration Schedule::due() const noexcept {
  const double ns = static_cast<double>(arrival_) * 1e9 / steps_[step_].per_second;
  return {step_began_.ns + static_cast<std::int64_t>(ns)};
}

void Schedule::advance() noexcept {
  arrival_ += workers_;
  skip_finished();
}

std::uint64_t Schedule::left() const noexcept {
  std::uint64_t total = 0;
  std::uint64_t next = arrival_;
  for (std::size_t step = step_; step < steps_.size(); ++step) {
    const std::uint64_t here = arrivals(step);
    if (next < here) {
      const std::uint64_t own = (here - next + workers_ - 1) / workers_;
      total += own;
      next += own * workers_;
    }
    next -= here;
  }
  return total;
}

std::uint64_t Schedule::arrivals(std::size_t step) const noexcept {
  const RateStep& of = steps_[step];
  return static_cast<std::uint64_t>(
      std::llround(of.per_second * static_cast<double>(of.lasts.ns) / 1e9));
}

void Schedule::skip_finished() noexcept {
  while (step_ < steps_.size() && arrival_ >= arrivals(step_)) {
    arrival_ -= arrivals(step_);
    step_began_.ns += steps_[step_].lasts.ns;
    ++step_;
  }
}

}  // namespace sluice::load
