#include "config/model/glob_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "config/model/star_pattern.h"

namespace sluice::config {
namespace {

constexpr std::size_t edges_at_first = 16;
constexpr std::uint64_t odd_factor = 0x9E3779B97F4A7C15;

/// Not keyed: which texts lie in the table is the operator's choice, not a client's.
std::uint64_t hash_of(std::uint32_t node, std::string_view text) noexcept {
  std::uint64_t hash = (std::uint64_t{node} << 32 | (text.size() & 0xFFFFFFFF)) * odd_factor;
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * odd_factor;
    hash ^= hash >> 32;
  };
  std::uint64_t word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    mix(word);
  }
  word = 0;
  for (const char c : text) word = word << 8 | static_cast<unsigned char>(c);
  mix(word);
  return hash;
}

bool is_all_of(std::string_view pattern, std::string_view text) noexcept {
  return matches_stars(pattern, text, [](char a, char b) { return a == b; });
}

}  // namespace

void PathSearch::reserve(std::size_t nodes, std::size_t globs, std::size_t path_bytes) {
  hits_.reserve(globs);
  now_.reserve(nodes);
  next_.reserve(nodes);
  lower_.reserve(path_bytes);
  if (node_steps_.size() < nodes) node_steps_.resize(nodes);
  if (glob_steps_.size() < globs) glob_steps_.resize(globs);
}

GlobTree::GlobTree(GlobReading reading) noexcept
    : reading_(reading), nodes_(1), edges_(edges_at_first) {}

std::uint32_t GlobTree::add(std::span<const GlobSegment> segments, std::uint32_t number) {
  std::uint32_t node = 0;
  for (const GlobSegment& segment : segments.first(segments.size() - 1)) {
    node = add_segment(node, segment);
  }
  const GlobSegment& last = segments.back();
  const bool covers = last.kind == GlobSegment::Kind::any_path;
  if (!covers) {
    node = add_segment(node, last);
    // A literal end in "/" already asks for the slash.
    nodes_[node].allows_slash = reading_ == GlobReading::wide && !last.text.empty();
  }
  std::uint32_t& glob = covers ? nodes_[node].covers : nodes_[node].ends;
  if (glob == none) glob = number;
  return glob;
}

/// Returns the node behind the segment.
std::uint32_t GlobTree::add_segment(std::uint32_t node, const GlobSegment& segment) {
  switch (segment.kind) {
    case GlobSegment::Kind::any_segment:
      return child(nodes_[node].any_segment);
    case GlobSegment::Kind::any_path: {
      const std::uint32_t any = child(nodes_[node].any_path);
      nodes_[any].stays = true;
      return any;
    }
    case GlobSegment::Kind::literal:
    case GlobSegment::Kind::pattern:
      break;
  }
  const bool is_wide = reading_ == GlobReading::wide;
  const std::string text = is_wide ? in_lower_case(segment.text) : std::string(segment.text);
  // Parameters of its own are told from the path's by comparing all of it.
  const bool has_parameters = is_wide && text.find(';') != std::string::npos;
  if (segment.kind == GlobSegment::Kind::pattern || has_parameters) return add_pattern(node, text);
  Edge& to = edge(node, text);
  return child(to.literal);
}

std::uint32_t GlobTree::add_pattern(std::uint32_t node, const std::string& text) {
  const std::string_view head = std::string_view(text).substr(0, text.find('*'));
  Edge& from = edge(node, head);
  for (std::uint32_t known = from.pattern; known != none; known = patterns_[known].next) {
    if (patterns_[known].text == text) return patterns_[known].node;
  }
  const auto behind = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  const auto number = static_cast<std::uint32_t>(patterns_.size());
  patterns_.push_back({text, text + ";*", behind, std::exchange(from.pattern, number)});
  auto& sizes = nodes_[node].head_sizes;
  const auto size = static_cast<std::uint32_t>(head.size());
  if (std::find(sizes.begin(), sizes.end(), size) == sizes.end()) sizes.push_back(size);
  return behind;
}

/// The node that `slot` names; a new one if it names none. `slot` may lie in a node.
std::uint32_t GlobTree::child(std::uint32_t& slot) {
  if (slot != none) return slot;
  const auto made = static_cast<std::uint32_t>(nodes_.size());
  slot = made;
  nodes_.emplace_back();
  return made;
}

