#include "config/load/yaml_tree.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace sluice::config {
namespace {

std::string_view text_of(const yaml_char_t* text, std::size_t size) {
  return as_text(ByteView(text, size));
}

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { clear(); }

  bool next(yaml_parser_t& parser) {
    clear();
    is_held_ = yaml_parser_parse(&parser, &event_) == 1;
    return is_held_;
  }
  [[nodiscard]] const yaml_event_t& get() const noexcept { return event_; }

 private:
  void clear() {
    if (is_held_) yaml_event_delete(&event_);
    is_held_ = false;
  }
  yaml_event_t event_{};
  bool is_held_ = false;
};

/// What a person most likely did, for faults that libyaml words for its author.
std::string_view advice(std::string_view problem, std::string_view context, bool is_tab) {
  const auto says = [&](std::string_view words) {
    return problem.find(words) != std::string_view::npos;
  };
  if (is_tab) return "there is a tab; YAML is indented with spaces";
  if (context.find("flow") != std::string_view::npos) {
    return "a text with any of , : [ ] { } in it needs quotes inside {…} and […]";
  }
  if (says("cannot start any token")) return "a text that begins so needs quotes";
  if (says("mapping values are not allowed")) {
    return "a text with ': ' in it needs quotes; or is the indentation wrong?";
  }
  if (context.find("block") != std::string_view::npos) return "is the indentation right?";
  return {};
}

