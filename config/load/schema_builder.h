// Makes the entries of the key table (schema.cc) from pointers to members, so
// that a key and the type of its field cannot drift apart.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/load/schema.h"

namespace sluice::config::schema {

// Ways from a struct to a field, made from pointers to members at compile time.

template <class Pointer>
struct MemberOf;
template <class Owner_, class Type_>
struct MemberOf<Type_ Owner_::*> {
  using Owner = Owner_;
  using Type = Type_;
};

template <auto Member>
using OwnerOf = typename MemberOf<decltype(Member)>::Owner;
template <auto Member>
using TypeOf = typename MemberOf<decltype(Member)>::Type;

template <auto Member>
TypeOf<Member>& at(void* owner) {
  return static_cast<OwnerOf<Member>*>(owner)->*Member;
}

template <auto Member>
std::uint64_t get_number(const void* owner) {
  const auto& value = static_cast<const OwnerOf<Member>*>(owner)->*Member;
  if constexpr (std::is_same_v<TypeOf<Member>, Duration>) {
    return static_cast<std::uint64_t>(value.ns);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

template <auto Member>
void set_number(void* owner, std::uint64_t number) {
  if constexpr (std::is_same_v<TypeOf<Member>, Duration>) {
    at<Member>(owner) = Duration{static_cast<std::int64_t>(number)};
  } else {
    at<Member>(owner) = static_cast<TypeOf<Member>>(number);
  }
}

template <class Type>
struct Opened {
  static void* value(Type& field) { return &field; }
};
template <class Type>
struct Opened<std::optional<Type>> {
  static void* value(std::optional<Type>& field) { return &field.emplace(); }
};

template <auto Member>
void* open_value(void* owner) {
  return Opened<TypeOf<Member>>::value(at<Member>(owner));
}
template <auto Member>
void* append_item(void* owner) {
  return &at<Member>(owner).emplace_back();
}
template <auto Member>
void reserve_items(void* owner, std::size_t count) {
  at<Member>(owner).reserve(count);
}
/// A section of the file that is no struct of its own.
inline void* same_owner(void* owner) {
  return owner;
}

template <class Type>
inline constexpr bool is_optional = false;
template <class Type>
inline constexpr bool is_optional<std::optional<Type>> = true;

template <class Type>
struct Bare {
  using type = Type;
};
template <class Type>
struct Bare<std::optional<Type>> {
  using type = Type;
};

inline constexpr bool required = true;
inline constexpr bool not_required = false;

template <auto Member>
constexpr Field number(std::string_view key, Field::Kind kind, std::uint64_t min, std::uint64_t max,
                       std::string_view sentence) {
  return {.key = key,
          .kind = kind,
          .sentence = sentence,
          .get = get_number<Member>,
          .set = set_number<Member>,
          .open = open_value<Member>,
          .min = min,
          .max = max};
}
template <auto Member>
constexpr Field count(std::string_view key, std::uint64_t min, std::uint64_t max,
                      std::string_view sentence) {
  static_assert(std::is_unsigned_v<TypeOf<Member>>);
  return number<Member>(key, Field::Kind::count, min, max, sentence);
}
template <auto Member>
constexpr Field size(std::string_view key, std::uint64_t min, std::uint64_t max,
                     std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, std::uint64_t>);
  return number<Member>(key, Field::Kind::size, min, max, sentence);
}
template <auto Member>
constexpr Field duration(std::string_view key, Duration min, Duration max,
                         std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, Duration>);
  return number<Member>(key, Field::Kind::duration, static_cast<std::uint64_t>(min.ns),
                        static_cast<std::uint64_t>(max.ns), sentence);
}
template <auto Member>
constexpr Field flag(std::string_view key, std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, bool>);
  return number<Member>(key, Field::Kind::flag, 0, 1, sentence);
}
template <auto Member>
constexpr Field choice(std::string_view key, std::span<const Choice> choices, bool is_required,
                       std::string_view sentence) {
  static_assert(std::is_enum_v<TypeOf<Member>>);
  Field field = number<Member>(key, Field::Kind::choice, 0, 0, sentence);
  field.choices = choices;
  field.is_required = is_required;
  return field;
}

