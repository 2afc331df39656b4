#include "matcher/body_walk.h"

#include <algorithm>

#include "matcher/render.h"

namespace sluice::matcher {
namespace {

/// Raw bytes stand for themselves, each where it is.
Decoded copy_raw(ByteView in, ByteSpan out) noexcept {
  const std::size_t size = std::min(in.size(), out.size());
  std::copy_n(in.begin(), size, out.begin());
  return {size, size, size == in.size() ? DecodeStop::starved : DecodeStop::full};
}

}  // namespace

MaskStep BodyWalk::run() noexcept {
  state_.edits.clear();
  Progress progress = Progress::done;
  switch (masker_.kind_) {
    case BodyKind::text:
      progress = walk_value(Encoding::raw, false);
      break;
    case BodyKind::form:
      progress = walk_form();
      break;
    case BodyKind::json:
      progress = walk_json();
      break;
  }
  MaskStep step;
  if (progress == Progress::malformed) {
    step.is_malformed = true;
    return step;
  }
  step.settled_bytes = at_;
  step.edits = state_.edits.view();
  step.is_full = progress == Progress::full;
  return step;
}

BodyWalk::Progress BodyWalk::walk_form() noexcept {
  FormState& form = masker_.form_;
  for (;;) {
    const auto encoding = form.in_value ? Encoding::form_value : Encoding::form_name;
    const Progress progress = walk_value(encoding, !form.in_value);
    if (progress != Progress::done || at_ == in_.size()) return progress;
    // WHATWG URL §5.1: '&' ends a field, the first '=' its name.
    const bool begins_value = in_[at_++] == '=';
    std::uint8_t rule = no_rule;
    if (begins_value) {
      const auto field = rules_.program.form_fields.find(name());
      if (field != rules_.program.form_fields.end()) rule = first_active(field->second);
    }
    value_.begin(rule);
    form.in_value = begins_value;
  }
}

BodyWalk::Progress BodyWalk::walk_value(Encoding encoding, bool is_name) noexcept {
  for (;;) {
    Window window;
    window.undecided = value_.lookbehind_size;
    std::copy_n(value_.lookbehind.begin(), window.undecided, state_.decoded.begin());
    const bool is_raw = encoding == Encoding::raw;
    const ByteSpan room = ByteSpan(state_.decoded).subspan(window.undecided, window_bytes);
    const Decoded decoded =
        is_raw ? copy_raw(in_.subspan(at_), room)
               : decode(encoding, in_.subspan(at_), is_last_, room, state_.offsets);
    window.bytes = state_.decoded.data();
    window.size = window.undecided + decoded.size;
    window.is_from_start = value_.lookbehind_is_all;
    const bool is_json = encoding == Encoding::json_string;
    const bool ran_out = decoded.stop == DecodeStop::starved && is_last_;
    if (decoded.stop == DecodeStop::malformed || (ran_out && is_json)) return Progress::malformed;
    window.is_to_end = decoded.stop == DecodeStop::end || ran_out;
    window.set_horizon();

    const WindowSource source{in_, at_, is_raw ? nullptr : state_.offsets.data(), encoding};
    const WindowResult result = mask_window(rules_, value_, window, source,
                                            triggered(rules_, window), masker_.counts_, state_);
    at_ = source.place_of(window, result.decided);
    if (is_name) {
      append_name({window.bytes + window.undecided, result.decided - window.undecided});
    }
    remember(window, result.decided);
    if (result.is_full) return Progress::full;
    if (window.is_to_end) return Progress::done;
    if (decoded.stop == DecodeStop::starved) return Progress::starved;
  }
}

/// Validates and passes a value that no active rule looks at.
BodyWalk::Progress BodyWalk::walk_unmasked_value(Encoding encoding) noexcept {
  for (;;) {
    const Decoded decoded =
        decode(encoding, in_.subspan(at_), is_last_,
               ByteSpan(state_.decoded).subspan(0, window_bytes), state_.offsets);
    at_ += decoded.consumed;
    switch (decoded.stop) {
      case DecodeStop::end:
        return Progress::done;
      case DecodeStop::starved:
        return is_last_ ? Progress::malformed : Progress::starved;
      case DecodeStop::malformed:
        return Progress::malformed;
      case DecodeStop::full:
        break;
    }
  }
}

/// Keeps the last decided bytes for the windows to come.
void BodyWalk::remember(const Window& window, std::size_t decided) noexcept {
  if (decided == window.undecided) return;
  const std::size_t kept = std::min(decided, lookbehind_bytes);
  std::copy_n(window.bytes + decided - kept, kept, value_.lookbehind.begin());
  value_.lookbehind_size = static_cast<std::uint16_t>(kept);
  value_.lookbehind_is_all = value_.lookbehind_is_all && kept == decided;
}

void BodyWalk::append_name(ByteView decoded) noexcept {
  const std::size_t room = value_.name.size() - value_.name_size;
  const std::size_t kept = std::min(room, decoded.size());
  std::copy_n(decoded.begin(), kept, value_.name.begin() + value_.name_size);
  value_.name_size = static_cast<std::uint16_t>(value_.name_size + kept);
}

std::string_view BodyWalk::name() const noexcept {
  return as_text({value_.name.data(), value_.name_size});
}

std::uint8_t BodyWalk::first_active(const RuleSet& rules) const noexcept {
  const RuleSet both = rules & rules_.active;
  if (both.none()) return no_rule;
  std::uint8_t rule = 0;
  while (!both.test(rule)) ++rule;
  return rule;
}

}  // namespace sluice::matcher
