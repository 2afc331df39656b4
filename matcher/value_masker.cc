#include "matcher/value_masker.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "matcher/render.h"
#include "matcher/triggers.h"

namespace sluice::matcher {
namespace {

struct ExpressionScan {
  const Window& window;
  MatchTable& matches;
};

int on_end(unsigned expression, unsigned long long, unsigned long long, unsigned,
           void* context) noexcept {
  static_cast<std::uint8_t*>(context)[expression] = 1;
  return 0;
}

int on_first_end(unsigned, unsigned long long, unsigned long long to, unsigned,
                 void* context) noexcept {
  *static_cast<std::size_t*>(context) = static_cast<std::size_t>(to);
  return 1;  // Enough.
}

int on_match(unsigned, unsigned long long from, unsigned long long to, unsigned,
             void* context) noexcept {
  const auto& scan = *static_cast<ExpressionScan*>(context);
  const std::size_t start = scan.window.character_start(static_cast<std::size_t>(from));
  if (start >= scan.window.undecided && start < scan.window.horizon()) {
    scan.matches.add(start, scan.window.character_end(static_cast<std::size_t>(to)));
  }
  return 0;
}

/// Which expressions occur anywhere in the window: one scan for all of them.
bool find_expression_ends(const ActiveRules& rules, const Window& window,
                          Scratch::State& state) noexcept {
  if (!rules.has_expressions || window.size == 0) return false;
  std::fill(state.expression_hits.begin(), state.expression_hits.end(), std::uint8_t{0});
  const auto status =
      hs_scan(rules.program.expression_ends.get(), reinterpret_cast<const char*>(window.bytes),
              static_cast<unsigned>(window.size), 0, state.scanner.get(), &on_end,
              state.expression_hits.data());
  ASSERT(status == HS_SUCCESS);
  return true;
}

void find_expression(const Expression& expression, const Window& window,
                     Scratch::State& state) noexcept {
  ExpressionScan scan{window, state.matches};
  const auto status =
      hs_scan(expression.with_starts.get(), reinterpret_cast<const char*>(window.bytes),
              static_cast<unsigned>(window.size), 0, state.scanner.get(), &on_match, &scan);
  ASSERT(status == HS_SUCCESS);
}

RuleSet rules_that_may_find(const ActiveRules& rules, const ValueState& value, unsigned builtins,
                            bool has_expressions) noexcept {
  RuleSet may_find;
  for (; builtins != 0; builtins &= builtins - 1) {
    may_find |= rules.program.rules_with[static_cast<std::size_t>(std::countr_zero(builtins))];
  }
  if (has_expressions) may_find |= rules.program.rules_with_expressions;
  if (value.whole_rule != no_rule) may_find.set(value.whole_rule);
  return may_find & rules.active;
}

/// A match shown as redacted earlier goes on: where it ends now, and which of
/// its runs are still open.
Cluster continued_swallow(const ValueState& value, const Window& window,
                          std::uint8_t& open_runs) noexcept {
  const std::size_t from = window.undecided + value.swallow_ahead;
  std::size_t end = from;
  const auto run_on = [&](std::uint8_t run_class, std::size_t run_end) {
    end = std::max(end, run_end);
    if (run_end == window.size && !window.is_to_end) {
      open_runs = static_cast<std::uint8_t>(open_runs | run_class);
    }
  };
  if ((value.swallow_runs & run::jwt) != 0) run_on(run::jwt, end_of_jwt_run(window, from));
  if ((value.swallow_runs & run::token68) != 0) {
    run_on(run::token68, window.end_of_run(from, byte_class::token68));
  }
  if ((value.swallow_runs & run::whole) != 0) run_on(run::whole, window.size);
  return {static_cast<std::uint16_t>(window.undecided), static_cast<std::uint16_t>(end),
          value.swallow_rule, false};
}

/// Puts clusters in their places; one per window.
class WindowWriter {
 public:
  WindowWriter(const ActiveRules& rules, ValueState& value, const Window& window,
               const WindowSource& source, std::span<std::uint32_t> counts,
               Scratch::State& state) noexcept
      : rules_(rules),
        value_(value),
        window_(window),
        source_(source),
        counts_(counts),
        state_(state) {}

  WindowResult write(std::uint8_t open_runs) noexcept {
    for (const Cluster& cluster : state_.clusters.view()) {
      const bool is_open = !window_.is_to_end && cluster.end > window_.horizon();
      const bool is_swallowed = value_.is_swallowing && cluster.start == window_.undecided;
      const bool is_long = encoded_size(cluster) > match_shown_bytes_max;
      if (is_open && !is_long && !is_swallowed) return {cluster.start, false};
      if (!has_room(cluster)) return {cluster.start, true};
      if (is_open) {
        swallow(cluster, is_swallowed, open_runs);
        return {window_.horizon(), false};
      }
      ++counts_[cluster.rule];
      if (is_swallowed) {
        remove(cluster.start, cluster.end);
        value_.is_swallowing = false;
      } else {
        replace(cluster, is_long ? Show{} : show_of(rules_, cluster), cluster.end);
      }
    }
    return {window_.horizon(), false};
  }

 private:
  [[nodiscard]] std::size_t encoded_size(const Cluster& cluster) const noexcept {
    return source_.place_of(window_, cluster.end) - source_.place_of(window_, cluster.start);
  }
  [[nodiscard]] bool has_room(const Cluster& cluster) const noexcept {
    const std::size_t size =
        std::min<std::size_t>(cluster.end - cluster.start, match_shown_bytes_max);
    return state_.edits.edits_left() > edits_reserved &&
           state_.edits.text_left().size() >= rendered_bytes_max(size);
  }