template <auto Member>
constexpr Field value(std::string_view key, Field::Kind kind, bool is_required,
                      std::string_view sentence) {
  return {.key = key,
          .kind = kind,
          .is_required = is_required,
          .sentence = sentence,
          .open = open_value<Member>,
          .is_optional = is_optional<TypeOf<Member>>};
}
template <auto Member>
constexpr Field text(std::string_view key, Word word, bool is_required, std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, std::string>);
  Field field = value<Member>(key, Field::Kind::text, is_required, sentence);
  field.word = word;
  return field;
}
template <auto Member>
constexpr Field file(std::string_view key, bool is_required, std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, std::string>);
  return value<Member>(key, Field::Kind::file, is_required, sentence);
}
template <auto Member>
constexpr Field file_text(std::string_view key, bool is_required, std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, FileText>);
  return value<Member>(key, Field::Kind::file_text, is_required, sentence);
}
template <auto Member>
constexpr Field signing_key(std::string_view key, bool is_required, std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, SigningKey>);
  return value<Member>(key, Field::Kind::signing_key, is_required, sentence);
}
template <auto Member>
constexpr Field secret(std::string_view key, bool is_required, std::string_view sentence) {
  static_assert(std::is_same_v<typename Bare<TypeOf<Member>>::type, Secret>);
  return value<Member>(key, Field::Kind::secret, is_required, sentence);
}
template <auto Member>
constexpr Field listen_address(std::string_view key, bool is_required, std::string_view sentence) {
  static_assert(std::is_same_v<typename Bare<TypeOf<Member>>::type, SocketAddress>);
  return value<Member>(key, Field::Kind::listen_address, is_required, sentence);
}
template <auto Member>
constexpr Field rate(std::string_view key, std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, Rate>);
  return value<Member>(key, Field::Kind::rate, not_required, sentence);
}
template <auto Member>
constexpr Field texts(std::string_view key, Word word, std::size_t items_max,
                      std::string_view sentence) {
  static_assert(std::is_same_v<TypeOf<Member>, std::vector<std::string>>);
  Field field = value<Member>(key, Field::Kind::texts, not_required, sentence);
  field.word = word;
  field.items_max = items_max;
  return field;
}
/// A list that must be there.
constexpr Field needed(Field list) {
  list.is_required = required;
  return list;
}
template <auto Member>
constexpr Field section(std::string_view key, const Table& table, bool is_required,
                        std::string_view sentence) {
  Field field = value<Member>(key, Field::Kind::section, is_required, sentence);
  field.table = &table;
  return field;
}
/// word  the one choice that may stand for the section.
template <auto Member>
constexpr Field word_or_section(std::string_view key, std::span<const Choice, 1> word,
                                const Table& table, std::string_view sentence) {
  Field field = section<Member>(key, table, not_required, sentence);
  field.kind = Field::Kind::word_or_section;
  field.choices = word;
  return field;
}
template <auto Member>
constexpr Field sections(std::string_view key, const Table& table, std::size_t items_max,
                         bool is_required, std::string_view sentence) {
  Field field = value<Member>(key, Field::Kind::sections, is_required, sentence);
  field.open = append_item<Member>;
  field.reserve = reserve_items<Member>;
  field.table = &table;
  field.items_max = items_max;
  return field;
}
constexpr Field part(std::string_view key, const Table& table, std::string_view sentence) {
  return {.key = key,
          .kind = Field::Kind::section,
          .sentence = sentence,
          .open = same_owner,
          .table = &table};
}
constexpr Field later(std::string_view key, std::string_view sentence) {
  return {.key = key, .kind = Field::Kind::later, .sentence = sentence};
}

template <class Owner>
void* make_owner() {
  static Owner owner;
  return &owner;
}
template <class Owner>
Place* place_in(void* owner) {
  return &static_cast<Owner*>(owner)->place;
}

template <class Enum>
constexpr Choice word_for(std::string_view word, Enum value, std::string_view sentence) {
  return {word, static_cast<std::uint64_t>(value), sentence};
}

}  // namespace sluice::config::schema
