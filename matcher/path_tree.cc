#include "matcher/path_tree.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace sluice::matcher {

struct PathTree::Step {
  bool is_descendant = false;  ///< Behind "..": at any depth below.
  Selector selector = Selector::any;
  std::string name;
  std::uint32_t index = 0;
};

namespace {

Result<std::string> quoted_name(std::string_view text, std::size_t& at) {
  const char quote = text[at++];
  std::string name;
  while (at < text.size() && text[at] != quote) {
    if (text[at] == '\\') {
      ++at;
      if (at == text.size() || (text[at] != '\\' && text[at] != quote)) {
        return fail(fmt::format("only \\\\ and \\{} are escapes here (byte {})", quote, at));
      }
    }
    name.push_back(text[at++]);
  }
  if (at == text.size()) return fail(fmt::format("the name's closing {} is missing", quote));
  ++at;
  return name;
}

}  // namespace

PathTree::PathTree() : nodes_(1) {}

// $ then steps: .name ..name .* ..* [*] [3] ['name'] ["name"], the brackets also behind "..".
Result<std::vector<PathTree::Step>> PathTree::parse(std::string_view text) {
  if (!text.starts_with('$')) return fail("a path begins with $");
  std::vector<Step> steps;
  std::size_t at = 1;
  while (at < text.size()) {
    Step step;
    const std::size_t begin = at;
    if (text.substr(at).starts_with("..")) {
      step.is_descendant = true;
      at += 2;
    } else if (text[at] == '.') {
      ++at;
    } else if (text[at] != '[') {
      return fail(fmt::format("expected . or [ at byte {}", at));
    }
    if (at < text.size() && text[at] == '[' && (step.is_descendant || at == begin)) {
      ++at;
      if (at < text.size() && text[at] == '*') {
        ++at;
      } else if (at < text.size() && (text[at] == '\'' || text[at] == '"')) {
        auto name = quoted_name(text, at);
        if (!name) return tl::unexpected(name.error());
        step.selector = Selector::name;
        step.name = std::move(*name);
      } else {
        const auto [end, error] =
            std::from_chars(text.data() + at, text.data() + text.size(), step.index);
        if (error != std::errc{}) {
          return fail(fmt::format("expected *, an index or a quoted name at byte {}", at));
        }
        step.selector = Selector::index;
        at = static_cast<std::size_t>(end - text.data());
      }
      if (at == text.size() || text[at] != ']') {
        return fail(fmt::format("expected ] at byte {}", at));
      }
      ++at;
    } else {
      const std::size_t end = std::min(text.find_first_of(".[", at), text.size());
      if (end == at) return fail(fmt::format("expected a name at byte {}", at));
      step.name = text.substr(at, end - at);
      if (step.name != "*") step.selector = Selector::name;
      at = end;
    }
    if (step.name.size() > name_bytes_max) {
      return fail(fmt::format("a name may have {} bytes", name_bytes_max));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<void> PathTree::ensure_in_sets(std::uint32_t node) {
  if (nodes_[node].set_index >= 0) return {};
  if (in_sets_.size() == path_nodes_max) {
    return fail(fmt::format("the paths have more than {} different inner steps", path_nodes_max));
  }
  nodes_[node].set_index = static_cast<std::int16_t>(in_sets_.size());
  in_sets_.push_back(node);
  return {};
}

Result<std::uint32_t> PathTree::edge_from(std::uint32_t node, const Edge& wanted) {
  for (const Edge& edge : nodes_[node].edges) {
    if (edge.selector == wanted.selector && edge.value == wanted.value) return edge.target;
  }
  if (auto added = ensure_in_sets(node); !added) return tl::unexpected(added.error());
  const auto target = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  nodes_[node].edges.push_back({wanted.selector, wanted.value, target});
  return target;
}

std::uint32_t PathTree::add_name(const std::string& name) {
  const auto id = static_cast<std::uint32_t>(names_.size());
  const auto [entry, is_new] = names_.try_emplace(name, id);
  if (!is_new) return entry->second;
  const auto group = static_cast<std::uint8_t>(1U << id % 8);
  const auto put = [group](std::uint8_t& groups) {
    groups = static_cast<std::uint8_t>(groups | group);
  };
  const std::string quoted = name + '"';
  put(first_bytes_[static_cast<std::uint8_t>(quoted[0])]);
  if (quoted.size() > 1) {
    put(second_bytes_[static_cast<std::uint8_t>(quoted[1])]);
  } else {
    for (std::uint8_t& groups : second_bytes_) put(groups);
  }
  return id;
}

void PathTree::add_second_bytes(ByteClasses& classes, int bit) const noexcept {
  for (unsigned byte = 0; byte < second_bytes_.size(); ++byte) {
    if (second_bytes_[byte] != 0) classes.widen(bit, {nibble(byte >> 4), nibble(byte & 15)});
  }
}

Result<void> PathTree::add(std::string_view text, std::size_t rule) {
  auto steps = parse(text);
  if (!steps) return tl::unexpected(steps.error());
  std::uint32_t node = 0;
  for (const Step& step : *steps) {
    if (step.is_descendant) {
      if (nodes_[node].below < 0) {
        const auto below = static_cast<std::uint32_t>(nodes_.size());
        nodes_.emplace_back();
        nodes_[node].below = static_cast<std::int32_t>(below);
        if (auto added = ensure_in_sets(below); !added) return added;
        staying_.set(static_cast<std::size_t>(nodes_[below].set_index));
      }
      node = static_cast<std::uint32_t>(nodes_[node].below);
    }
    Edge edge{step.selector, step.index, 0};
    if (step.selector == Selector::name) edge.value = add_name(step.name);
    const auto target = edge_from(node, edge);
    if (!target) return tl::unexpected(target.error());
    if (step.selector != Selector::name) {
      by_place_.set(static_cast<std::size_t>(nodes_[node].set_index));
    }
    node = *target;
  }
  nodes_[node].rules.set(rule);
  rules_.set(rule);
  return {};
}

void PathTree::reach(std::uint32_t node, PathTarget& target) const noexcept {
  const Node& reached = nodes_[node];
  target.rules |= reached.rules;
  if (reached.set_index >= 0) target.nodes.set(static_cast<std::size_t>(reached.set_index));
  if (reached.below >= 0) {
    const Node& below = nodes_[static_cast<std::uint32_t>(reached.below)];
    target.nodes.set(static_cast<std::size_t>(below.set_index));
  }
}

template <class Matches>
PathTarget PathTree::follow(const PathNodes& from, Matches&& matches) const noexcept {
  PathTarget target;
  target.nodes = below(from);
  for (std::size_t bit = 0; bit < in_sets_.size(); ++bit) {
    if (!from.test(bit)) continue;
    for (const Edge& edge : nodes_[in_sets_[bit]].edges) {
      if (edge.selector == Selector::any || matches(edge)) reach(edge.target, target);
    }
  }
  return target;
}

PathTarget PathTree::root() const noexcept {
  PathTarget target;
  reach(0, target);
  return target;
}

std::uint32_t PathTree::id_of(std::string_view name) const noexcept {
  const auto first = static_cast<std::uint8_t>(name.empty() ? '"' : name.front());
  if (first_bytes_[first] == 0) return no_name;
  const auto found = names_.find(name);
  return found == names_.end() ? no_name : found->second;
}

PathTarget PathTree::member(const PathNodes& from, std::string_view name) const noexcept {
  const std::uint32_t id = id_of(name);
  // Most names are of no path: they lead on only where any name does.
  if (id == no_name && !selects_by_place(from)) return {below(from), {}};
  return follow(
      from, [id](const Edge& edge) { return edge.selector == Selector::name && edge.value == id; });
}

PathTarget PathTree::element(const PathNodes& from, std::uint32_t index) const noexcept {
  if (!selects_by_place(from)) return {below(from), {}};
  return follow(from, [index](const Edge& edge) {
    return edge.selector == Selector::index && edge.value == index;
  });
}

}  // namespace sluice::matcher
