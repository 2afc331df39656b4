// JSON as it streams by: RFC 8259, read strictly; several top-level values may
// follow one another (NDJSON and the like), as each is masked by itself.
#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "matcher/body_walk.h"
#include "matcher/render.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

constexpr std::string_view hidden_value = "\"[redacted]\"";

/// Numbers and literals end where one of these follows, or the text ends.
bool is_delimiter(std::uint8_t byte) noexcept {
  return is_json_space(byte) || byte == ',' || byte == ']' || byte == '}';
}

}  // namespace

BodyWalk::Progress BodyWalk::walk_json() noexcept {
  const auto step = [&] {
    for (;;) {
      if (json_.in_string) {
        if (const Progress progress = json_string_end(); progress != Progress::done)
          return progress;
        continue;
      }
      if (may_skim()) {
        if (skim_json() == Progress::malformed) return Progress::malformed;
        continue;
      }
      while (at_ < in_.size() && is_json_space(in_[at_])) ++at_;
      if (at_ == in_.size()) {
        const bool is_complete = json_.depth == 0 && json_.expects == JsonExpects::value;
        return is_last_ && !is_complete ? Progress::malformed : Progress::starved;
      }
      if (const Progress progress = json_token(in_[at_]); progress != Progress::done) {
        return progress;
      }
    }
  };
  const Progress progress = step();
  if (is_hidden()) flush_hidden();
  return progress;
}

BodyWalk::Progress BodyWalk::json_token(std::uint8_t byte) noexcept {
  // Whatever one token leaves has room, or the step ends before the token.
  if (state_.edits.edits_left() <= edits_reserved) return Progress::full;
  switch (byte) {
    case '"':
      return json_string(json_.expects == JsonExpects::key ||
                         json_.expects == JsonExpects::key_or_close);
    case '{':
      return json_open(true);
    case '[':
      return json_open(false);
    case '}':
      return json_close(true);
    case ']':
      return json_close(false);
    case ':':
      if (json_.expects != JsonExpects::colon) return Progress::malformed;
      json_.expects = JsonExpects::value;
      ++at_;
      return Progress::done;
    case ',':
      if (json_.expects != JsonExpects::comma_or_close) return Progress::malformed;
      json_.expects = json_.open.is_object() != 0 ? JsonExpects::key : JsonExpects::value;
      ++at_;
      return Progress::done;
    case 't':
      return json_literal("true");
    case 'f':
      return json_literal("false");
    case 'n':
      return json_literal("null");
    default:
      return json_number();
  }
}

/// Works out what paths say about the value that begins here. A member's name
/// has said so already.
void BodyWalk::aim_at_value() noexcept {
  if (!rules_.has_paths || is_hidden()) {
    json_.next_rule = no_rule;
    return;
  }
  PathTarget target;
  if (json_.depth == 0) {
    target = rules_.program.paths.root();
  } else if (json_.open.is_object() == 0) {
    target = rules_.program.paths.element(json_.nodes[json_.depth], json_.index[json_.depth]);
  } else {
    return;
  }
  json_.next_nodes = target.nodes;
  json_.next_rule = first_active(target.rules);
}

void BodyWalk::value_is_over() noexcept {
  ++json_.index[json_.depth];
  json_.expects = json_.depth == 0 ? JsonExpects::value : JsonExpects::comma_or_close;
}

BodyWalk::Progress BodyWalk::json_string(bool is_key) noexcept {
  if (!is_key && !expects_value()) return Progress::malformed;
  if (!is_key) aim_at_value();
  const std::uint8_t rule = is_key ? no_rule : json_.next_rule;
  ++at_;
  const auto size = plain_string_size(ByteView(in_).subspan(at_));
  if (!size || (!is_hidden() && !mask_plain_string(at_, *size, rule, triggered_in(at_, *size)))) {
    value_.begin(rule);
    json_.in_string = true;
    json_.string_is_key = is_key;
    return Progress::done;
  }
  // The common case: the string lies before us whole and means what it says.
  if (is_key) key_is_over(as_text({in_.data() + at_, *size}));
  at_ += *size + 1;
  if (!is_key) value_is_over();
  return Progress::done;
}

