#include "audit/drain.h"

#include <fmt/format.h>

#include "audit/frame.h"
#include "audit/record_view.h"

namespace sluice::audit {

Drain::Drain(std::span<Ring* const> rings, OnDamage on_damage) : on_damage_(on_damage) {
  for (Ring* ring : rings) sources_.push_back({ring, sources_.size(), {}, {}, 0, false});
  live_.reserve(sources_.size());
}

bool Drain::has_unread() const noexcept {
  for (const auto& source : sources_) {
    if (!source.ring->unread().empty()) return true;
  }
  return false;
}

Result<bool> Drain::look(const SegmentLog& log) {
  live_.clear();
  for (auto& source : sources_) {
    if (source.is_given_up) continue;
    source.unread = source.ring->unread();
    auto has_more = advance(source, log);
    if (!has_more) return has_more;
    if (*has_more) live_.push_back(&source);
  }
  return !live_.empty();
}

Result<std::uint64_t> Drain::stage_into(SegmentLog& log) {
  std::uint64_t staged = 0;
  while (!live_.empty() && !log.is_batch_full()) {
    std::size_t oldest = 0;
    for (std::size_t i = 1; i < live_.size(); ++i) {
      if (live_[i]->time_ns < live_[oldest]->time_ns) oldest = i;
    }
    Source& source = *live_[oldest];
    log.stage(source.frame, source.slot);
    ++staged;
    source.ring->take(source.frame.size());
    source.unread = source.unread.subspan(source.frame.size());
    const auto has_more = advance(source, log);
    if (!has_more) return fail(has_more.error().message);
    if (!*has_more) live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(oldest));
  }
  return staged;
}

Result<bool> Drain::advance(Source& source, const SegmentLog& log) {
  const std::uint64_t last_sequence = log.positions()[source.slot].sequence;
  while (!source.unread.empty()) {
    const FrameStep step = read_frame(source.unread);
    if (step.kind != FrameStep::Kind::frame || step.type() != FrameType::record) {
      return damage(source, "a frame is damaged");
    }
    const auto origin = origin_of(step.payload());
    if (!origin || origin->worker != source.ring->worker() ||
        origin->epoch != source.ring->epoch()) {
      return damage(source, "a frame holds no record of that worker");
    }
    if (origin->sequence > last_sequence + 1) {
      return damage(source, "records are missing before the oldest in it");
    }
    if (origin->sequence == last_sequence + 1) {
      source.frame = source.unread.first(step.bytes);
      source.time_ns = origin->time_ns;
      return true;
    }
    source.ring->take(step.bytes);  // was committed before the process was killed
    source.unread = source.unread.subspan(step.bytes);
  }
  return false;
}

Result<bool> Drain::damage(Source& source, const char* what) {
  std::string words = fmt::format("the audit ring of worker {} (epoch {:016x}): {}",
                                  source.ring->worker(), source.ring->epoch(), what);
  if (on_damage_ == OnDamage::fail) return fail(std::move(words));
  source.is_given_up = true;
  damaged_.push_back(fmt::format("{}; {} bytes given up", words, source.unread.size()));
  return false;
}

}  // namespace sluice::audit
