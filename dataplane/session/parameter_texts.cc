#include "dataplane/session/parameter_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/text_codec.h"
#include "dataplane/session/postgres_values.h"

namespace sluice::dataplane {

using postgres::Format;
using postgres::Oid;

namespace {

/// Arrays of rows of arrays …; what lies deeper is seen as bytes.
constexpr int nesting_max = 4;

// Types as pg_type.dat of PostgreSQL numbers them.
constexpr Oid type_bool = 16;
constexpr Oid type_bytea = 17;
constexpr Oid type_date = 1082;
constexpr Oid type_timestamp = 1114;
constexpr Oid type_timestamptz = 1184;
constexpr Oid type_jsonb = 3802;
constexpr Oid type_uuid = 2950;
constexpr Oid type_numeric = 1700;
/// name, text, unknown, bpchar, varchar, xml, json: binary is the same as text.
constexpr auto textual = std::to_array<Oid>({19, 25, 705, 1042, 1043, 142, 114});
/// int2, int4, int8, and inet, cidr, float4, float8.
constexpr auto integers = std::to_array<Oid>({21, 23, 20});
constexpr auto addresses = std::to_array<Oid>({869, 650});
constexpr auto floats = std::to_array<Oid>({700, 701});

bool is_one_of(std::span<const Oid> types, Oid type) noexcept {
  return std::ranges::find(types, type) != types.end();
}

std::uint64_t number_at(ByteView bytes, std::size_t at, std::size_t size) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | bytes[at + i];
  return number;
}

std::uint32_t u32_at(ByteView bytes, std::size_t at) noexcept {
  return static_cast<std::uint32_t>(number_at(bytes, at, 4));
}

std::optional<std::int64_t> integer_of(ByteView value) noexcept {
  switch (value.size()) {
    case 2:
      return static_cast<std::int16_t>(number_at(value, 0, 2));
    case 4:
      return static_cast<std::int32_t>(number_at(value, 0, 4));
    case 8:
      return static_cast<std::int64_t>(number_at(value, 0, 8));
    default:
      return std::nullopt;
  }
}

template <class Float, class Bits>
Float float_of(Bits bits) noexcept {
  Float number{};
  static_assert(sizeof number == sizeof bits);
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

/// Days since 2000-01-01, in the proleptic Gregorian calendar (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
std::string date_text(std::int64_t days) {
  const std::int64_t z = days + 10'957 + 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t day_of_era = z - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const std::int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

/// Microseconds since 2000-01-01; with a zone, in UTC.
std::string timestamp_text(std::int64_t us) {
  constexpr std::int64_t second_us = 1'000'000;
  constexpr std::int64_t day_us = 86'400 * second_us;
  const std::int64_t days = us / day_us - (us % day_us < 0 ? 1 : 0);
  const std::int64_t within = us - days * day_us;
  const std::int64_t seconds = within / second_us;
  std::string text = fmt::format("{} {:02}:{:02}:{:02}", date_text(days), seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);
  if (const std::int64_t rest = within % second_us; rest != 0) text += fmt::format(".{:06}", rest);
  return text;
}

std::string uuid_text(ByteView value) {
  std::string text = to_hex(value);
  for (const std::size_t at : {std::size_t{20}, std::size_t{16}, std::size_t{12}, std::size_t{8}}) {
    text.insert(at, 1, '-');
  }
  return text;
}

}  // namespace

void ParameterTexts::visit(Oid type, Format format, ByteView value, const Visit& visit) {
  if (format == Format::binary) {
    return type == 0 ? visit_each_reading(value, 0, visit) : visit_binary(type, value, 0, visit);
  }
  visit(value);
  // bytea as text shows its bytes in hexadecimal.
  if ((type == 0 || type == type_bytea) && as_text(value).starts_with("\\x")) {
    const auto bytes = from_hex(as_text(value.subspan(2)));
    if (bytes) show(std::string(as_text(*bytes)), visit);
  }
}

void ParameterTexts::visit_binary(Oid type, ByteView value, int depth, const Visit& visit) {
  if (is_one_of(textual, type)) return visit(value);
  if (type == type_jsonb && !value.empty()) return visit(value.subspan(1));  // behind its version
  if (type == type_bytea) {
    visit(value);
    return show(fmt::format("\\x{}", to_hex(value)), visit);
  }
  if (type == type_bool && value.size() == 1) return show(value[0] == 0 ? "false" : "true", visit);
  if (type == type_uuid && value.size() == 16) return show(uuid_text(value), visit);
  if (type == type_numeric) return show(numeric_text(value), visit);
  if (is_one_of(addresses, type)) return show(address_text(value), visit);
  const auto integer = integer_of(value);
  if (integer && is_one_of(integers, type)) return show(fmt::format("{}", *integer), visit);
  if (integer && type == type_date) return show(date_text(*integer), visit);
  if (integer && (type == type_timestamp || type == type_timestamptz)) {
    return show(timestamp_text(*integer), visit);
  }
  if (is_one_of(floats, type) && value.size() == 4) {
    return show(fmt::format("{}", float_of<float>(u32_at(value, 0))), visit);
  }
  if (is_one_of(floats, type) && value.size() == 8) {
    const auto number = float_of<double>(number_at(value, 0, 8));
    show(fmt::format("{:.0f}", number), visit);
    return show(fmt::format("{}", number), visit);
  }
  visit_each_reading(value, depth, visit);
}

/// Of a type that nobody named, or that users made.
void ParameterTexts::visit_each_reading(ByteView value, int depth, const Visit& visit) {
  visit_binary(type_bytea, value, depth, visit);
  if (const auto integer = integer_of(value)) {
    show(fmt::format("{}", *integer), visit);
    if (value.size() == 4) show(date_text(*integer), visit);
    if (value.size() == 8) show(timestamp_text(*integer), visit);
  }
  if (value.size() == 1) visit_binary(type_bool, value, depth, visit);
  if (value.size() == 16) visit_binary(type_uuid, value, depth, visit);
  if (value.size() == 4 || value.size() == 8)
    visit_binary(floats[value.size() / 8], value, depth, visit);
  visit_binary(type_numeric, value, depth, visit);
  visit_binary(addresses[0], value, depth, visit);
  if (!value.empty()) visit_binary(type_jsonb, value, depth, visit);
  if (depth < nesting_max && !visit_array(value, depth, visit)) visit_row(value, depth, visit);
}

/// Dimensions, flags, the elements' type, size and bound of each dimension, the elements.
bool ParameterTexts::visit_array(ByteView value, int depth, const Visit& visit) {
  if (value.size() < 12 || u32_at(value, 0) > 6 || u32_at(value, 4) > 1) return false;
  const Oid type = u32_at(value, 8);
  std::size_t at = 12 + 8 * std::size_t{u32_at(value, 0)};
  while (value.size() >= at + 4) {
    const auto size = static_cast<std::int32_t>(u32_at(value, at));
    at += 4;
    if (size < 0) continue;
    if (value.size() - at < static_cast<std::size_t>(size)) return false;
    visit_binary(type, value.subspan(at, static_cast<std::size_t>(size)), depth + 1, visit);
    at += static_cast<std::size_t>(size);
  }
  return at == value.size();
}

/// How many fields; of each its type and value.
bool ParameterTexts::visit_row(ByteView value, int depth, const Visit& visit) {
  std::size_t at = 4;
  while (value.size() >= at + 8) {
    const Oid type = u32_at(value, at);
    const auto size = static_cast<std::int32_t>(u32_at(value, at + 4));
    at += 8;
    if (size < 0) continue;
    if (value.size() - at < static_cast<std::size_t>(size)) return false;
    visit_binary(type, value.subspan(at, static_cast<std::size_t>(size)), depth + 1, visit);
    at += static_cast<std::size_t>(size);
  }
  return at == value.size();
}

void ParameterTexts::show(std::string text, const Visit& visit) {
  if (text.empty()) return;
  const std::size_t size = text.size();
  room_ = std::move(text);
  room_.resize(size + readable_tail_bytes);
  visit(as_bytes(room_).first(size));
}

}  // namespace sluice::dataplane
