// IBANs (ISO 13616) and US social security numbers.
#include <algorithm>
#include <array>

#include "matcher/builtin_finders.h"
#include "matcher/candidates.h"

namespace sluice::matcher {
namespace {

struct CountryLength {
  char code[3];
  std::uint8_t length;
};

// From the IBAN registry, and countries that use its form without being in it.
constexpr std::array country_lengths = std::to_array<CountryLength>({
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AO", 25}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16},
    {"BF", 28}, {"BG", 22}, {"BH", 22}, {"BI", 27}, {"BJ", 28}, {"BR", 29}, {"BY", 28}, {"CF", 27},
    {"CG", 27}, {"CH", 21}, {"CI", 28}, {"CM", 27}, {"CR", 22}, {"CV", 25}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"DZ", 26}, {"EE", 20}, {"EG", 29}, {"ES", 24},
    {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GA", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23},
    {"GL", 18}, {"GQ", 27}, {"GR", 27}, {"GT", 28}, {"GW", 25}, {"HN", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IR", 26}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KM", 27},
    {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21},
    {"LY", 25}, {"MA", 28}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MG", 27}, {"MK", 19}, {"ML", 28},
    {"MN", 20}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"MZ", 25}, {"NE", 28}, {"NI", 28}, {"NL", 18},
    {"NO", 15}, {"OM", 23}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24},
    {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24},
    {"SM", 27}, {"SN", 28}, {"SO", 23}, {"ST", 25}, {"SV", 28}, {"TD", 27}, {"TG", 28}, {"TL", 23},
    {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30},
});

constexpr std::array<std::uint8_t, 26 * 26> length_by_code = [] {
  std::array<std::uint8_t, 26 * 26> table{};
  for (const CountryLength& country : country_lengths) {
    const auto index =
        static_cast<std::size_t>((country.code[0] - 'A') * 26 + country.code[1] - 'A');
    table[index] = country.length;
  }
  return table;
}();

std::uint8_t upper_of(std::uint8_t byte) noexcept {
  return is_in(byte, byte_class::lower) ? static_cast<std::uint8_t>(byte - 32) : byte;
}

/// ISO 7064 MOD 97-10, fed one character at a time.
std::uint32_t mod97_add(std::uint32_t rest, std::uint8_t character) noexcept {
  if (is_digit(character)) return (rest * 10 + character - '0') % 97;
  return (rest * 100 + character - 'A' + 10U) % 97;
}

/// Reads `length` characters, in groups of four if `is_grouped`. Gives the end.
std::optional<std::size_t> read_iban(const Window& window, std::size_t start, std::size_t length,
                                     bool is_grouped) noexcept {
  std::array<std::uint8_t, 34> characters;
  std::size_t at = start;
  for (std::size_t i = 0; i < length; ++i) {
    if (is_grouped && i > 0 && i % 4 == 0) {
      if (!window.is_at(at, ' ')) return std::nullopt;
      ++at;
    }
    if (!window.has_at(at, byte_class::alnum)) return std::nullopt;
    characters[i] = upper_of(window.bytes[at++]);
  }
  if (window.has_at(at, byte_class::alnum)) return std::nullopt;
  std::uint32_t rest = 0;
  for (std::size_t i = 4; i < length; ++i) rest = mod97_add(rest, characters[i]);
  for (std::size_t i = 0; i < 4; ++i) rest = mod97_add(rest, characters[i]);
  if (rest != 1) return std::nullopt;
  return at;
}

}  // namespace

std::optional<std::size_t> iban_at(const Window& window, std::size_t start) noexcept {
  if (start + 15 > window.size) return std::nullopt;
  const std::uint8_t* bytes = window.bytes + start;
  if (!is_in(bytes[0], byte_class::letter) || !is_in(bytes[1], byte_class::letter) ||
      !is_digit(bytes[2]) || !is_digit(bytes[3])) {
    return std::nullopt;
  }
  const auto code =
      static_cast<std::size_t>((upper_of(bytes[0]) - 'A') * 26 + upper_of(bytes[1]) - 'A');
  const std::size_t length = length_by_code[code];
  if (length == 0) return std::nullopt;
  return read_iban(window, start, length, bytes[4] == ' ');
}

void find_ibans(const Window& window, MatchTable& out) noexcept {
  const auto ask = [](const std::uint8_t* block) {
    const Lanes first = Lanes::load(block);
    const Lanes code = first.is_letter() & Lanes::load(block + 1).is_letter();
    const Lanes check = Lanes::load(block + 2).is_digit() & Lanes::load(block + 3).is_digit();
    return Candidates{(code & check).bits(), first.is_alnum().bits()};
  };
  visit_candidates(window, byte_class::alnum, ask, [&](std::size_t at) {
    if (const auto end = iban_at(window, at)) out.add(at, *end);
  });
}

std::optional<std::size_t> us_ssn_at(const Window& window, std::size_t start) noexcept {
  constexpr std::size_t length = 11;
  if (start + length > window.size) return std::nullopt;
  const std::uint8_t* bytes = window.bytes + start;
  const std::uint8_t separator = bytes[3];
  if ((separator != '-' && separator != ' ') || bytes[6] != separator) return std::nullopt;
  for (const std::size_t i : {0U, 1U, 2U, 4U, 5U, 7U, 8U, 9U, 10U}) {
    if (!is_digit(bytes[i])) return std::nullopt;
  }
  if (window.has_at(start + length, byte_class::digit)) return std::nullopt;
  const auto starts_with = [bytes](std::size_t at, std::string_view digits) {
    return std::equal(digits.begin(), digits.end(), bytes + at,
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  };
  // Never issued: area 000, 666 and 900-999, group 00, serial 0000.
  const bool is_unissued = starts_with(0, "000") || starts_with(0, "666") || bytes[0] == '9' ||
                           starts_with(4, "00") || starts_with(7, "0000");
  if (is_unissued) return std::nullopt;
  return start + length;
}

void find_us_ssns(const Window& window, MatchTable& out) noexcept {
  const auto ask = [](const std::uint8_t* block) {
    const auto separators = [block](int at) {
      const Lanes bytes = Lanes::load(block + at);
      return bytes.is('-') | bytes.is(' ');
    };
    const Lanes digits = Lanes::load(block).is_digit();
    return Candidates{(digits & separators(3) & separators(6)).bits(), digits.bits()};
  };
  visit_candidates(window, byte_class::digit, ask, [&](std::size_t at) {
    if (const auto end = us_ssn_at(window, at)) out.add(at, *end);
  });
}

}  // namespace sluice::matcher
