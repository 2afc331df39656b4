#include "naive_masker.h"

#include <hs.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

namespace sluice::testing {
namespace {

using matcher::BodyKind;
using matcher::Finder;
using matcher::MaskRule;
using matcher::RuleSet;
using matcher::Show;
using Text = std::string_view;

struct Malformed {};

/// A value as decoded: its bytes, where each one's written form begins in the
/// body, and where the last one's ends.
struct Value {
  std::string bytes;
  std::vector<std::size_t> places;  ///< One more than bytes.
};

struct PathStep {
  bool below = false;
  std::optional<std::string> name;
  std::optional<std::size_t> index;  ///< Neither: any.
};

struct Key {
  std::optional<std::string> name;
  std::size_t index = 0;
};

std::vector<PathStep> parse_path(Text text) {
  std::vector<PathStep> steps;
  std::size_t at = 1;
  while (at < text.size()) {
    PathStep step;
    if (text.substr(at, 2) == "..") {
      step.below = true;
      at += 2;
    } else if (text[at] == '.') {
      ++at;
    }
    if (text[at] == '[') {
      const char mark = text[at + 1];
      if (mark == '\'' || mark == '"') {
        std::string name;
        for (at += 2; text[at] != mark; ++at) {
          if (text[at] == '\\') ++at;
          name += text[at];
        }
        step.name = name;
        at += 2;
      } else {
        const std::size_t end = text.find(']', at);
        if (mark != '*') step.index = std::stoul(std::string(text.substr(at + 1, end - at - 1)));
        at = end + 1;
      }
    } else {
      const std::size_t end = std::min(text.find_first_of(".[", at), text.size());
      if (text.substr(at, end - at) != "*") step.name = std::string(text.substr(at, end - at));
      at = end;
    }
    steps.push_back(step);
  }
  return steps;
}

/// Whether steps[s..] lead along keys[k..] to its end.
bool path_leads(const std::vector<PathStep>& steps, std::size_t s, const std::vector<Key>& keys,
                std::size_t k) {
  if (s == steps.size()) return k == keys.size();
  if (k == keys.size()) return false;
  const PathStep& step = steps[s];
  const bool any = !step.name && !step.index;
  const bool fits = any || (step.name && keys[k].name == step.name) ||
                    (step.index && !keys[k].name && keys[k].index == *step.index);
  if (fits && path_leads(steps, s + 1, keys, k + 1)) return true;
  return step.below && path_leads(steps, s, keys, k + 1);
}

/// Bytes of the UTF-8 character at `at` by RFC 3629's table, 0 if there is none.
std::size_t character_size(Text text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
  if (at < text.size() && byte(0) < 0x80) return 1;
  if (in(0, 0xC2, 0xDF) && tail(1)) return 2;
  const bool three = (byte(0) == 0xE0 && in(1, 0xA0, 0xBF)) || (in(0, 0xE1, 0xEC) && tail(1)) ||
                     (byte(0) == 0xED && in(1, 0x80, 0x9F)) || (in(0, 0xEE, 0xEF) && tail(1));
  if (three && tail(2)) return 3;
  const bool four = (byte(0) == 0xF0 && in(1, 0x90, 0xBF)) || (in(0, 0xF1, 0xF3) && tail(1)) ||
                    (byte(0) == 0xF4 && in(1, 0x80, 0x8F));
  return four && tail(2) && tail(3) ? 4 : 0;
}

std::string utf8(unsigned code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 63));
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
  return out;
}

