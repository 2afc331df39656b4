#include "control/exposition.h"

#include <fmt/format.h>

#include <array>

namespace sluice::control {
namespace {

/// Upper bounds in nanoseconds: from what a gateway should cost to what a person
/// would call broken.
constexpr std::array<std::uint64_t, 20> bounds_ns{
    50'000,        100'000,        200'000,        500'000,        1'000'000,
    2'000'000,     5'000'000,      10'000'000,     20'000'000,     50'000'000,
    100'000'000,   200'000'000,    500'000'000,    1'000'000'000,  2'000'000'000,
    5'000'000'000, 10'000'000'000, 20'000'000'000, 30'000'000'000, 60'000'000'000};

std::string_view text_of(Exposition::Type type) noexcept {
  switch (type) {
    case Exposition::Type::counter:
      return "counter";
    case Exposition::Type::gauge:
      return "gauge";
    case Exposition::Type::histogram:
      return "histogram";
  }
  return "untyped";
}

/// In a label's value backslash, quote and line feed are escaped; in a HELP text
/// the quote stays as it is.
void append_escaped(std::string& out, std::string_view text, bool escapes_quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && escapes_quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

double in_seconds(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) / 1e9;
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} ", name);
  append_escaped(text_, help, false);
  fmt::format_to(std::back_inserter(text_), "\n# TYPE {} {}\n", name, text_of(type));
}

void Exposition::line(std::string_view suffix, Labels labels, Label extra, std::string_view value) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  const auto append_label = [&](const Label& label) {
    text_ += std::exchange(separator, ',');
    text_ += label.first;
    text_ += "=\"";
    append_escaped(text_, label.second, true);
    text_ += '"';
  };
  for (const auto& label : labels) append_label(label);
  if (!extra.first.empty()) append_label(extra);
  if (separator == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

void Exposition::sample(Labels labels, std::uint64_t value) {
  line("", labels, {}, fmt::format("{}", value));
}

void Exposition::sample(Labels labels, double value) {
  line("", labels, {}, fmt::format("{}", value));
}

void Exposition::histogram(Labels labels, const Histogram& nanoseconds) {
  for (const std::uint64_t bound : bounds_ns) {
    line("_bucket", labels, {"le", fmt::format("{}", in_seconds(bound))},
         fmt::format("{}", nanoseconds.count_up_to(bound)));
  }
  const std::string count = fmt::format("{}", nanoseconds.count());
  line("_bucket", labels, {"le", "+Inf"}, count);
  line("_sum", labels, {}, fmt::format("{}", in_seconds(nanoseconds.sum())));
  line("_count", labels, {}, count);
}

}  // namespace sluice::control
