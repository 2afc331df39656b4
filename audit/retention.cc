#include "audit/retention.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/index_writer.h"
#include "audit/segment_reader.h"
#include "base/timestamp.h"

namespace sluice::audit {
namespace {

constexpr Duration pause_min = seconds(1);
constexpr Duration pause_max = seconds(60);
constexpr std::int64_t passes_per_keep = 60;

/// Time of the first record in it; nothing when there is none to be read.
Result<std::optional<std::uint64_t>> begin_of(const std::filesystem::path& segment) {
  auto reader = SegmentReader::open(segment);
  if (!reader) return tl::unexpected(reader.error());
  if (reader->form() == SegmentFile::Form::stand_in) return std::optional<std::uint64_t>();
  for (;;) {
    const auto step = reader->next();
    if (!step) return tl::unexpected(step.error());
    if (step->kind != SegmentReader::Step::Kind::frame) return std::optional<std::uint64_t>();
    if (step->frame.type() != FrameType::record) continue;
    const auto record = fields_of(step->frame.payload());
    if (!record) return fail(segment.filename().string() + ": a frame that holds no record");
    return std::optional(record->time_ns);
  }
}

std::string words_of(Duration age) {
  const std::int64_t whole = age.ns / 1'000'000'000;
  return whole % 86'400 == 0 ? fmt::format("{} d", whole / 86'400) : fmt::format("{} s", whole);
}

std::string time_text(std::uint64_t ns) {
  return timestamp_text({static_cast<std::int64_t>(ns)});
}

}  // namespace

Retention::Retention(RetentionOptions options)
    : options_(std::move(options)),
      disk_(options_.disk != nullptr ? *options_.disk : real_disk()) {}

void Retention::pass(const std::atomic<bool>& stop) {
  const Now now = options_.clock();
  const auto keep = options_.keep();
  if (keep != keep_) next_pass_ = {};
  keep_ = keep;
  if (now.monotonic < next_pass_) return;
  next_pass_ = now.monotonic + std::clamp(Duration{keep_.value_or(pause_max).ns / passes_per_keep},
                                          pause_min, pause_max);
  const auto segments = count_segments(options_.directory);
  if (!segments) return complain("retention-failed", segments.error().message);
  // Also where all is kept now: what was begun is ended.
  if (lowest_ == 0) finish_interrupted(*segments);
  if (!keep_) return;
  const std::int64_t until_ns = std::max<std::int64_t>(now.wall.ns - keep_->ns, 0);
  remove_due(*segments, static_cast<std::uint64_t>(until_ns), stop);
}

/// A gateway was killed between a stand-in's name and the segment's end.
void Retention::finish_interrupted(std::uint64_t last) {
  for (std::uint64_t segment = 1; segment < last; ++segment) {
    const std::filesystem::path path = segment_path(options_.directory, segment);
    std::error_code ignored;
    if (!std::filesystem::exists(stand_in_path(path), ignored)) continue;
    if (!std::filesystem::exists(path, ignored) &&
        !std::filesystem::exists(compressed_path(path), ignored)) {
      continue;
    }
    if (auto done = finish_removal(disk_, options_.directory, segment); !done) {
      complain("retention-failed", done.error().message);
    }
  }
  lowest_ = 1;
}

void Retention::remove_due(std::uint64_t last, std::uint64_t until_ns,
                           const std::atomic<bool>& stop) {
  std::uint64_t held = 0;
  std::uint64_t awaited = 0;
  bool is_well = true;
  for (std::uint64_t segment = lowest_; segment < last && !stop; ++segment) {
    std::error_code ignored;
    const auto stand_in = stand_in_path(segment_path(options_.directory, segment));
    Verdict verdict = Verdict::removed;
    if (!std::filesystem::exists(stand_in, ignored)) verdict = judge(segment, until_ns, stop);
    if (verdict == Verdict::too_young) break;
    if (verdict == Verdict::removed && segment == lowest_) ++lowest_;
    held += verdict == Verdict::held ? 1 : 0;
    awaited += verdict == Verdict::awaited ? 1 : 0;
    is_well = is_well && verdict != Verdict::failed;
  }
  if (awaited == 0) complain("retention-waits", {});
  if (is_well) complain("retention-failed", {});
  const std::lock_guard lock(mutex_);
  status_.held_segments = held;
  status_.awaited_segments = awaited;
}

