#include "parsers/http1/fields.h"

#include <array>
#include <cstring>

#include "parsers/http1/scan.h"

namespace sluice::http1 {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

struct KnownName {
  std::string_view text;  ///< In lower case.
  FieldName id = FieldName::other;
};

constexpr KnownName known_names[] = {
    {"authorization", FieldName::authorization},
    {"connection", FieldName::connection},
    {"content-encoding", FieldName::content_encoding},
    {"content-length", FieldName::content_length},
    {"content-type", FieldName::content_type},
    {"expect", FieldName::expect},
    {"forwarded", FieldName::forwarded},
    {"host", FieldName::host},
    {"keep-alive", FieldName::keep_alive},
    {"proxy-authenticate", FieldName::proxy_authenticate},
    {"proxy-authorization", FieldName::proxy_authorization},
    {"proxy-connection", FieldName::proxy_connection},
    {"te", FieldName::te},
    {"trailer", FieldName::trailer},
    {"transfer-encoding", FieldName::transfer_encoding},
    {"upgrade", FieldName::upgrade},
    {"via", FieldName::via},
    {"x-api-key", FieldName::x_api_key},
    {"x-forwarded-for", FieldName::x_forwarded_for},
    {"x-forwarded-host", FieldName::x_forwarded_host},
    {"x-forwarded-proto", FieldName::x_forwarded_proto},
};

// A perfect hash over length, first, middle and last letter, so that the usual
// unknown name costs one look-up and one comparison of lengths.
constexpr std::size_t slots = 128;

constexpr std::size_t slot_of(std::string_view name, std::size_t a, std::size_t b,
                              std::size_t c) noexcept {
  const auto letter = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[i]) | 0x20U);
  };
  return (name.size() + a * letter(0) + b * letter(name.size() / 2) + c * letter(name.size() - 1)) %
         slots;
}

struct HashFactors {
  std::size_t a = 0;
  std::size_t b = 0;
  std::size_t c = 0;
};

consteval HashFactors find_factors() {
  for (std::size_t a = 1; a < 32; ++a) {
    for (std::size_t b = 0; b < 8; ++b) {
      for (std::size_t c = 0; c < 8; ++c) {
        std::array<bool, slots> taken{};
        bool collides = false;
        for (const KnownName& known : known_names) {
          bool& slot = taken[slot_of(known.text, a, b, c)];
          collides = collides || slot;
          slot = true;
        }
        if (!collides) return {a, b, c};
      }
    }
  }
  return {};
}
constexpr HashFactors factors = find_factors();
static_assert(factors.a != 0, "no perfect hash for the known names: widen `slots`");

constexpr std::size_t name_bytes_max = 24;

struct Slot {
  FieldName id = FieldName::other;
  std::uint8_t size = 0;
  std::array<char, name_bytes_max> text{};
  std::array<char, name_bytes_max> fold{};  ///< 0x20 where `text` is a letter: folds its case.
};

consteval std::array<Slot, slots> make_slots() {
  std::array<Slot, slots> table{};
  for (const KnownName& known : known_names) {
    Slot& slot = table[slot_of(known.text, factors.a, factors.b, factors.c)];
    slot.id = known.id;
    slot.size = static_cast<std::uint8_t>(known.text.size());
    for (std::size_t i = 0; i < known.text.size(); ++i) {
      slot.text[i] = known.text[i];
      slot.fold[i] = known.text[i] >= 'a' && known.text[i] <= 'z' ? '\x20' : '\0';
    }
  }
  return table;
}
constexpr std::array<Slot, slots> table = make_slots();

template <class Word>
bool equal_word(const char* name, const Slot& slot, std::size_t at) noexcept {
  Word sent = 0;
  Word text = 0;
  Word fold = 0;
  std::memcpy(&sent, name + at, sizeof(Word));
  std::memcpy(&text, slot.text.data() + at, sizeof(Word));
  std::memcpy(&fold, slot.fold.data() + at, sizeof(Word));
  return (sent | fold) == text;
}

/// Both have slot.size bytes. Overlapping words, so nothing behind the name is read.
bool equal_folded(const char* name, const Slot& slot) noexcept {
  const std::size_t size = slot.size;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (!equal_word<std::uint64_t>(name, slot, at)) return false;
    }
    return equal_word<std::uint64_t>(name, slot, size - 8);
  }
  if (size >= 4) {
    return equal_word<std::uint32_t>(name, slot, 0) &&
           equal_word<std::uint32_t>(name, slot, size - 4);
  }
  return equal_word<std::uint16_t>(name, slot, 0) &&
         equal_word<std::uint16_t>(name, slot, size - 2);
}

constexpr std::string_view fixed_role_names[] = {
    "age",           "allow",        "cache-control",
    "content-range", "cookie",       "date",
    "expires",       "if-match",     "if-modified-since",
    "if-none-match", "if-range",     "if-unmodified-since",
    "location",      "max-forwards", "pragma",
    "range",         "retry-after",  "set-cookie",
    "vary",          "warning",      "www-authenticate",
};

constexpr bool is_whitespace(char c) noexcept {
  return c == ' ' || c == '\t';
}

}  // namespace

FieldName field_name_of(std::string_view name) noexcept {
  if (name.empty()) return FieldName::other;
  const Slot& slot = table[slot_of(name, factors.a, factors.b, factors.c)];
  if (slot.size != name.size()) return FieldName::other;
  return equal_folded(name.data(), slot) ? slot.id : FieldName::other;
}

Method method_of(std::string_view text) noexcept {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      if (text == "TRACE") return Method::trace;
      break;
    case 6:
      if (text == "DELETE") return Method::delete_;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      if (text == "CONNECT") return Method::connect;
      break;
    default:
      break;
  }
  return Method::other;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool is_token(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return !text.empty() && scan::end_of_run<scan::Token>(text.data(), text.data(), end) == end;
}

bool next_list_element(std::string_view& list, std::string_view& element) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view found = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!found.empty() && is_whitespace(found.front())) found.remove_prefix(1);
    while (!found.empty() && is_whitespace(found.back())) found.remove_suffix(1);
    if (!found.empty()) {
      element = found;
      return true;
    }
  }
  return false;
}

bool is_always_hop_by_hop(FieldName name) noexcept {
  switch (name) {
    case FieldName::connection:
    case FieldName::keep_alive:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::proxy_connection:
    case FieldName::te:
    case FieldName::trailer:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
      return true;
    default:
      return false;
  }
}

bool has_fixed_role(std::string_view name) noexcept {
  if (field_name_of(name) != FieldName::other) return true;
  for (const std::string_view fixed : fixed_role_names) {
    if (equal_ignoring_case(name, fixed)) return true;
  }
  return false;
}

}  // namespace sluice::http1
