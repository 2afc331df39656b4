// Reads a mix file: strict, all problems collected, each with its place.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/text_codec.h"
#include "config/load/quantity.h"
#include "config/load/suggest.h"
#include "config/load/yaml_tree.h"
#include "load/mix.h"
#include "parsers/http1/fields.h"

namespace sluice::load {
namespace {

using config::Place;
using config::YamlEntry;
using config::YamlNode;

constexpr std::uint64_t weight_max = 1'000'000;
constexpr std::uint64_t body_bytes_max = std::uint64_t{64} << 20;
constexpr Duration think_max = seconds(3600);
constexpr config::YamlLimits yaml_limits{.bytes_max = std::size_t{64} << 20};

class MixReader {
 public:
  explicit MixReader(std::vector<config::Problem>& problems) : problems_(problems) {}

  void read(const YamlNode& root, Mix& mix) {
    const Keys keys{"requests", "identities", "think"};
    if (!is_section(root, keys)) return;
    for (const YamlEntry& entry : root.entries) {
      if (entry.key == "requests") read_requests(entry.value, mix);
      if (entry.key == "identities") read_identities(entry.value, mix);
      if (entry.key == "think") read_think(entry.value, mix);
    }
    if (find(root, "requests") == nullptr)
      report(root.place, "'requests' is missing: what to send");
    check_identities(root, mix);
  }

 private:
  using Keys = std::initializer_list<std::string_view>;

  void read_requests(const YamlNode& node, Mix& mix) {
    if (!is_list(node)) return;
    for (const YamlNode& item : node.items) {
      MixRequest& request = mix.requests.emplace_back();
      read_request(item, request);
      if (request.name.empty()) request.name = fmt::format("request {}", mix.requests.size());
      const auto same_name = [&](const MixRequest& other) { return other.name == request.name; };
      if (std::count_if(mix.requests.begin(), mix.requests.end(), same_name) > 1) {
        report(item.place, fmt::format("a second request is called '{}'", request.name));
      }
    }
  }

  void read_request(const YamlNode& node, MixRequest& request) {
    const Keys keys{"name", "weight", "method", "path", "headers", "body", "body_size", "expect"};
    if (!is_section(node, keys)) return;
    for (const YamlEntry& entry : node.entries) {
      const YamlNode& value = entry.value;
      if (entry.key == "name") read_text(value, request.name);
      if (entry.key == "weight") read_weight(value, request);
      if (entry.key == "method") read_method(value, request);
      if (entry.key == "path") read_path(value, request);
      if (entry.key == "headers") read_headers(value, request);
      if (entry.key == "body") read_template(value, request.body);
      if (entry.key == "body_size") read_body_size(node, value, request);
      if (entry.key == "expect") read_expect(value, request.expect);
    }
  }

  void read_weight(const YamlNode& node, MixRequest& request) {
    const auto text = text_of(node);
    if (!text) return;
    const auto weight = config::parse_count(*text);
    if (!weight || *weight == 0 || *weight > weight_max) {
      return report(node.place, fmt::format("'{}' is not a weight, 1 to {}", *text, weight_max));
    }
    request.weight = *weight;
  }

  void read_method(const YamlNode& node, MixRequest& request) {
    read_text(node, request.method);
    if (!http1::is_token(request.method)) report(node.place, "a method is one word, e.g. POST");
  }

