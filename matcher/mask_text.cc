// The block form: short texts in one call, through the same masker as bodies.
#include <algorithm>

#include "matcher/body_walk.h"
#include "matcher/render.h"

namespace sluice::matcher {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view lower_b) noexcept {
  return std::equal(a.begin(), a.end(), lower_b.begin(), lower_b.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

/// The first active rule that names this header.
std::uint8_t rule_of_header(const ActiveRules& rules, std::string_view header_name) noexcept {
  if (header_name.empty() || rules.program.rules_with_headers.none()) return no_rule;
  for (std::size_t i = 0; i < rules.program.rules.size(); ++i) {
    if (!rules.active.test(i)) continue;
    for (const std::string& header : rules.program.rules[i].headers) {
      if (equal_ignoring_case(header_name, header)) return static_cast<std::uint8_t>(i);
    }
  }
  return no_rule;
}

/// Collects the output, and notices when it does not fit.
class Output {
 public:
  explicit Output(ByteSpan out) noexcept : out_(out) {}
  void put(ByteView bytes) noexcept {
    if (bytes.size() > out_.size() - size_) {
      has_overflowed_ = true;
      return;
    }
    std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }
  [[nodiscard]] bool has_overflowed() const noexcept { return has_overflowed_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  ByteSpan out_;
  std::size_t size_ = 0;
  bool has_overflowed_ = false;
};

void put_step(const MaskStep& step, ByteView in, Output& out) noexcept {
  std::size_t at = 0;
  for (const Edit& edit : step.edits) {
    out.put(in.subspan(at, edit.offset - at));
    out.put(as_bytes(edit.text));
    at = edit.offset + edit.size_bytes;
  }
  out.put(in.subspan(at, step.settled_bytes - at));
}

std::size_t refuse(ByteSpan out) noexcept {
  const std::size_t size = std::min(out.size(), redacted_text.size());
  std::copy_n(redacted_text.begin(), size, out.begin());
  return size;
}

/// Visits (name, value) of each header line of a message head; stops at true.
template <class Visit>
bool any_header(ByteView head, Visit&& visit) noexcept {
  std::string_view rest = as_text(head);
  rest.remove_prefix(std::min(rest.find('\n'), rest.size() - (rest.empty() ? 0 : 1)) +
                     (rest.empty() ? 0 : 1));
  while (!rest.empty()) {
    const std::size_t line_end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(std::min(line_end + 1, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
    while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
    if (visit(line.substr(0, colon), value)) return true;
  }
  return false;
}

}  // namespace

std::size_t mask_text(const MaskProgram& program, const RuleSet& active, BodyKind kind,
                      std::string_view header_name, ByteView in, ByteSpan out, Scratch& scratch,
                      std::span<std::uint32_t> counts) noexcept {
  Scratch::State& state = scratch.state();
  BodyMasker& masker = state.block_masker;
  masker.start(program, active, kind);
  const ActiveRules rules{program.compiled(), active};
  const std::uint8_t whole_rule = rule_of_header(rules, header_name);
  if (whole_rule != no_rule) BodyWalk::mask_whole(masker, whole_rule);

  Output output(out);
  std::size_t withheld = 0;  // At the start of the block, from the step before.
  bool is_last = false;
  while (!is_last || withheld > 0) {
    const std::size_t taken = std::min(in.size(), text_piece_bytes - withheld);
    std::copy_n(in.begin(), taken, state.block.begin() + static_cast<std::ptrdiff_t>(withheld));
    in = in.subspan(taken);
    is_last = in.empty();
    const ByteSpan block(state.block.data(), withheld + taken);
    const MaskStep step = masker.mask(block, is_last, scratch);
    if (step.is_malformed) return refuse(out);
    put_step(step, block, output);
    withheld = block.size() - step.settled_bytes;
    std::copy(block.end() - static_cast<std::ptrdiff_t>(withheld), block.end(), block.begin());
  }
  if (output.has_overflowed()) return refuse(out);
  const auto masked = masker.counts();
  for (std::size_t i = 0; i < std::min(counts.size(), masked.size()); ++i) counts[i] += masked[i];
  return output.size();
}

bool may_match_in_head(const MaskProgram& program, const RuleSet& active, ByteView head,
                       Scratch& scratch) noexcept {
  const ActiveRules rules = active_rules(program, active);
  const bool has_patterns = rules.builtins != 0 || rules.has_expressions;
  const bool has_headers = (rules.program.rules_with_headers & active).any();
  if (!has_patterns && !has_headers) return false;
  return any_header(head, [&](std::string_view name, std::string_view value) {
    if (value.empty()) return false;
    if (has_headers && rule_of_header(rules, name) != no_rule) return true;
    if (!has_patterns) return false;
    // A longer value is not looked at here; mask_text will.
    if (value.size() > window_bytes) return true;
    ValueState no_state;
    no_state.begin(no_rule);
    Window window;
    window.bytes = as_bytes(value).data();
    window.size = value.size();
    window.set_horizon();
    find_clusters(rules, no_state, window, triggered(rules, window), scratch.state());
    return !scratch.state().clusters.view().empty();
  });
}

}  // namespace sluice::matcher