/// The active built-ins that may match in a part of the input.
BuiltinSet BodyWalk::triggered_in(std::size_t begin, std::size_t size) const noexcept {
  if (rules_.builtins == 0) return 0;
  return static_cast<BuiltinSet>(may_match(ByteView(in_).subspan(begin, size)) & rules_.builtins);
}

/// Masks a string where it lies. False when what may become of it has no room at
/// once.
bool BodyWalk::mask_plain_string(std::size_t begin, std::size_t size, std::uint8_t rule,
                                 BuiltinSet builtins) noexcept {
  constexpr std::size_t masked_bytes_max = 1024;
  Window window;
  window.bytes = in_.data() + begin;
  window.size = size;
  window.set_horizon();
  if (builtins == 0 && !rules_.has_expressions && rule == no_rule) return true;
  const bool has_room = size <= masked_bytes_max &&
                        state_.edits.edits_left() > masked_bytes_max + edits_reserved &&
                        state_.edits.text_left().size() >= edit_text_bytes_max / 2;
  if (!has_room) return false;
  value_.begin(rule);
  const WindowSource source{in_, begin, nullptr, Encoding::json_string};
  const WindowResult result =
      mask_window(rules_, value_, window, source, builtins, masker_.counts_, state_);
  ASSERT(result.decided == size && !result.is_full);
  return true;
}

void BodyWalk::key_is_over(std::string_view name) noexcept {
  json_.expects = JsonExpects::colon;
  if (!wants_names()) return;
  const PathTarget target = rules_.program.paths.member(json_.nodes[json_.depth], name);
  json_.next_nodes = target.nodes;
  json_.next_rule = first_active(target.rules);
}

/// Goes on with the string we are in; done when its closing quote is behind us.
BodyWalk::Progress BodyWalk::json_string_end() noexcept {
  const bool wants_name = json_.string_is_key && wants_names();
  const bool has_patterns = rules_.builtins != 0 || rules_.has_expressions;
  const bool is_masked = !is_hidden() && (has_patterns || value_.whole_rule != no_rule);
  const Progress progress = is_masked || wants_name ? walk_value(Encoding::json_string, wants_name)
                                                    : walk_unmasked_value(Encoding::json_string);
  if (progress != Progress::done) return progress;
  ++at_;
  json_.in_string = false;
  if (json_.string_is_key) {
    key_is_over(name());
  } else {
    value_is_over();
  }
  return Progress::done;
}

BodyWalk::Progress BodyWalk::json_open(bool is_object) noexcept {
  if (!expects_value() || json_.depth == json_depth_max) return Progress::malformed;
  aim_at_value();
  ++json_.depth;
  json_.open.push(std::uint64_t{is_object});
  json_.nodes[json_.depth] = json_.next_nodes;
  json_.index[json_.depth] = 0;
  json_.expects = is_object ? JsonExpects::key_or_close : JsonExpects::value_or_close;
  if (!is_hidden() && json_.next_rule != no_rule) {
    ++masker_.counts_[json_.next_rule];
    json_.hidden_depth = json_.depth;
    hidden_from_ = at_;
    hidden_text_ = hidden_value;
  }
  ++at_;
  return Progress::done;
}

BodyWalk::Progress BodyWalk::json_close(bool is_object) noexcept {
  const auto after_opening = is_object ? JsonExpects::key_or_close : JsonExpects::value_or_close;
  const bool may_close =
      json_.expects == after_opening || json_.expects == JsonExpects::comma_or_close;
  if (!may_close || json_.depth == 0 || (json_.open.is_object() != 0) != is_object) {
    return Progress::malformed;
  }
  ++at_;
  if (json_.hidden_depth == json_.depth) {
    flush_hidden();
    json_.hidden_depth = 0;
  }
  json_.open.pop();
  --json_.depth;
  value_is_over();
  return Progress::done;
}