std::string encoded(BodyKind kind, Text decoded) {
  constexpr Text digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : decoded) {
    const auto byte = static_cast<unsigned char>(c);
    const bool alnum = byte < 0x80 && std::isalnum(byte) != 0;
    if (kind == BodyKind::form && !alnum && Text("*-._").find(c) == Text::npos) {
      out += c == ' ' ? std::string("+") : std::string("%") + digits[byte >> 4] + digits[byte & 15];
    } else if (kind == BodyKind::json && (c == '"' || c == '\\')) {
      out += std::string("\\") + c;
    } else if (kind == BodyKind::json && byte < 0x20) {
      constexpr Text named = "\b\f\n\r\t";
      const std::size_t which = named.find(c);
      constexpr Text lower = "0123456789abcdef";
      out += which != Text::npos ? std::string("\\") + Text("bfnrt")[which]
                                 : std::string("\\u00") + lower[byte >> 4] + lower[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

class Naive {
 public:
  Naive(std::span<const MaskRule> rules, const RuleSet& active, BodyKind kind, Text body, Text key)
      : rules_(rules), active_(active), kind_(kind), body_(body), key_(key) {
    result_.counts.resize(rules.size());
    for (const MaskRule& rule : rules) {
      for (const Finder& finder : rule.finders) {
        if (finder.kind == Finder::Kind::json_path) paths_[finder.text] = parse_path(finder.text);
      }
    }
  }

  NaiveResult run() {
    try {
      if (kind_ == BodyKind::text) text_body();
      if (kind_ == BodyKind::form) form_body();
      if (kind_ == BodyKind::json) json_body();
    } catch (const Malformed&) {
      result_ = {};
      result_.is_malformed = true;
    }
    return std::move(result_);
  }

 private:
  // --- values ---------------------------------------------------------------

  void add_matches(const Value& value, std::size_t rule, const Finder& finder,
                   std::vector<NaiveMatch>& out) {
    std::vector<NaiveMatch> found;
    if (finder.kind == Finder::Kind::builtin) found = naive_find(finder.text, value.bytes);
    if (finder.kind == Finder::Kind::regex) found = regex_find(finder.text, value.bytes);
    for (const NaiveMatch& match : found) out.push_back({match.start, match.end, rule});
  }

  static std::vector<NaiveMatch> regex_find(const std::string& expression,
                                            const std::string& value) {
    using Database = std::unique_ptr<hs_database_t, decltype(&hs_free_database)>;
    using Scanner = std::unique_ptr<hs_scratch_t, decltype(&hs_free_scratch)>;
    static std::map<std::string, std::pair<Database, Scanner>> compiled;  // each once
    auto known = compiled.find(expression);
    if (known == compiled.end()) {
      hs_database_t* raw_database = nullptr;
      hs_scratch_t* raw_scratch = nullptr;
      hs_compile_error_t* error = nullptr;
      if (hs_compile(expression.c_str(), HS_FLAG_DOTALL | HS_FLAG_SOM_LEFTMOST, HS_MODE_BLOCK,
                     nullptr, &raw_database, &error) != HS_SUCCESS ||
          hs_alloc_scratch(raw_database, &raw_scratch) != HS_SUCCESS) {
        throw std::runtime_error("bad expression");
      }
      known = compiled
                  .try_emplace(expression, Database(raw_database, &hs_free_database),
                               Scanner(raw_scratch, &hs_free_scratch))
                  .first;
    }
    const auto& [database, scratch] = known->second;
    std::vector<NaiveMatch> found;
    const std::string readable = value + std::string(64, '\0');
    const auto on_match = [](unsigned, unsigned long long from, unsigned long long to, unsigned,
                             void* context) {
      static_cast<std::vector<NaiveMatch>*>(context)->push_back({from, to, 0});
      return 0;
    };
    hs_scan(database.get(), readable.data(), static_cast<unsigned>(value.size()), 0, scratch.get(),
            on_match, &found);
    // No match cuts a character in two.
    for (std::size_t at = 0; at < value.size();) {
      const std::size_t size = std::max<std::size_t>(1, character_size(value, at));
      for (NaiveMatch& match : found) {
        if (match.start > at && match.start < at + size) match.start = at;
        if (match.end > at && match.end < at + size) match.end = at + size;
      }
      at += size;
    }
    return found;
  }

  std::string shown(const Show& show, const MaskRule& rule, Text value) const {
    if (show.kind == Show::Kind::redact) return "[redacted]";
    if (show.kind == Show::Kind::partial) return partial(show, value);
    bool normalised = false;
    for (const Finder& finder : rule.finders) {
      const bool account = finder.text == "payment-card" || finder.text == "iban" ||
                           finder.text == "us-ssn" || finder.text == "phone";
      normalised = normalised || (finder.kind == Finder::Kind::builtin && account);
    }
    std::string message;
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (!normalised) message += c;
      if (normalised && byte >= 0x80) message += c;
      if (normalised && byte < 0x80 && std::isalnum(byte) != 0) {
        message += static_cast<char>(std::toupper(byte));
      }
    }
    unsigned char digest[32];
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, nullptr);
    std::string hex = "h:";
    for (int i = 0; i < 8; ++i) {
      constexpr Text digits = "0123456789abcdef";
      hex += digits[digest[i] >> 4];
      hex += digits[digest[i] & 15];
    }
    return hex;
  }

  static std::string partial(const Show& show, Text value) {
    std::vector<std::string> characters;
    for (std::size_t at = 0; at < value.size();) {
      const std::size_t size = std::max<std::size_t>(1, character_size(value, at));
      characters.emplace_back(value.substr(at, size));
      at += size;
    }
    const auto counts = [](const std::string& c) {
      const auto byte = static_cast<unsigned char>(c[0]);
      return byte >= 0x80 || std::isalnum(byte) != 0;
    };
    const auto total =
        static_cast<std::size_t>(std::count_if(characters.begin(), characters.end(), counts));
    const bool hides_all = total <= std::size_t{show.first} + show.last;
    std::string out;
    std::size_t nth = 0;
    for (const std::string& character : characters) {
      if (!counts(character)) {
        out += character;
        continue;
      }
      const bool kept = !hides_all && (nth < show.first || nth >= total - show.last);
      ++nth;
      out += kept ? character : std::string(character.size(), '*');
    }
    return out;
  }

  /// The value's written form with everything masked; whether anything was.
  std::pair<std::string, bool> masked(const Value& value, std::optional<std::size_t> whole,
                                      bool has_limit = true) {
    const std::size_t n = value.bytes.size();
    std::vector<NaiveMatch> matches;
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      if (!active_.test(rule)) continue;
      for (const Finder& finder : rules_[rule].finders) add_matches(value, rule, finder, matches);
    }
    if (whole && n > 0) matches.push_back({0, n, *whole});

    // Bytes i and i+1 belong together when one match covers both.
    struct Cover {
      std::vector<char> covered;
      std::vector<char> joined;
      void add(std::size_t start, std::size_t end) {
        for (std::size_t i = start; i < end; ++i) {
          covered[i] = 1;
          if (i + 1 < end) joined[i] = 1;
        }
      }
    };
    Cover all{std::vector<char>(n), std::vector<char>(n)};
    for (const NaiveMatch& match : matches) all.add(match.start, match.end);
    std::ranges::sort(matches, {}, &NaiveMatch::start);
    auto next = matches.begin();
    std::string out;
    bool any = false;
    for (std::size_t start = 0; start < n;) {
      if (all.covered[start] == 0) {
        out += body_.substr(value.places[start], value.places[start + 1] - value.places[start]);
        ++start;
        continue;
      }
      std::size_t end = start + 1;
      while (all.joined[end - 1] != 0) ++end;
      // What touches the span lies in it, and spans come in order.
      const auto first = next;
      std::size_t winner = rules_.size();
      for (; next != matches.end() && next->start < end; ++next) {
        winner = std::min(winner, next->rule);
      }
      Cover own{std::vector<char>(end - start), std::vector<char>(end - start)};
      for (auto match = first; match != next; ++match) {
        if (match->rule == winner) own.add(match->start - start, match->end - start);
      }
      const bool is_exact = std::ranges::all_of(own.covered, std::identity{}) &&
                            std::all_of(own.joined.begin(), own.joined.end() - 1, std::identity{});
      const bool is_long = has_limit && value.places[end] - value.places[start] > 2048;
      const Show show = is_exact && !is_long ? rules_[winner].show : Show{};
      out +=
          encoded(kind_, shown(show, rules_[winner], Text(value.bytes).substr(start, end - start)));
      ++result_.counts[winner];
      any = true;
      start = end;
    }
    return {out, any};
  }

  // --- text and forms ---------------------------------------------------------

  void text_body() {
    Value value;
    value.bytes = body_;
    for (std::size_t i = 0; i <= body_.size(); ++i) value.places.push_back(i);
    result_.output = masked(value, std::nullopt).first;
  }

  Value form_value(std::size_t begin, std::size_t end) const {
    Value value;
    const auto hex = [&](std::size_t at) {
      return at < end
                 ? Text("0123456789abcdef")
                       .find(static_cast<char>(std::tolower(static_cast<unsigned char>(body_[at]))))
                 : Text::npos;
    };
    for (std::size_t at = begin; at < end;) {
      value.places.push_back(at);
      if (body_[at] == '%' && hex(at + 1) != Text::npos && hex(at + 2) != Text::npos) {
        value.bytes += static_cast<char>(hex(at + 1) << 4 | hex(at + 2));
        at += 3;
      } else {
        value.bytes += body_[at] == '+' ? ' ' : body_[at];
        ++at;
      }
    }
    value.places.push_back(end);
    return value;
  }

  void form_body() {
    std::size_t begin = 0;
    for (;;) {
      const std::size_t end = std::min(body_.find('&', begin), body_.size());
      const std::size_t equals = std::min(body_.find('=', begin), end);
      const Value name = form_value(begin, equals);
      result_.output += masked(name, std::nullopt).first;
      if (equals < end) {
        std::optional<std::size_t> whole;
        for (std::size_t rule = rules_.size(); rule-- > 0;) {
          if (!active_.test(rule)) continue;
          for (const Finder& finder : rules_[rule].finders) {
            if (finder.kind == Finder::Kind::form_field && finder.text == name.bytes) whole = rule;
          }
        }
        result_.output += "=" + masked(form_value(equals + 1, end), whole).first;
      }
      if (end == body_.size()) return;
      result_.output += '&';
      begin = end + 1;
    }
  }

  // --- JSON -------------------------------------------------------------------

  [[nodiscard]] char peek() const { return at_ < body_.size() ? body_[at_] : '\0'; }
  [[nodiscard]] bool ends() const { return at_ == body_.size(); }

  void copy_space() {
    while (!ends() && Text(" \t\r\n").find(peek()) != Text::npos) put(body_.substr(at_++, 1));
  }
  void put(Text text) {
    if (hidden_ == 0) result_.output += text;
  }
  void expect(char c) {
    if (ends() || peek() != c) throw Malformed{};
    put(body_.substr(at_++, 1));
  }

  unsigned code_unit(std::size_t at) const {
    if (at + 4 > body_.size()) throw Malformed{};
    unsigned unit = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto c = static_cast<unsigned char>(body_[at + i]);
      if (std::isxdigit(c) == 0) throw Malformed{};
      unit = unit << 4 | static_cast<unsigned>(
                             Text("0123456789abcdef").find(static_cast<char>(std::tolower(c))));
    }
    return unit;
  }

  /// Behind the opening quote; ends behind the closing one.
  Value json_string() {
    Value value;
    const auto add = [&](const std::string& bytes, std::size_t place) {
      for (const char c : bytes) {
        value.bytes += c;
        value.places.push_back(place);
      }
    };
    for (;;) {
      if (ends()) throw Malformed{};
      const std::size_t place = at_;
      const auto c = static_cast<unsigned char>(peek());
      if (c == '"') {
        value.places.push_back(at_++);
        return value;
      }
      if (c < 0x20) throw Malformed{};
      if (c != '\\') {
        const std::size_t size = character_size(body_, at_);
        if (size == 0) throw Malformed{};
        add(std::string(body_.substr(at_, size)), place);
        at_ += size;
        continue;
      }
      ++at_;
      if (ends()) throw Malformed{};
      const char kind = body_[at_++];
      const std::size_t simple = Text("\"\\/bfnrt").find(kind);
      if (kind != 'u') {
        if (simple == Text::npos) throw Malformed{};
        add(std::string(1, Text("\"\\/\b\f\n\r\t")[simple]), place);
        continue;
      }
      unsigned code = code_unit(at_);
      at_ += 4;
      const bool may_pair = code >= 0xD800 && code < 0xDC00 && body_.substr(at_, 2) == "\\u";
      const unsigned second = may_pair ? code_unit(at_ + 2) : 0;
      if (second >= 0xDC00 && second < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
        at_ += 6;
      } else if (code >= 0xD800 && code < 0xE000) {
        code = 0xFFFD;
      }
      add(utf8(code), place);
    }
  }

  std::optional<std::size_t> rule_of_path() const {
    for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
      if (!active_.test(rule) || hidden_ > 0) continue;
      for (const Finder& finder : rules_[rule].finders) {
        if (finder.kind != Finder::Kind::json_path) continue;
        if (path_leads(paths_.at(finder.text), 0, keys_, 0)) return rule;
      }
    }
    return std::nullopt;
  }

  void json_value() {
    const auto rule = rule_of_path();
    const char c = peek();
    if (c == '"') {
      put("\"");
      ++at_;
      const Value value = json_string();
      if (hidden_ == 0) put(masked(value, rule).first);
      put("\"");
    } else if (c == '{' || c == '[') {
      if (++depth_ > 128) throw Malformed{};
      if (rule) {
        put("\"[redacted]\"");
        ++result_.counts[*rule];
        ++hidden_;
      }
      c == '{' ? json_object() : json_array();
      if (rule) --hidden_;
      --depth_;
    } else {
      json_scalar(rule);
    }
  }

  void json_object() {
    expect('{');
    copy_space();
    if (peek() == '}') return expect('}');
    for (;;) {
      copy_space();
      expect('"');
      const Value name = json_string();
      if (hidden_ == 0) put(masked(name, std::nullopt).first);
      put("\"");
      copy_space();
      expect(':');
      copy_space();
      keys_.push_back({name.bytes, 0});
      json_value();
      keys_.pop_back();
      copy_space();
      if (peek() == '}') return expect('}');
      expect(',');
    }
  }

  void json_array() {
    expect('[');
    copy_space();
    if (peek() == ']') return expect(']');
    for (std::size_t index = 0;; ++index) {
      copy_space();
      keys_.push_back({std::nullopt, index});
      json_value();
      keys_.pop_back();
      copy_space();
      if (peek() == ']') return expect(']');
      expect(',');
    }
  }

  static bool is_number(Text token) {
    std::size_t at = 0;
    const auto digits = [&] {
      const std::size_t begin = at;
      while (at < token.size() && std::isdigit(static_cast<unsigned char>(token[at])) != 0) ++at;
      return token.substr(begin, at - begin);
    };
    if (at < token.size() && token[at] == '-') ++at;
    const Text whole = digits();
    if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return false;
    if (at < token.size() && token[at] == '.') {
      ++at;
      if (digits().empty()) return false;
    }
    if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
      ++at;
      if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
      if (digits().empty()) return false;
    }
    return at == token.size();
  }

  void json_scalar(std::optional<std::size_t> rule) {
    const std::size_t end = std::min(body_.find_first_of(" \t\r\n,]}", at_), body_.size());
    const Text token = body_.substr(at_, end - at_);
    if (token == "true" || token == "false" || token == "null") {
      if (rule) ++result_.counts[*rule];
      put(rule ? Text("\"[redacted]\"") : token);
      at_ = end;
      return;
    }
    if (!is_number(token) || token.size() > 1024) throw Malformed{};
    Value value;
    value.bytes = token;
    for (std::size_t i = at_; i <= end; ++i) value.places.push_back(i);
    if (hidden_ == 0) {
      const auto [text, any] = masked(value, rule, false);
      put(any ? "\"" + text + "\"" : text);
    }
    at_ = end;
  }

  void json_body() {
    copy_space();
    while (!ends()) {
      json_value();
      copy_space();
    }
  }

  std::span<const MaskRule> rules_;
  RuleSet active_;
  BodyKind kind_;
  Text body_;
  Text key_;
  std::map<std::string, std::vector<PathStep>> paths_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t hidden_ = 0;
  std::vector<Key> keys_;
  NaiveResult result_;
};

}  // namespace

NaiveResult naive_mask(std::span<const MaskRule> rules, const RuleSet& active, BodyKind kind,
                       std::string_view body, std::string_view hash_key) {
  return Naive(rules, active, kind, body, hash_key).run();
}

bool naive_is_json(std::string_view body) {
  return !Naive({}, RuleSet{}, BodyKind::json, body, {}).run().is_malformed;
}

}  // namespace sluice::testing