Retention::Verdict Retention::judge(std::uint64_t segment, std::uint64_t until_ns,
                                    const std::atomic<bool>& stop) {
  const auto verdict = try_remove(segment, until_ns, stop);
  if (verdict) return *verdict;
  drop_draft(options_.directory, segment);
  if (stop) return Verdict::stays;
  {
    const std::lock_guard lock(mutex_);
    ++status_.failures;
  }
  complain("retention-failed", verdict.error().message);
  return Verdict::failed;
}

Result<Retention::Verdict> Retention::try_remove(std::uint64_t segment, std::uint64_t until_ns,
                                                 const std::atomic<bool>& stop) {
  const auto known = read_.find(segment);
  const auto span = known != read_.end() ? Result<Span>(known->second) : span_of(segment);
  if (!span) return tl::unexpected(span.error());
  if (span->last_ns >= until_ns) {
    // One that was read has records of times that others behind it need not have.
    return known != read_.end() ? Verdict::stays : Verdict::too_young;
  }
  const auto held = is_held(*span);
  if (!held) return tl::unexpected(held.error());
  if (*held) return Verdict::held;
  const auto next = read_header(segment_path(options_.directory, segment + 1));
  if (!next) return tl::unexpected(next.error());
  if (const auto follower = awaited_by(next->first_record); !follower.empty()) {
    complain("retention-waits", fmt::format("the export {} has not passed segments older than {}",
                                            follower, words_of(*keep_)));
    return Verdict::awaited;
  }
  const auto draft = draft_stand_in(disk_, options_.directory, segment, stop);
  if (!draft) return tl::unexpected(draft.error());
  Result<Verdict> verdict = Verdict::stays;
  if (draft->last_ns < until_ns) verdict = remove(*draft);
  if (verdict && *verdict == Verdict::removed) return verdict;
  read_[segment] = {draft->first_ns, draft->last_ns};
  drop_draft(options_.directory, segment);
  return verdict;
}

Result<Retention::Verdict> Retention::remove(const StandInDraft& draft) {
  const std::lock_guard lock(mutex_);
  const auto held = is_held({draft.first_ns, draft.last_ns});
  if (!held) return tl::unexpected(held.error());
  if (*held) return Verdict::held;
  const StandIn& stand_in = draft.stand_in;
  const std::string detail = fmt::format(
      "{}; {} bytes of {} to {}, older than {} (audit.retention.keep)", name_of(stand_in),
      draft.segment_bytes, time_text(draft.first_ns), time_text(draft.last_ns), words_of(*keep_));
  if (auto done = options_.record(removed_event, detail); !done)
    return tl::unexpected(done.error());
  if (auto done = place_stand_in(disk_, options_.directory, stand_in.segment); !done) {
    return tl::unexpected(done.error());
  }
  // Without one, a search reads what stays.
  static_cast<void>(write_index(options_.directory, stand_in.segment));
  ++status_.removed_segments;
  status_.removed_records += stand_in.end_record - stand_in.first_record;
  return Verdict::removed;
}

/// From its first record to the first one behind it, which is as good where clocks were.
Result<Retention::Span> Retention::span_of(std::uint64_t segment) const {
  const auto first = begin_of(segment_path(options_.directory, segment));
  if (!first) return tl::unexpected(first.error());
  if (!*first) return fail(fmt::format("segment {} has no records", segment));
  const std::filesystem::path behind = segment_path(options_.directory, segment + 1);
  const auto last = begin_of(behind);
  if (!last) return tl::unexpected(last.error());
  if (*last) return Span{**first, **last};
  std::error_code ignored;
  const bool is_removed = std::filesystem::exists(stand_in_path(behind), ignored);
  // What is behind one that was due is as old; the segment that was just begun is not.
  return Span{**first, is_removed ? **first : std::numeric_limits<std::uint64_t>::max()};
}