  void remove(std::size_t start, std::size_t end) noexcept {
    if (start == end) return;
    const std::size_t place = source_.place_of(window_, start);
    state_.edits.add({place, source_.place_of(window_, end) - place, {}});
  }

  void replace(const Cluster& cluster, const Show& show, std::size_t end) noexcept {
    const bool normalised = rules_.program.rules[cluster.rule].hashes_normalised;
    const bool is_redacted = show.kind == Show::Kind::redact;
    const std::size_t size = is_redacted ? 0 : std::size_t{cluster.end} - cluster.start;
    const std::size_t written =
        render(show, normalised, rules_.program.hash, {window_.bytes + cluster.start, size},
               source_.encoding, state_.edits.text_left());
    const std::size_t place = source_.place_of(window_, cluster.start);
    const std::size_t encoded = source_.place_of(window_, end) - place;
    if (written == encoded) {
      std::copy_n(state_.edits.text_left().begin(), written,
                  source_.in.begin() + static_cast<std::ptrdiff_t>(place));
    } else {
      state_.edits.add({place, encoded, state_.edits.keep_text(written)});
    }
  }

  /// Shows the match as redacted now, or goes on removing it, up to the horizon.
  void swallow(const Cluster& cluster, bool continues, std::uint8_t open_runs) noexcept {
    const std::size_t horizon = window_.horizon();
    if (continues) {
      remove(cluster.start, horizon);
    } else {
      replace(cluster, Show{}, horizon);
    }
    value_.is_swallowing = true;
    value_.swallow_rule = cluster.rule;
    value_.swallow_runs = open_runs;
    value_.swallow_ahead = static_cast<std::uint32_t>(cluster.end - horizon);
  }

  const ActiveRules& rules_;
  ValueState& value_;
  const Window& window_;
  const WindowSource& source_;
  std::span<std::uint32_t> counts_;
  Scratch::State& state_;
};

}  // namespace

ActiveRules active_rules(const MaskProgram& program, const RuleSet& active) noexcept {
  ActiveRules rules{program.compiled(), active};
  rules.has_paths = (rules.program.paths.rules() & active).any();
  rules.has_expressions = (rules.program.rules_with_expressions & active).any();
  for (std::size_t builtin = 0; builtin < builtin_count; ++builtin) {
    const bool is_wanted = (rules.program.rules_with[builtin] & active).any();
    rules.builtins = static_cast<BuiltinSet>(rules.builtins | unsigned{is_wanted} << builtin);
  }
  return rules;
}

BuiltinSet triggered(const ActiveRules& rules, const Window& window) noexcept {
  if (rules.builtins == 0) return 0;
  return static_cast<BuiltinSet>(may_match({window.bytes, window.size}) & rules.builtins);
}

std::size_t first_expression_end(const ActiveRules& rules, ByteView text,
                                 Scratch::State& state) noexcept {
  std::size_t end = text.size();
  const auto status =
      hs_scan(rules.program.expression_ends.get(), reinterpret_cast<const char*>(text.data()),
              static_cast<unsigned>(text.size()), 0, state.scanner.get(), &on_first_end, &end);
  ASSERT(status == HS_SUCCESS || status == HS_SCAN_TERMINATED);
  return end;
}

Show show_of(const ActiveRules& rules, const Cluster& cluster) noexcept {
  return cluster.is_exact ? rules.program.rules[cluster.rule].show : Show{};
}

std::uint8_t find_clusters(const ActiveRules& rules, const ValueState& value, const Window& window,
                           BuiltinSet builtins, Scratch::State& state) noexcept {
  std::uint8_t open_runs = run::none;
  state.clusters.clear();
  if (value.is_swallowing) state.clusters.begin_with(continued_swallow(value, window, open_runs));
  const bool has_expressions = find_expression_ends(rules, window, state);
  const RuleSet candidates = rules_that_may_find(rules, value, builtins, has_expressions);
  for (std::size_t i = candidates._Find_first(); i < candidates.size();
       i = candidates._Find_next(i)) {
    const CompiledRule& rule = rules.program.rules[i];
    if ((rule.builtin_set & builtins) != 0) {
      for (const Builtin builtin : rule.builtins) {
        if ((bit_of(builtin) & builtins) != 0) find_builtin(builtin, window, state.matches);
      }
    }
    if (has_expressions) {
      for (const std::size_t expression : rule.expressions) {
        if (state.expression_hits[expression] == 0) continue;
        find_expression(rules.program.expressions[expression], window, state);
      }
    }
    const bool is_at_start = window.is_from_start && window.undecided == 0;
    if (value.whole_rule == i && is_at_start && window.size > 0) {
      state.matches.add_run(0, window, window.size, run::whole);
    }
    open_runs = static_cast<std::uint8_t>(open_runs | state.matches.open_runs());
    state.clusters.add(static_cast<std::uint8_t>(i), state.matches);
  }
  return open_runs;
}

WindowResult mask_window(const ActiveRules& rules, ValueState& value, const Window& window,
                         const WindowSource& source, BuiltinSet builtins,
                         std::span<std::uint32_t> counts, Scratch::State& state) noexcept {
  if (window.undecided == window.size && !window.is_to_end) return {window.undecided, false};
  const std::uint8_t open_runs = find_clusters(rules, value, window, builtins, state);
  return WindowWriter(rules, value, window, source, counts, state).write(open_runs);
}

}  // namespace sluice::matcher