void BodyWalk::flush_hidden() noexcept {
  if (at_ > hidden_from_) state_.edits.add({hidden_from_, at_ - hidden_from_, hidden_text_});
}

BodyWalk::Progress BodyWalk::json_literal(std::string_view literal) noexcept {
  if (!expects_value()) return Progress::malformed;
  const std::string_view rest = as_text(ByteView(in_).subspan(at_));
  const std::size_t seen = std::min(rest.size(), literal.size());
  if (rest.substr(0, seen) != literal.substr(0, seen)) return Progress::malformed;
  const bool needs_more = rest.size() <= literal.size() && !is_last_;
  if (needs_more) return Progress::starved;
  if (seen < literal.size()) return Progress::malformed;
  if (rest.size() > seen && !is_delimiter(in_[at_ + seen])) return Progress::malformed;
  aim_at_value();
  if (!is_hidden() && json_.next_rule != no_rule) {
    // One of three words hides nothing when its first letter is shown.
    state_.edits.add({at_, literal.size(), hidden_value});
    ++masker_.counts_[json_.next_rule];
  }
  at_ += literal.size();
  value_is_over();
  return Progress::done;
}

BodyWalk::Progress BodyWalk::json_number() noexcept {
  if (!expects_value()) return Progress::malformed;
  const ByteView rest =
      ByteView(in_).subspan(at_, std::min(in_.size() - at_, json_number_bytes_max + 1));
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_number_byte);
  const auto size = static_cast<std::size_t>(end - rest.begin());
  if (size > json_number_bytes_max) return Progress::malformed;
  const bool ends_input = at_ + size == in_.size();
  if (ends_input && !is_last_) return size == 0 ? Progress::malformed : Progress::starved;
  if (!is_json_number(rest.first(size))) return Progress::malformed;
  if (!ends_input && !is_delimiter(in_[at_ + size])) return Progress::malformed;
  aim_at_value();
  if (!is_hidden()) {
    const Progress progress = mask_number(at_, size, json_.next_rule, triggered_in(at_, size));
    if (progress != Progress::done) return progress;
  }
  at_ += size;
  value_is_over();
  return Progress::done;
}

/// A number with a match in it becomes a string, so that the text stays JSON.
BodyWalk::Progress BodyWalk::mask_number(std::size_t begin, std::size_t size, std::uint8_t rule,
                                         BuiltinSet builtins) noexcept {
  constexpr std::size_t text_bytes_max = 2 + rendered_bytes_max(json_number_bytes_max) * 2;
  static_assert(text_bytes_max < edit_text_bytes_max);
  Window window;
  window.bytes = in_.data() + begin;
  window.size = size;
  window.set_horizon();
  if (builtins == 0 && !rules_.has_expressions && rule == no_rule) return Progress::done;
  value_.begin(rule);
  find_clusters(rules_, value_, window, builtins, state_);
  const auto clusters = state_.clusters.view();
  if (clusters.empty()) return Progress::done;
  const ByteSpan text = state_.edits.text_left();
  if (text.size() < edit_text_bytes_max / 2) return Progress::full;

  std::size_t written = 0;
  std::size_t copied = 0;
  text[written++] = '"';
  const auto copy_up_to = [&](std::size_t end) {
    std::copy(window.bytes + copied, window.bytes + end,
              text.begin() + static_cast<std::ptrdiff_t>(written));
    written += end - copied;
  };
  for (const Cluster& cluster : clusters) {
    copy_up_to(cluster.start);
    const ByteView match{window.bytes + cluster.start, std::size_t{cluster.end} - cluster.start};
    written +=
        render(show_of(rules_, cluster), rules_.program.rules[cluster.rule].hashes_normalised,
               rules_.program.hash, match, Encoding::json_string, text.subspan(written));
    copied = cluster.end;
    ++masker_.counts_[cluster.rule];
  }
  copy_up_to(size);
  text[written++] = '"';
  state_.edits.add({begin, size, state_.edits.keep_text(written)});
  return Progress::done;
}

}  // namespace sluice::matcher
