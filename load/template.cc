#include "load/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "config/load/quantity.h"
#include "config/load/suggest.h"
#include "load/luhn.h"

namespace sluice::load {
namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";
constexpr std::array<std::string_view, 5> names{"card", "email", "uuid", "number", "identity"};

/// 16 digits in an issuer range that masks know, with a valid check digit.
void append_card(Random& random, std::string& out) {
  std::array<std::uint8_t, 16> digits{4};
  for (std::size_t i = 1; i + 1 < digits.size(); ++i) {
    digits[i] = static_cast<std::uint8_t>(random.below(10));
  }
  digits.back() = luhn_check_digit(std::span(digits).first(digits.size() - 1));
  for (const std::uint8_t digit : digits) out += static_cast<char>('0' + digit);
}

void append_email(Random& random, std::string& out) {
  for (int i = 0; i < 10; ++i) out += static_cast<char>('a' + random.below(26));
  out += "@example.com";
}

/// RFC 9562 §5.4: version 4.
void append_uuid(Random& random, std::string& out) {
  const std::uint64_t high = (random.next() & ~std::uint64_t{0xF000}) | 0x4000;
  const std::uint64_t low = (random.next() >> 2) | (std::uint64_t{1} << 63);
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                 (high >> 16) & 0xFFFF, high & 0xFFFF, low >> 48, low & 0xFFFF'FFFF'FFFF);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

Template Template::literal(std::string text) {
  Template made;
  if (!text.empty()) made.parts_.push_back({.kind = Part::Kind::literal, .text = std::move(text)});
  return made;
}

Result<Template> Template::parse(std::string_view text) {
  Template made;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find(opening), text.size());
    if (begin != 0) {
      made.parts_.push_back(
          {.kind = Part::Kind::literal, .text = std::string(text.substr(0, begin))});
      text.remove_prefix(begin);
      continue;
    }
    const std::size_t end = text.find(closing);
    if (end == text.npos)
      return fail(fmt::format("'{}' is not closed with '}}}}'", text.substr(0, 20)));
    auto part = placeholder(trimmed(text.substr(opening.size(), end - opening.size())));
    if (!part) return tl::unexpected(part.error());
    made.parts_.push_back(std::move(*part));
    text.remove_prefix(end + closing.size());
  }
  return made;
}

Result<Template::Part> Template::placeholder(std::string_view words) {
  const std::string_view name = words.substr(0, words.find(' '));
  const std::string_view rest = trimmed(words.substr(name.size()));
  if (name == "number") {
    const std::size_t dots = rest.find("..");
    const auto min = config::parse_count(rest.substr(0, dots));
    const auto max = config::parse_count(dots == rest.npos ? "" : rest.substr(dots + 2));
    if (!min || !max || *min > *max) {
      return fail(fmt::format("'{{{{{}}}}}' is not a range such as {{{{number 1..100}}}}", words));
    }
    return Part{.kind = Part::Kind::number, .min = *min, .max = *max};
  }
  const auto known = std::find(names.begin(), names.end(), name);
  if (known == names.end() || !rest.empty()) {
    const std::string nearest = config::suggestion_for(name, names);
    return fail(fmt::format(
        "'{{{{{}}}}}' is no placeholder; {}", words,
        nearest.empty() ? fmt::format("there are: {}", fmt::join(names, ", ")) : nearest));
  }
  if (name == "card") return Part{.kind = Part::Kind::card};
  if (name == "email") return Part{.kind = Part::Kind::email};
  if (name == "uuid") return Part{.kind = Part::Kind::uuid};
  return Part{.kind = Part::Kind::identity};
}

void Template::render(Random& random, std::string_view identity, std::string& out) const {
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Part::Kind::literal:
        out += part.text;
        break;
      case Part::Kind::card:
        append_card(random, out);
        break;
      case Part::Kind::email:
        append_email(random, out);
        break;
      case Part::Kind::uuid:
        append_uuid(random, out);
        break;
      case Part::Kind::number:
        fmt::format_to(std::back_inserter(out), "{}", random.between(part.min, part.max));
        break;
      case Part::Kind::identity:
        out += identity;
        break;
    }
  }
}

bool Template::is_constant() const noexcept {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.kind == Part::Kind::literal; });
}

bool Template::uses_identity() const noexcept {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.kind == Part::Kind::identity; });
}

}  // namespace sluice::load
