#include "load/timeline.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::load {
namespace {

constexpr std::int64_t left = std::numeric_limits<std::int64_t>::max();
/// Workers are rarely further apart than this.
constexpr std::size_t spare_ticks = 3;

}  // namespace

void Tick::clear() noexcept {
  latency.clear();
  errors = 0;
}

Timeline::Timeline(std::uint32_t workers)
    : done_(workers, std::numeric_limits<std::int64_t>::min()) {
  for (std::size_t i = 0; i < spare_ticks; ++i) spare_.push_back(std::make_unique<Tick>());
}

void Timeline::add(std::uint32_t worker, const Tick& part) {
  const std::lock_guard lock(mutex_);
  Tick& whole = pending(part.second);
  whole.latency.add(part.latency);
  whole.errors += part.errors;
  done_[worker] = part.second;
  changed_.notify_one();
}

void Timeline::leave(std::uint32_t worker) {
  const std::lock_guard lock(mutex_);
  done_[worker] = left;
  changed_.notify_one();
}

std::unique_ptr<Tick> Timeline::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_ready() || is_over(); });
  if (!is_ready()) return nullptr;
  auto tick = std::move(pending_.front());
  pending_.pop_front();
  return tick;
}

void Timeline::recycle(std::unique_ptr<Tick> tick) {
  tick->clear();
  const std::lock_guard lock(mutex_);
  spare_.push_back(std::move(tick));
}

bool Timeline::is_ready() const noexcept {
  if (pending_.empty()) return false;
  const std::int64_t second = pending_.front()->second;
  return std::all_of(done_.begin(), done_.end(),
                     [second](std::int64_t done) { return done >= second; });
}

bool Timeline::is_over() const noexcept {
  return pending_.empty() &&
         std::all_of(done_.begin(), done_.end(), [](std::int64_t done) { return done == left; });
}

Tick& Timeline::pending(std::int64_t second) {
  const auto place = std::find_if(pending_.begin(), pending_.end(),
                                  [second](const auto& tick) { return tick->second >= second; });
  if (place != pending_.end() && (*place)->second == second) return **place;
  std::unique_ptr<Tick> fresh;
  if (spare_.empty()) {
    fresh = std::make_unique<Tick>();
  } else {
    fresh = std::move(spare_.back());
    spare_.pop_back();
  }
  fresh->second = second;
  return **pending_.insert(place, std::move(fresh));
}

}  // namespace sluice::load
