#include "config/load/policy_text.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice::config {
namespace {

class Writer {
 public:
  void text(std::string_view value) {
    out_ += '"';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') out_ += '\\';
      if (byte < 0x20 || byte == 0x7f)
        fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
      else
        out_ += c;
    }
    out_ += '"';
  }

  void node(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::scalar) return node.is_null() ? raw("null") : text(node.text);
    const bool is_list = node.kind == YamlNode::Kind::sequence;
    begin(is_list ? '[' : '{');
    for (const YamlNode& item : node.items) {
      next();
      this->node(item);
    }
    for (const YamlEntry& entry : node.entries) {
      key(entry.key);
      this->node(entry.value);
    }
    end(is_list ? ']' : '}');
  }

  void begin(char bracket) {
    out_ += bracket;
    ++depth_;
    is_first_ = true;
  }
  void key(std::string_view name) {
    next();
    text(name);
    out_ += ": ";
  }
  void end(char bracket) {
    --depth_;
    if (!is_first_) line();
    is_first_ = false;
    out_ += bracket;
  }
  std::string finish() && { return std::move(out_) + '\n'; }

 private:
  void raw(std::string_view value) { out_ += value; }
  void next() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    line();
  }
  void line() { out_ += '\n' + std::string(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
  bool is_first_ = true;
};

}  // namespace

std::string json_text(const YamlNode& node) {
  Writer out;
  out.node(node);
  return std::move(out).finish();
}

std::string policy_text(const YamlNode& whole,
                        const std::map<std::string, std::string>& variables) {
  Writer out;
  out.begin('{');
  out.key("configuration");
  out.node(whole);
  out.key("environment");
  out.begin('{');
  for (const auto& [name, value] : variables) {
    out.key(name);
    out.text(value);
  }
  out.end('}');
  out.end('}');
  return std::move(out).finish();
}

}  // namespace sluice::config