  void read_path(const YamlNode& node, MixRequest& request) {
    if (!read_template(node, request.path)) return;
    // What placeholders stand for needs no look: they make letters, digits and a few marks.
    std::string_view rest = request.path;
    bool is_clean = rest.starts_with('/');
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find("{{"), rest.size());
      is_clean =
          is_clean && std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(end),
                                  [](char c) { return c > ' ' && c <= '~' && c != '#'; });
      rest.remove_prefix(end);
      if (!rest.empty()) rest.remove_prefix(std::min(rest.find("}}") + 2, rest.size()));
    }
    if (!is_clean) report(node.place, "a path begins with '/' and has neither spaces nor '#'");
  }

  void read_headers(const YamlNode& node, MixRequest& request) {
    if (node.kind != YamlNode::Kind::mapping) {
      return report(node.place, fmt::format("expected names with values, found {}", kind_of(node)));
    }
    for (const YamlEntry& entry : node.entries) {
      if (!http1::is_token(entry.key)) {
        report(entry.key_place, fmt::format("'{}' is not a header's name", entry.key));
      } else if (http1::equal_ignoring_case(entry.key, "content-length") ||
                 http1::equal_ignoring_case(entry.key, "transfer-encoding")) {
        report(entry.key_place, "the body's length is sent as it is; leave this header out");
      }
      std::string value;
      if (!read_template(entry.value, value)) continue;
      if (std::any_of(value.begin(), value.end(),
                      [](char c) { return c >= 0 && c < ' ' && c != '\t'; })) {
        report(entry.value.place, "a header's value is one line");
      }
      request.headers.emplace_back(entry.key, std::move(value));
    }
  }

  void read_body_size(const YamlNode& section, const YamlNode& node, MixRequest& request) {
    if (find(section, "body") != nullptr) {
      return report(node.place, "either 'body' or 'body_size', not both");
    }
    const auto text = text_of(node);
    if (!text) return;
    const auto size = config::parse_size(*text);
    if (!size) return report(node.place, size.error().message);
    if (*size > body_bytes_max) {
      return report(node.place,
                    fmt::format("'{}': at most {}", *text, config::size_text(body_bytes_max)));
    }
    request.body.assign(*size, 'x');
  }

  void read_expect(const YamlNode& node, Expectation& expect) {
    if (!is_section(node, {"status", "sha256", "no_unmasked_card"})) return;
    for (const YamlEntry& entry : node.entries) {
      const auto text = text_of(entry.value);
      if (!text) continue;
      if (entry.key == "status") read_status(entry.value, *text, expect);
      if (entry.key == "sha256") read_digest(entry.value, *text, expect);
      if (entry.key == "no_unmasked_card") read_flag(entry.value, *text, expect.no_unmasked_card);
    }
  }

  void read_status(const YamlNode& node, const std::string& text, Expectation& expect) {
    expect.status = ExpectedStatus::parse(text);
    if (!expect.status) {
      report(node.place, fmt::format("'{}' is not a status such as 201 or 2xx", text));
    }
  }

  void read_digest(const YamlNode& node, const std::string& text, Expectation& expect) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != BodyDigest::Value{}.size()) {
      return report(node.place, "a SHA-256 digest is 64 hexadecimal digits");
    }
    std::copy(bytes->begin(), bytes->end(), expect.digest.emplace().begin());
  }

  void read_flag(const YamlNode& node, const std::string& text, bool& flag) {
    if (text != "true" && text != "false") {
      return report(node.place, fmt::format("'{}' is neither true nor false", text));
    }
    flag = text == "true";
  }

  void read_identities(const YamlNode& node, Mix& mix) {
    if (!is_list(node)) return;
    for (const YamlNode& item : node.items) {
      const auto text = text_of(item);
      if (!text) continue;
      const bool is_clean =
          std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c <= '~'; });
      if (!is_clean || text->empty()) {
        report(item.place, "an identity is a key or token: printable, without spaces");
      }
      mix.identities.push_back(*text);
    }
  }

  /// "5ms" or "5ms..20ms".
  void read_think(const YamlNode& node, Mix& mix) {
    const auto text = text_of(node);
    if (!text) return;
    const std::size_t dots = text->find("..");
    const auto min = config::parse_duration(text->substr(0, dots));
    const auto max = dots == text->npos ? min : config::parse_duration(text->substr(dots + 2));
    if (!min || !max || *max < *min || *max > think_max) {
      return report(node.place,
                    fmt::format("'{}' is not a time such as 10ms or 5ms..20ms, at most {}", *text,
                                config::duration_text(think_max)));
    }
    mix.think_min = *min;
    mix.think_max = *max;
  }

  /// {{identity}} needs identities, and identities need a place where they are used.
  void check_identities(const YamlNode& root, const Mix& mix) {
    const auto is_used = [](const std::string& text) {
      const auto parsed = Template::parse(text);
      return parsed && parsed->uses_identity();
    };
    const bool used =
        std::any_of(mix.requests.begin(), mix.requests.end(), [&](const MixRequest& request) {
          return is_used(request.path) || is_used(request.body) ||
                 std::any_of(request.headers.begin(), request.headers.end(),
                             [&](const auto& header) { return is_used(header.second); });
        });
    const YamlNode* const written = find(root, "identities");
    if (used && mix.identities.empty()) {
      report(root.place, "'{{identity}}' is used, and 'identities' lists none");
    } else if (!used && written != nullptr) {
      report(written->place, "nothing uses these",
             "e.g. headers: {Authorization: \"Bearer {{identity}}\"}");
    }
  }

  // Pieces of the above.

  static const YamlNode* find(const YamlNode& section, std::string_view key) {
    const auto found = std::find_if(section.entries.begin(), section.entries.end(),
                                    [key](const YamlEntry& entry) { return entry.key == key; });
    return found == section.entries.end() ? nullptr : &found->value;
  }

  static std::string_view kind_of(const YamlNode& node) {
    return node.is_null() ? "nothing" : node.kind_text();
  }

  bool is_section(const YamlNode& node, Keys keys) {
    if (node.kind != YamlNode::Kind::mapping) {
      report(node.place, fmt::format("expected a section with keys, found {}", kind_of(node)));
      return false;
    }
    for (const YamlEntry& entry : node.entries) {
      if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
      std::string suggestion = config::suggestion_for(entry.key, {keys.begin(), keys.size()});
      if (suggestion.empty()) suggestion = fmt::format("known here: {}", fmt::join(keys, ", "));
      report(entry.key_place, fmt::format("unknown key '{}'", entry.key), std::move(suggestion));
    }
    return true;
  }

  bool is_list(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::sequence && !node.items.empty()) return true;
    report(node.place,
           fmt::format("expected a list, found {}",
                       node.kind == YamlNode::Kind::sequence ? "an empty one" : kind_of(node)));
    return false;
  }

  std::optional<std::string> text_of(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::scalar && !node.is_null()) return node.text;
    report(node.place, fmt::format("expected a value, found {}", kind_of(node)));
    return std::nullopt;
  }

  void read_text(const YamlNode& node, std::string& text) {
    if (auto read = text_of(node)) text = std::move(*read);
  }

  bool read_template(const YamlNode& node, std::string& text) {
    read_text(node, text);
    const auto parsed = Template::parse(text);
    if (!parsed) report(node.place, parsed.error().message);
    return parsed.has_value();
  }

  void report(const Place& place, std::string message, std::string suggestion = {}) {
    problems_.push_back({place, std::move(message), std::move(suggestion)});
  }

  std::vector<config::Problem>& problems_;
};

}  // namespace

LoadedMix read_mix(std::string_view text, const std::string& name) {
  LoadedMix loaded;
  const auto root = config::parse_yaml(text, name, yaml_limits, loaded.problems);
  if (root) MixReader(loaded.problems).read(*root, loaded.mix);
  return loaded;
}

}  // namespace sluice::load
