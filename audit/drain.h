// Moves frames from many rings into the log: one order by time, in which each
// worker's records keep their own.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "audit/ring.h"
#include "audit/segment_log.h"

namespace sluice::audit {

class Drain {
 public:
  enum class OnDamage {
    fail,       ///< Rings of this process: nothing but a bug can damage them.
    stop_ring,  ///< Rings left behind: power loss can. What follows is given up, and told.
  };

  /// rings   slot i of the log's positions belongs to rings[i].
  Drain(std::span<Ring* const> rings, OnDamage on_damage);

  [[nodiscard]] bool has_unread() const noexcept;
  /// Takes in what is published now; whether any of it is new to the log.
  /// Records that the log has already are passed over.
  /// errors   a frame is damaged, or a worker's sequence has a gap.
  Result<bool> look(const SegmentLog& log);
  /// Stages what `look` found, or a full batch of it; returns how many records.
  Result<std::uint64_t> stage_into(SegmentLog& log);
  /// The last batch was full before all was staged.
  [[nodiscard]] bool is_batch_cut() const noexcept { return !live_.empty(); }
  /// Rings given up, in words.
  [[nodiscard]] const std::vector<std::string>& damaged() const noexcept { return damaged_; }

 private:
  struct Source {
    Ring* ring = nullptr;
    std::size_t slot = 0;
    ByteView unread;
    ByteView frame;             ///< At the start of `unread`, checked.
    std::uint64_t time_ns = 0;  ///< Of its record.
    bool is_given_up = false;
  };
  /// Looks at the source's next new record; false when there is none.
  Result<bool> advance(Source& source, const SegmentLog& log);
  Result<bool> damage(Source& source, const char* what);

  std::vector<Source> sources_;
  std::vector<Source*> live_;  ///< Sources with a record left in this round.
  OnDamage on_damage_;
  std::vector<std::string> damaged_;
};

}  // namespace sluice::audit