Result<bool> Retention::remove_unless_held(std::uint64_t first_ns, std::uint64_t last_ns,
                                           const std::function<Result<void>()>& removal) {
  const std::lock_guard lock(mutex_);
  const auto held = is_held({first_ns, last_ns});
  if (!held) return tl::unexpected(held.error());
  if (*held) return false;
  if (auto done = removal(); !done) return tl::unexpected(done.error());
  return true;
}

/// Its name; empty when nobody still reads it. A cursor is checked by the record before it,
/// which therefore stays, too.
std::string Retention::awaited_by(std::uint64_t end_record) const {
  for (const LogFollower& follower : options_.followers()) {
    if (follower.next <= end_record) return follower.name;
  }
  return {};
}

Result<bool> Retention::is_held(const Span& span) const {
  const auto holds = read_legal_holds(options_.directory);
  if (!holds) return tl::unexpected(holds.error());
  return std::ranges::any_of(holds->list, [&span](const LegalHold& hold) {
    return hold.covers(span.first_ns, span.last_ns);
  });
}

void Retention::complain(std::string_view event, const std::string& reason) {
  auto& known = complaints_[std::string(event)];
  if (reason.empty()) {
    known.clear();
  } else if (known.insert(reason).second) {
    options_.alarm(event, reason);
  }
}

Result<LegalHolds> Retention::legal_holds() const {
  const std::lock_guard lock(mutex_);
  return read_legal_holds(options_.directory);
}

Result<LegalHold> Retention::add_legal_hold(LegalHold hold, std::string_view by) {
  if (!is_reason(hold.reason)) {
    return fail(fmt::format("a reason is a line of at most {} bytes", legal_hold_reason_bytes_max));
  }
  if (hold.until_ns <= hold.from_ns) return fail("a legal hold must end behind its beginning");
  const std::lock_guard lock(mutex_);
  auto holds = read_legal_holds(options_.directory);
  if (!holds) return tl::unexpected(holds.error());
  if (holds->list.size() >= legal_holds_max) {
    return fail(fmt::format("there are {} legal holds already", legal_holds_max));
  }
  hold.id = holds->next_id++;
  holds->list.push_back(hold);
  if (auto done = change_holds(*holds, hold_added_event, hold, by); !done) {
    return tl::unexpected(done.error());
  }
  return hold;
}

Result<LegalHold> Retention::release_legal_hold(std::uint64_t id, std::string_view by) {
  const std::lock_guard lock(mutex_);
  auto holds = read_legal_holds(options_.directory);
  if (!holds) return tl::unexpected(holds.error());
  const auto found = std::ranges::find(holds->list, id, &LegalHold::id);
  if (found == holds->list.end()) return fail(fmt::format("there is no legal hold {}", id));
  const LegalHold hold = *found;
  holds->list.erase(found);
  if (auto done = change_holds(*holds, hold_released_event, hold, by); !done) {
    return tl::unexpected(done.error());
  }
  return hold;
}

Result<void> Retention::change_holds(const LegalHolds& next, std::string_view event,
                                     const LegalHold& hold, std::string_view by) {
  if (auto done = options_.record(event, text_of(hold, by)); !done) return done;
  return write_legal_holds(disk_, options_.directory, next);
}

RetentionStatus Retention::status() const {
  const std::lock_guard lock(mutex_);
  RetentionStatus out = status_;
  const auto holds = read_legal_holds(options_.directory);
  out.holds = holds ? holds->list.size() : 0;
  return out;
}

}  // namespace sluice::audit