GlobTree::Edge& GlobTree::edge(std::uint32_t node, std::string_view text) {
  if (const Edge* const known = find_edge(node, text)) {
    return edges_[static_cast<std::size_t>(known - edges_.data())];
  }
  if (2 * ++edge_count_ > edges_.size()) grow();
  const std::uint64_t hash = hash_of(node, text);
  std::size_t slot = hash & (edges_.size() - 1);
  while (edges_[slot].node != none) slot = (slot + 1) & (edges_.size() - 1);
  edges_[slot].hash = hash;
  edges_[slot].node = node;
  edges_[slot].text = text;
  return edges_[slot];
}

void GlobTree::grow() {
  std::vector<Edge> old(2 * edges_.size());
  old.swap(edges_);
  for (Edge& edge : old) {
    if (edge.node == none) continue;
    std::size_t slot = edge.hash & (edges_.size() - 1);
    while (edges_[slot].node != none) slot = (slot + 1) & (edges_.size() - 1);
    edges_[slot] = std::move(edge);
  }
}

const GlobTree::Edge* GlobTree::find_edge(std::uint32_t node,
                                          std::string_view text) const noexcept {
  const std::uint64_t hash = hash_of(node, text);
  for (std::size_t slot = hash & (edges_.size() - 1);; slot = (slot + 1) & (edges_.size() - 1)) {
    const Edge& edge = edges_[slot];
    if (edge.node == none) return nullptr;
    if (edge.hash == hash && edge.node == node && edge.text == text) return &edge;
  }
}

void GlobTree::find(std::string_view path, PathSearch& search) const noexcept {
  search.now_.clear();
  ++search.step_;
  come_to(0, search.now_, search);
  for (std::size_t at = 1; !search.now_.empty();) {
    const std::size_t slash = path.find('/', at);
    const bool is_last = slash == std::string_view::npos;
    const std::string_view segment = path.substr(at, is_last ? slash : slash - at);
    search.next_.clear();
    ++search.step_;
    for (const std::uint32_t node : search.now_) {
      if (is_last && segment.empty() && nodes_[node].allows_slash) hit(nodes_[node].ends, search);
      pass(node, segment, search);
    }
    search.now_.swap(search.next_);
    if (is_last) break;
    at = slash + 1;
  }
  for (const std::uint32_t node : search.now_) hit(nodes_[node].ends, search);
}

/// Once for each step: behind a "**" the same node may be come to in two ways.
void GlobTree::come_to(std::uint32_t node, std::vector<std::uint32_t>& nodes,
                       PathSearch& search) const noexcept {
  for (; node != none; node = nodes_[node].any_path) {
    if (std::exchange(search.node_steps_[node], search.step_) == search.step_) continue;
    nodes.push_back(node);  // Within the capacity reserved.
    hit(nodes_[node].covers, search);
  }
}

/// Goes on from a node over one segment.
void GlobTree::pass(std::uint32_t node, std::string_view segment,
                    PathSearch& search) const noexcept {
  const Node& from = nodes_[node];
  if (from.stays) come_to(node, search.next_, search);
  if (!segment.empty()) come_to(from.any_segment, search.next_, search);
  pass_literal(node, segment, search);
  if (reading_ == GlobReading::wide) {
    const std::size_t parameters = segment.find(';');
    if (parameters != 0 && parameters != std::string_view::npos) {
      pass_literal(node, segment.substr(0, parameters), search);
    }
  }
  for (const std::uint32_t size : from.head_sizes) {
    if (size > segment.size()) continue;
    const Edge* const edge = find_edge(node, segment.substr(0, size));
    if (edge == nullptr) continue;
    for (std::uint32_t i = edge->pattern; i != none; i = patterns_[i].next) {
      if (matches(patterns_[i], segment)) come_to(patterns_[i].node, search.next_, search);
    }
  }
}

void GlobTree::pass_literal(std::uint32_t node, std::string_view text,
                            PathSearch& search) const noexcept {
  const Edge* const edge = find_edge(node, text);
  if (edge != nullptr) come_to(edge->literal, search.next_, search);
}

bool GlobTree::matches(const Pattern& pattern, std::string_view segment) const noexcept {
  if (is_all_of(pattern.text, segment)) return true;
  return reading_ == GlobReading::wide && is_all_of(pattern.with_parameters, segment);
}

void GlobTree::hit(std::uint32_t glob, PathSearch& search) noexcept {
  if (glob == none) return;
  if (std::exchange(search.glob_steps_[glob], search.search_) == search.search_) return;
  search.hits_.push_back(glob);  // Within the capacity reserved.
}

}  // namespace sluice::config
