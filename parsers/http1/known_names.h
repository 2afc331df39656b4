// The perfect hash behind field_name_of, inlined into the one loop that runs per field.
//
// Internal to parsers/http1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

#include "parsers/http1/message.h"

namespace sluice::http1 {
namespace known {

struct KnownName {
  std::string_view text;  ///< In lower case.
  FieldName id = FieldName::other;
};

inline constexpr KnownName known_names[] = {
    {"accept-encoding", FieldName::accept_encoding},
    {"accept-ranges", FieldName::accept_ranges},
    {"authorization", FieldName::authorization},
    {"connection", FieldName::connection},
    {"content-digest", FieldName::content_digest},
    {"content-encoding", FieldName::content_encoding},
    {"content-length", FieldName::content_length},
    {"content-md5", FieldName::content_md5},
    {"content-type", FieldName::content_type},
    {"date", FieldName::date},
    {"digest", FieldName::digest},
    {"dpop", FieldName::dpop},
    {"expect", FieldName::expect},
    {"forwarded", FieldName::forwarded},
    {"host", FieldName::host},
    {"if-range", FieldName::if_range},
    {"keep-alive", FieldName::keep_alive},
    {"proxy-authenticate", FieldName::proxy_authenticate},
    {"proxy-authorization", FieldName::proxy_authorization},
    {"proxy-connection", FieldName::proxy_connection},
    {"range", FieldName::range},
    {"repr-digest", FieldName::repr_digest},
    {"sluice-request", FieldName::sluice_request},
    {"te", FieldName::te},
    {"trailer", FieldName::trailer},
    {"transfer-encoding", FieldName::transfer_encoding},
    {"upgrade", FieldName::upgrade},
    {"via", FieldName::via},
    {"x-api-key", FieldName::x_api_key},
    {"x-forwarded-for", FieldName::x_forwarded_for},
    {"x-forwarded-host", FieldName::x_forwarded_host},
    {"x-forwarded-proto", FieldName::x_forwarded_proto},
    {"x-http-method", FieldName::overriding},
    {"x-http-method-override", FieldName::overriding},
    {"x-method-override", FieldName::overriding},
    {"x-original-url", FieldName::overriding},
    {"x-real-ip", FieldName::x_real_ip},
    {"x-rewrite-url", FieldName::overriding},
};

// A perfect hash over length, first and last letter, so that the usual unknown
// name costs one look-up and one comparison of lengths.
inline constexpr std::size_t slots = 128;

constexpr std::size_t slot_of(std::string_view name, std::size_t a, std::size_t b) noexcept {
  const auto letter = [](char c) {
    return static_cast<std::size_t>(static_cast<unsigned char>(c) | 0x20U);
  };
  return (name.size() + a * letter(name.front()) + b * letter(name.back())) % slots;
}

struct HashFactors {
  std::size_t a = 0;
  std::size_t b = 0;
};

consteval HashFactors find_factors() {
  for (std::size_t a = 1; a < slots; ++a) {
    for (std::size_t b = 0; b < slots; ++b) {
      std::array<bool, slots> taken{};
      bool collides = false;
      for (const KnownName& known : known_names) {
        bool& slot = taken[slot_of(known.text, a, b)];
        collides = collides || slot;
        slot = true;
      }
      if (!collides) return {a, b};
    }
  }
  return {};
}
inline constexpr HashFactors factors = find_factors();
static_assert(factors.a != 0, "no perfect hash for the known names: widen `slots`");

inline constexpr std::size_t name_bytes_max = 24;

struct Entry {
  FieldName id = FieldName::other;
  std::uint8_t size = 0;
  std::array<char, name_bytes_max> text{};
  std::array<char, name_bytes_max> fold{};  ///< 0x20 where `text` is a letter: folds its case.
};

/// The known names, behind an entry that no name is equal to.
struct Table {
  std::array<std::uint8_t, slots> entry_of_slot{};
  std::array<Entry, std::size(known_names) + 1> entries{};
};

consteval Table make_table() {
  Table table;
  std::uint8_t at = 0;
  for (const KnownName& known : known_names) {
    table.entry_of_slot[slot_of(known.text, factors.a, factors.b)] = ++at;
    Entry& entry = table.entries[at];
    entry.id = known.id;
    entry.size = static_cast<std::uint8_t>(known.text.size());
    for (std::size_t i = 0; i < known.text.size(); ++i) {
      entry.text[i] = known.text[i];
      entry.fold[i] = known.text[i] >= 'a' && known.text[i] <= 'z' ? '\x20' : '\0';
    }
  }
  return table;
}
inline constexpr Table table = make_table();

template <class Word>
bool equal_word(const char* name, const Entry& entry, std::size_t at) noexcept {
  Word sent = 0;
  Word text = 0;
  Word fold = 0;
  std::memcpy(&sent, name + at, sizeof(Word));
  std::memcpy(&text, entry.text.data() + at, sizeof(Word));
  std::memcpy(&fold, entry.fold.data() + at, sizeof(Word));
  return (sent | fold) == text;
}

/// `name` has entry.size bytes. Overlapping words, so nothing behind the name is read.
inline bool equal_folded(const char* name, const Entry& entry) noexcept {
  const std::size_t size = entry.size;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (!equal_word<std::uint64_t>(name, entry, at)) return false;
    }
    return equal_word<std::uint64_t>(name, entry, size - 8);
  }
  if (size >= 4) {
    return equal_word<std::uint32_t>(name, entry, 0) &&
           equal_word<std::uint32_t>(name, entry, size - 4);
  }
  return equal_word<std::uint16_t>(name, entry, 0) &&
         equal_word<std::uint16_t>(name, entry, size - 2);
}

/// `name`, which has entry.size bytes, differs from the entry's only by '_' for '-'.
inline bool is_disguised(std::string_view name, const Entry& entry) noexcept {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] == '_' ? '-' : name[i];
    if ((c | entry.fold[i]) != entry.text[i]) return false;
  }
  return true;
}

}  // namespace known

/// The id of a name that is not empty.
inline FieldName known_name(std::string_view name) noexcept {
  const std::size_t slot = known::slot_of(name, known::factors.a, known::factors.b);
  const known::Entry& entry = known::table.entries[known::table.entry_of_slot[slot]];
  if (entry.size != name.size()) return FieldName::other;
  if (known::equal_folded(name.data(), entry)) return entry.id;
  // '_' within a name changes nothing of what the slot depends on.
  return known::is_disguised(name, entry) ? FieldName::disguised : FieldName::other;
}

}  // namespace sluice::http1
