// The block form: short texts in one call, through the same masker as bodies.
#include <algorithm>

#include "base/ascii.h"
#include "matcher/body_walk.h"
#include "matcher/render.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view lower_b) noexcept {
  return std::equal(a.begin(), a.end(), lower_b.begin(), lower_b.end(),
                    [](char x, char y) { return lower_of(x) == y; });
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

/// Whether `text` stands for itself and holds nothing that any rule could match.
bool is_plain(const ActiveRules& rules, BodyKind kind, ByteView text) noexcept {
  if (kind == BodyKind::json || rules.has_expressions) return false;
  if (kind == BodyKind::form) {
    const bool is_masked_by_field = !rules.program.form_fields.empty();
    const auto has = [text](char c) { return as_text(text).find(c) != std::string_view::npos; };
    if (is_masked_by_field || has('%') || has('+')) return false;
  }
  return (may_match(text) & rules.builtins) == 0;
}

struct HeaderLine {
  std::string_view name;
  std::string_view value;  ///< Without blanks around it.
};

HeaderLine header_of(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view value = line.substr(colon + 1);
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return {line.substr(0, colon), value};
}

bool may_match_in_header(const ActiveRules& rules, const HeaderLine& header,
                         Scratch& scratch) noexcept {
  if (header.value.empty()) return false;
  if (rule_of_header(rules, header.name) != no_rule) return true;
  // A longer value is not looked at here; mask_text will.
  if (header.value.size() > window_bytes) return true;
  ValueState no_state;
  no_state.begin(no_rule);
  Window window;
  window.bytes = as_bytes(header.value).data();
  window.size = header.value.size();
  window.set_horizon();
  const BuiltinSet builtins = triggered(rules, window);
  if (builtins == 0 && !rules.has_expressions) return false;
  find_clusters(rules, no_state, window, builtins, scratch.state());
  return !scratch.state().clusters.view().empty();
}

/// whole_rule  masks all of it; no_rule: what is found in it.
std::size_t mask_block(const MaskProgram& program, const RuleSet& active, BodyKind kind,
                       std::uint8_t whole_rule, ByteView in, ByteSpan out, Scratch& scratch,
                       std::span<std::uint32_t> counts) noexcept {
  Scratch::State& state = scratch.state();
  BodyMasker& masker = state.block_masker;
  masker.start(program, active, kind);
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

}  // namespace

std::size_t mask_text(const MaskProgram& program, const RuleSet& active, BodyKind kind,
                      std::string_view header_name, ByteView in, ByteSpan out, Scratch& scratch,
                      std::span<std::uint32_t> counts) noexcept {
  const ActiveRules rules{
      .program = program.compiled(),
      .active = active,
      .builtins = program.compiled().builtins,
      .has_expressions = (program.compiled().rules_with_expressions & active).any()};
  const std::uint8_t whole_rule = rule_of_header(rules, header_name);
  if (whole_rule == no_rule && is_plain(rules, kind, in)) {
    if (in.size() > out.size()) return refuse(out);
    std::copy(in.begin(), in.end(), out.begin());
    return in.size();
  }
  return mask_block(program, active, kind, whole_rule, in, out, scratch, counts);
}

std::size_t mask_whole(const MaskProgram& program, std::uint8_t rule, ByteView in, ByteSpan out,
                       Scratch& scratch, std::span<std::uint32_t> counts) noexcept {
  const MaskProgram::Compiled& compiled = program.compiled();
  const CompiledRule& of = compiled.rules[rule];
  const bool is_short = !in.empty() && in.size() <= match_shown_bytes_max;
  // Nothing within it can matter, and it is there in one piece: no search is needed.
  if (is_short && !compiled.rules_that_search.test(rule) &&
      out.size() >= raw_rendered_bytes_max(in.size())) {
    if (rule < counts.size()) ++counts[rule];
    return render(of.show, of.hashes_normalised, compiled.hash, in, Encoding::raw, out);
  }
  RuleSet active;
  active.set(rule);
  return mask_block(program, active, BodyKind::text, rule, in, out, scratch, counts);
}

bool may_match_in_head(const MaskProgram& program, const RuleSet& active, ByteView head,
                       Scratch& scratch) noexcept {
  const ActiveRules rules = active_rules(program, active);
  const bool has_headers = (rules.program.rules_with_headers & active).any();
  const bool looks_everywhere = has_headers || rules.has_expressions;
  if (!looks_everywhere && rules.builtins == 0) return false;
  std::string_view rest = as_text(head);
  const auto drop_line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
    rest.remove_prefix(end + 1);
  };
  if (!rest.empty()) drop_line();  // The request or status line.
  while (!rest.empty()) {
    if (!looks_everywhere) {
      const std::size_t trigger = first_trigger(as_bytes(rest), rules.builtins);
      if (trigger == rest.size()) return false;
      rest.remove_prefix(rest.rfind('\n', trigger) + 1);  // npos + 1 is 0.
    }
    const HeaderLine header = header_of(rest.substr(0, rest.find('\n')));
    if (may_match_in_header(rules, header, scratch)) return true;
    drop_line();
  }
  return false;
}

}  // namespace sluice::matcher