/// Reads events until the first fault; a fault of the text ends the reading.
class TreeParser {
 public:
  TreeParser(std::string_view yaml, const std::string& name, const YamlLimits& limits,
             std::vector<Problem>& problems)
      : yaml_(yaml), name_(name), limits_(limits), problems_(problems) {
    is_ready_ = yaml_parser_initialize(&parser_) == 1;
    if (!is_ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    const ByteView bytes = as_bytes(yaml);
    yaml_parser_set_input_string(&parser_, bytes.data(), bytes.size());
  }
  TreeParser(const TreeParser&) = delete;
  TreeParser& operator=(const TreeParser&) = delete;
  ~TreeParser() {
    if (is_ready_) yaml_parser_delete(&parser_);
  }

  std::optional<YamlNode> run() {
    if (!is_ready_) return fault({}, "no memory for the YAML parser");
    if (!advance()) return std::nullopt;  // stream start
    if (!advance()) return std::nullopt;
    if (type() == YAML_STREAM_END_EVENT) return fault({}, "the file is empty");
    const auto& start = event_.get().data.document_start;
    if (start.version_directive != nullptr ||
        start.tag_directives.start != start.tag_directives.end) {
      return fault(event_.get().start_mark, "YAML directives ('%…') are not allowed");
    }
    if (!advance()) return std::nullopt;
    auto root = node(0);
    if (!root) return std::nullopt;
    if (!advance()) return std::nullopt;  // document end
    if (!advance()) return std::nullopt;
    if (type() != YAML_STREAM_END_EVENT) {
      return fault(event_.get().start_mark, "only one YAML document is allowed");
    }
    return root;
  }

 private:
  [[nodiscard]] yaml_event_type_t type() const noexcept { return event_.get().type; }

  [[nodiscard]] Place place(const yaml_mark_t& mark) const {
    return {name_, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }

  void report(Place where, std::string message) {
    Problem& problem = problems_.emplace_back();
    problem.place = std::move(where);
    problem.message = std::move(message);
  }

  std::nullopt_t fault(const yaml_mark_t& mark, std::string message) {
    report(place(mark), std::move(message));
    return std::nullopt;
  }

  bool advance() {
    if (event_.next(parser_)) return true;
    const bool has_mark = parser_.error != YAML_READER_ERROR;
    const yaml_mark_t& mark = has_mark ? parser_.problem_mark : parser_.mark;
    const std::string_view problem = parser_.problem != nullptr ? parser_.problem : "out of memory";
    const std::string_view context = parser_.context != nullptr ? parser_.context : "";
    std::string message = fmt::format("not readable as YAML: {}", problem);
    if (!context.empty()) message += fmt::format(" ({})", context);
    fault(mark, std::move(message));
    problems_.back().suggestion = advice(problem, context, has_tab_at(mark));
    return false;
  }

  /// libyaml counts characters; a column is only looked up in plain ASCII before it.
  [[nodiscard]] bool has_tab_at(const yaml_mark_t& mark) const noexcept {
    std::string_view rest = yaml_;
    for (std::size_t line = 0; line < mark.line; ++line) {
      const std::size_t end = rest.find('\n');
      if (end == std::string_view::npos) return false;
      rest.remove_prefix(end + 1);
    }
    return mark.column < rest.size() && rest[mark.column] == '\t';
  }

  /// The node that the current event begins.
  std::optional<YamlNode> node(std::size_t depth) {
    const yaml_event_t& event = event_.get();
    if (depth > limits_.depth_max) {
      return fault(event.start_mark,
                   fmt::format("nested deeper than {} levels", limits_.depth_max));
    }
    if (++nodes_ > limits_.nodes_max) {
      return fault(event.start_mark, fmt::format("more than {} values", limits_.nodes_max));
    }
    switch (event.type) {
      case YAML_ALIAS_EVENT:
        return fault(event.start_mark, "aliases ('*name') are not allowed: write the value out");
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return sequence(event, depth);
      case YAML_MAPPING_START_EVENT:
        return mapping(event, depth);
      default:
        return fault(event.start_mark, "unexpected YAML");
    }
  }

  bool is_bare(const yaml_mark_t& mark, const yaml_char_t* anchor, const yaml_char_t* tag) {
    if (anchor != nullptr) fault(mark, "anchors ('&name') are not allowed: write the value out");
    if (tag != nullptr) fault(mark, "tags ('!…') are not allowed");
    return anchor == nullptr && tag == nullptr;
  }

  std::optional<YamlNode> scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    if (!is_bare(event.start_mark, data.anchor, data.tag)) return std::nullopt;
    YamlNode result;
    result.is_quoted = data.style != YAML_PLAIN_SCALAR_STYLE;
    result.text = text_of(data.value, data.length);
    result.place = place(event.start_mark);
    return result;
  }

  std::optional<YamlNode> sequence(const yaml_event_t& event, std::size_t depth) {
    const auto& data = event.data.sequence_start;
    if (!is_bare(event.start_mark, data.anchor, data.tag)) return std::nullopt;
    YamlNode result;
    result.kind = YamlNode::Kind::sequence;
    result.place = place(event.start_mark);
    for (;;) {
      if (!advance()) return std::nullopt;
      if (type() == YAML_SEQUENCE_END_EVENT) return result;
      auto item = node(depth + 1);
      if (!item) return std::nullopt;
      result.items.push_back(std::move(*item));
    }
  }

  std::optional<YamlNode> mapping(const yaml_event_t& event, std::size_t depth) {
    const auto& data = event.data.mapping_start;
    if (!is_bare(event.start_mark, data.anchor, data.tag)) return std::nullopt;
    YamlNode result;
    result.kind = YamlNode::Kind::mapping;
    result.place = place(event.start_mark);
    for (;;) {
      if (!advance()) return std::nullopt;
      if (type() == YAML_MAPPING_END_EVENT) return result;
      auto key = node(depth + 1);
      if (!key) return std::nullopt;
      if (key->kind != YamlNode::Kind::scalar) {
        report(key->place, "a key must be a plain word");
        return std::nullopt;
      }
      if (!key->is_quoted && key->text == "<<") {
        report(key->place, "merge keys ('<<') are not allowed: write the values out");
        return std::nullopt;
      }
      if (!advance()) return std::nullopt;
      auto value = node(depth + 1);
      if (!value) return std::nullopt;
      if (result.entries.size() == limits_.keys_max) {
        report(key->place, fmt::format("more than {} keys in one section", limits_.keys_max));
        return std::nullopt;
      }
      add(result, std::move(*key), std::move(*value));
    }
  }

  void add(YamlNode& mapping, YamlNode key, YamlNode value) {
    const auto first = std::find_if(mapping.entries.begin(), mapping.entries.end(),
                                    [&](const YamlEntry& entry) { return entry.key == key.text; });
    if (first == mapping.entries.end()) {
      mapping.entries.push_back({std::move(key.text), std::move(key.place), std::move(value)});
      return;
    }
    report(std::move(key.place),
           fmt::format("'{}' is given twice; first at line {}", key.text, first->key_place.line));
  }

  yaml_parser_t parser_{};
  bool is_ready_ = false;
  Event event_;
  std::string_view yaml_;
  const std::string& name_;
  const YamlLimits& limits_;
  std::vector<Problem>& problems_;
  std::size_t nodes_ = 0;
};

}  // namespace

bool YamlNode::is_null() const noexcept {
  static constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
  return kind == Kind::scalar && !is_quoted &&
         std::find(nulls.begin(), nulls.end(), text) != nulls.end();
}

std::string_view YamlNode::kind_text() const noexcept {
  switch (kind) {
    case Kind::scalar:
      return "a text";
    case Kind::sequence:
      return "a list";
    case Kind::mapping:
      return "a section";
  }
  return "";
}

std::optional<YamlNode> parse_yaml(std::string_view yaml, const std::string& name,
                                   const YamlLimits& limits, std::vector<Problem>& problems) {
  if (yaml.size() > limits.bytes_max) {
    Problem& problem = problems.emplace_back();
    problem.place = {name, 1, 1};
    problem.message = fmt::format("{} bytes; at most {} are read", yaml.size(), limits.bytes_max);
    return std::nullopt;
  }
  return TreeParser(yaml, name, limits, problems).run();
}

}  // namespace sluice::config
