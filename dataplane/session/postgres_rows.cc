#include "dataplane/session/postgres_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "dataplane/session/postgres_values.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {

using matcher::BodyKind;
using postgres::Format;
using postgres::Oid;

namespace {

constexpr std::string_view redacted = "[redacted]";
/// Arrays of rows of arrays …; deeper ones are not shown.
constexpr int nesting_max = 4;

// Types as pg_type.dat of PostgreSQL numbers them.
constexpr Oid type_bytea = 17;
constexpr Oid type_int8 = 20;
constexpr Oid type_json = 114;
constexpr Oid type_float8 = 701;
constexpr Oid type_cidr = 650;
constexpr Oid type_inet = 869;
constexpr Oid type_numeric = 1700;
constexpr Oid type_record = 2249;
constexpr Oid type_jsonb = 3802;
/// name, text, unknown, bpchar, varchar, xml: binary is the same as text.
constexpr auto textual = std::to_array<Oid>({19, 25, 705, 1042, 1043, 142});
/// bool, "char", int2, int4, oid, float4, date, time, timestamp, timestamptz,
/// interval, timetz, uuid, void, tid, xid, cid: nothing fits that a mask could be about.
constexpr auto small = std::to_array<Oid>(
    {16, 18, 21, 23, 26, 700, 1082, 1083, 1114, 1184, 1186, 1266, 2950, 2278, 27, 28, 29});

bool is_one_of(std::span<const Oid> types, Oid type) noexcept {
  return std::ranges::find(types, type) != types.end();
}

std::uint32_t u32_at(ByteView bytes, std::size_t at) noexcept {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

std::uint16_t u16_at(ByteView bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

void put_u32(std::uint8_t* to, std::uint32_t value) noexcept {
  const std::uint32_t in_order = __builtin_bswap32(value);
  std::memcpy(to, &in_order, sizeof in_order);
}

std::uint64_t u64_at(ByteView bytes) noexcept {
  return std::uint64_t{u32_at(bytes, 0)} << 32 | u32_at(bytes, 4);
}

std::optional<std::uint8_t> nibble(std::uint8_t c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

/// Cuts a composite's binary form: each field's type and bytes. False: it is none.
template <class Visit>
bool walk_row(ByteView value, const Visit& visit) {
  if (value.size() < 4) return false;
  const std::uint32_t count = u32_at(value, 0);
  std::size_t at = 4;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (value.size() - at < 8) return false;
    const Oid type = u32_at(value, at);
    const auto size = static_cast<std::int32_t>(u32_at(value, at + 4));
    at += 8;
    if (size < 0) continue;
    if (value.size() - at < static_cast<std::size_t>(size)) return false;
    visit(type, value.subspan(at, static_cast<std::size_t>(size)));
    at += static_cast<std::size_t>(size);
  }
  return at == value.size();
}

/// Likewise of what is a run of lengths and bytes from `at` on: a range's bounds, a
/// multirange's ranges.
template <class Visit>
bool walk_run(ByteView value, std::size_t at, const Visit& visit) {
  if (value.size() < at) return false;
  while (at != value.size()) {
    if (value.size() - at < 4) return false;
    const std::uint32_t size = u32_at(value, at);
    at += 4;
    if (value.size() - at < size) return false;
    visit(Oid{0}, value.subspan(at, size));
    at += size;
  }
  return true;
}

/// One value of a DataRow after the other.
class ValueWalk {
 public:
  explicit ValueWalk(ByteView row) noexcept : row_(row) {
    if (row.size() < at_) return;
    left_ = u16_at(row, postgres::header_bytes);
    is_sound_ = true;
  }
  /// False at the end, or where the row is malformed.
  bool next() noexcept {
    if (left_ == 0 || !is_sound_) return false;
    --left_;
    if (row_.size() - at_ < 4) return is_sound_ = false;
    size_ = u32_at(row_, at_);
    at_ += 4;
    if (size_ == null) return true;
    if (size_ > row_.size() - at_) return is_sound_ = false;
    at_ += size_;
    return true;
  }
  /// The one that next() went to; nothing: NULL.
  [[nodiscard]] std::optional<ByteView> value() const noexcept {
    if (size_ == null) return std::nullopt;
    return row_.subspan(at_ - size_, size_);
  }
  /// Where it ends.
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] bool has_ended_well() const noexcept {
    return is_sound_ && left_ == 0 && at_ == row_.size();
  }

 private:
  static constexpr std::uint32_t null = 0xFFFFFFFF;
  ByteView row_;
  std::size_t at_ = postgres::header_bytes + 2;
  std::uint32_t left_ = 0;
  std::uint32_t size_ = null;
  bool is_sound_ = false;
};

/// Where the next "\\x" with hexadecimal digits has them: how the server shows a bytea,
/// also within arrays, rows, JSON and COPY.
ByteSpan next_hex(ByteSpan text) noexcept {
  const std::string_view in = as_text(text);
  for (std::size_t i = in.find("\\x"); i != in.npos; i = in.find("\\x", i + 1)) {
    std::size_t end = i + 2;
    while (end + 1 < text.size() && nibble(text[end]) && nibble(text[end + 1])) end += 2;
    if (end != i + 2) return text.subspan(i + 2, end - i - 2);
  }
  return {};
}

}  // namespace

void PostgresRows::describe(const postgres::Fields& fields) {
  forget();
  for (const postgres::Field& field : fields) {
    columns_.push_back({reading_of(field.type, field.format), field.type, no_rule, false});
  }
}

void PostgresRows::describe(Oid type, Format format) {
  forget();
  columns_.push_back({reading_of(type, format), type, no_rule, false});
}

PostgresRows::Reading PostgresRows::reading_of(Oid type, Format format) noexcept {
  if (type == type_json) return Reading::json;
  if (format == Format::text) {
    if (type == type_jsonb) return Reading::json;
    return type == type_bytea ? Reading::hex : Reading::text;
  }
  if (is_one_of(textual, type)) return Reading::text;
  if (type == type_bytea) return Reading::raw;
  if (type == type_jsonb) return Reading::jsonb;
  if (is_one_of(small, type)) return Reading::plain;
  const bool is_number = type == type_int8 || type == type_float8 || type == type_numeric ||
                         type == type_inet || type == type_cidr;
  return is_number ? Reading::number : Reading::nested;
}

std::optional<ByteView> PostgresRows::mask(matcher::Scratch& scratch, const RowMasks& masks,
                                           ByteSpan row, std::span<std::uint32_t> counts) {
  std::size_t at = postgres::header_bytes + 2;
  const std::size_t count = u16_at(row, postgres::header_bytes);
  bool is_rewritten = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = at;
    const auto size = static_cast<std::int32_t>(u32_at(row, at));
    at += 4;
    const ByteSpan value = row.subspan(at, size < 0 ? 0 : static_cast<std::size_t>(size));
    at += value.size();
    const Column column = i < columns_.size() ? columns_[i] : Column{};
    const Fate fate = size < 0 ? Fate::null : judge(scratch, masks, column, value, counts);
    if (!is_rewritten) {
      if (fate == Fate::same || size < 0) continue;
      rewritten_.assign(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(begin));
      is_rewritten = true;
    }
    append_value(fate, value);
  }
  if (!is_rewritten) return std::nullopt;
  put_u32(rewritten_.data() + 1, static_cast<std::uint32_t>(rewritten_.size() - 1));
  return rewritten_;
}

/// A value with its length, behind what is written already.
void PostgresRows::append_value(Fate fate, ByteView value) {
  const std::size_t length_at = rewritten_.size();
  rewritten_.resize(length_at + 4);
  const auto append = [this](ByteView bytes) {
    rewritten_.insert(rewritten_.end(), bytes.begin(), bytes.end());
  };
  std::size_t at = 0;
  switch (fate) {
    case Fate::null:
      return put_u32(rewritten_.data() + length_at, 0xFFFFFFFF);
    case Fate::redacted:
      append(as_bytes(redacted));
      break;
    case Fate::same:
      append(value);
      break;
    case Fate::replaced:
      append(replacement_);
      break;
    case Fate::edited:
      for (const matcher::Edit& edit : edits_) {
        append(value.subspan(at, edit.offset - at));
        append(as_bytes(edit.text));
        at = edit.offset + edit.size_bytes;
      }
      append(value.subspan(at));
      break;
  }
  put_u32(rewritten_.data() + length_at,
          static_cast<std::uint32_t>(rewritten_.size() - length_at - 4));
}

PostgresRows::Fate PostgresRows::judge(matcher::Scratch& scratch, const RowMasks& masks,
                                       Column column, ByteSpan value,
                                       std::span<std::uint32_t> counts) {
  if (column.rule != no_rule) return replace(scratch, masks, column, value, counts);
  switch (column.reading) {
    case Reading::text:
      mask_hex(scratch, masks, value, counts);
      return scan(scratch, masks, BodyKind::text, value, counts);
    case Reading::json:
      mask_hex(scratch, masks, value, counts);
      return scan(scratch, masks, BodyKind::json, value, counts);
    case Reading::plain:
      return Fate::same;
    case Reading::raw:
      mask_in_place(scratch, masks, value, counts);
      return Fate::same;
    case Reading::jsonb: {
      if (value.empty()) return Fate::same;
      const std::string_view text = as_text(value.subspan(1));
      return would_mask(scratch, masks, text, counts, BodyKind::json) ? Fate::null : Fate::same;
    }
    case Reading::hex: {
      // bytea_output = escape shows what is printable as it is.
      if (!as_text(value).starts_with("\\x")) {
        return scan(scratch, masks, BodyKind::text, value, counts);
      }
      mask_hex(scratch, masks, value, counts);
      return Fate::same;
    }
    case Reading::number:
      return number_would_mask(scratch, masks, column.type, value, counts) ? Fate::null
                                                                           : Fate::same;
    case Reading::nested:
      return nested_would_mask(scratch, masks, column.type, value, 0, counts) ? Fate::null
                                                                              : Fate::same;
  }
  return Fate::redacted;
}

/// A value that is sensitive because of where it comes from.
PostgresRows::Fate PostgresRows::replace(matcher::Scratch& scratch, const RowMasks& masks,
                                         Column column, ByteView value,
                                         std::span<std::uint32_t> counts) {
  replacement_.resize(value.size() + told_value_growth_max);
  const auto size = write_told(scratch, *masks.program, column, value, replacement_, counts);
  if (!size) return Fate::null;
  replacement_.resize(*size);
  return Fate::replaced;
}

std::optional<std::size_t> PostgresRows::write_told(matcher::Scratch& scratch,
                                                    const matcher::MaskProgram& program,
                                                    Column column, ByteView value, ByteSpan out,
                                                    std::span<std::uint32_t> counts) {
  constexpr std::string_view quoted = "\"[redacted]\"";
  static_assert(quoted.size() <= told_value_growth_max);
  const auto write = [&](std::string_view text) {
    ++counts[column.rule];
    std::ranges::copy(text, out.begin());
    return text.size();
  };
  switch (column.reading) {
    case Reading::json:
      return write(quoted);
    case Reading::text:
    case Reading::hex:
      if (column.is_derived) return write(redacted);
      return matcher::mask_whole(program, column.rule, value,
                                 out.first(value.size() + told_value_growth_max), scratch, counts);
    case Reading::jsonb:
    case Reading::raw:
    case Reading::number:
    case Reading::nested:
    case Reading::plain:
      ++counts[column.rule];
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::size_t> PostgresRows::mask_told(matcher::Scratch& scratch,
                                                   const matcher::MaskProgram& program,
                                                   ByteView row, ByteSpan out,
                                                   std::span<std::uint32_t> counts) {
  ValueWalk values(row);
  std::size_t copied = 0;  // Of the row.
  std::size_t written = 0;
  const auto copy_up_to = [&](std::size_t end) {
    std::memcpy(out.data() + written, row.data() + copied, end - copied);
    written += end - copied;
    copied = end;
  };
  for (std::size_t i = 0; i < told_end_ && values.next(); ++i) {
    const auto value = values.value();
    if (columns_[i].rule == no_rule || !value) continue;
    copy_up_to(values.at() - value->size());
    std::uint8_t* const length = out.data() + written - 4;
    const auto shown =
        write_told(scratch, program, columns_[i], *value, out.subspan(written), counts);
    put_u32(length, shown ? static_cast<std::uint32_t>(*shown) : 0xFFFFFFFF);
    written += shown.value_or(0);
    copied = values.at();
  }
  while (values.next()) {
  }
  if (!values.has_ended_well()) return std::nullopt;
  copy_up_to(row.size());
  put_u32(out.data() + 1, static_cast<std::uint32_t>(written - 1));
  return written;
}

PostgresRows::Fate PostgresRows::scan(matcher::Scratch& scratch, const RowMasks& masks,
                                      BodyKind kind, ByteSpan value,
                                      std::span<std::uint32_t> counts) {
  if (value.empty()) return Fate::same;
  masker_.start(*masks.program, masks.active, kind);
  const matcher::MaskStep step = masker_.mask(value, true, scratch);
  const std::span<const std::uint32_t> found = masker_.counts();
  for (std::size_t rule = 0; rule < found.size(); ++rule) counts[rule] += found[rule];
  // What the masker cannot read, or finds too much in, is not shown at all.
  if (step.is_malformed || step.is_full || step.settled_bytes != value.size()) {
    return Fate::redacted;
  }
  edits_ = step.edits;
  return edits_.empty() ? Fate::same : Fate::edited;
}

/// Bytes that are shown in hexadecimal become asterisks when what they hold would be masked.
void PostgresRows::mask_hex(matcher::Scratch& scratch, const RowMasks& masks, ByteSpan text,
                            std::span<std::uint32_t> counts) {
  for (ByteSpan rest = text, hex = next_hex(rest); !hex.empty(); hex = next_hex(rest)) {
    std::string decoded;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      decoded += static_cast<char>(*nibble(hex[i]) << 4 | *nibble(hex[i + 1]));
    }
    if (would_mask(scratch, masks, decoded, counts)) {
      for (std::size_t i = 0; i < hex.size(); i += 2) std::memcpy(hex.data() + i, "2a", 2);
    }
    rest = text.last(static_cast<std::size_t>(text.data() + text.size() - hex.data()) - hex.size());
  }
}

void PostgresRows::mask_in_place(matcher::Scratch& scratch, const RowMasks& masks, ByteSpan bytes,
                                 std::span<std::uint32_t> counts) {
  mask_hex(scratch, masks, bytes, counts);
  switch (scan(scratch, masks, BodyKind::text, bytes, counts)) {
    case Fate::same:
      return;
    case Fate::edited:
      for (const matcher::Edit& edit : edits_) {
        const std::size_t n = std::min(edit.size_bytes, edit.text.size());
        std::memcpy(bytes.data() + edit.offset, edit.text.data(), n);
        std::memset(bytes.data() + edit.offset + n, '*', edit.size_bytes - n);
      }
      return;
    case Fate::replaced:
    case Fate::redacted:
    case Fate::null:
      std::memset(bytes.data(), '*', bytes.size());
      return;
  }
}

bool PostgresRows::would_mask(matcher::Scratch& scratch, const RowMasks& masks,
                              std::string_view text, std::span<std::uint32_t> counts,
                              BodyKind kind) {
  if (text.empty()) return false;
  text_.assign(text.begin(), text.end());
  text_.resize(text.size() + readable_tail_bytes);
  const ByteSpan bytes = ByteSpan(text_).first(text.size());
  // What was masked in place shows only in the copy.
  return scan(scratch, masks, kind, bytes, counts) != Fate::same || as_text(bytes) != text;
}

bool PostgresRows::number_would_mask(matcher::Scratch& scratch, const RowMasks& masks, Oid type,
                                     ByteView value, std::span<std::uint32_t> counts) {
  if (type == type_numeric) return would_mask(scratch, masks, numeric_text(value), counts);
  if (type == type_inet || type == type_cidr) {
    return would_mask(scratch, masks, address_text(value), counts);
  }
  if (value.size() != 8) return true;
  if (type == type_int8) {
    return would_mask(scratch, masks, fmt::format("{}", static_cast<std::int64_t>(u64_at(value))),
                      counts);
  }
  double number = 0;
  const std::uint64_t bits = u64_at(value);
  std::memcpy(&number, &bits, sizeof number);
  return would_mask(scratch, masks, fmt::format("{:.0f}", number), counts);
}

/// Arrays, rows, and whatever else has a binary form of its own.
bool PostgresRows::nested_would_mask(matcher::Scratch& scratch, const RowMasks& masks, Oid type,
                                     ByteView value, int depth, std::span<std::uint32_t> counts) {
  if (depth == nesting_max) return true;
  const auto elements = [&](std::size_t at, std::uint32_t count, std::optional<Oid> element) {
    for (std::uint32_t i = 0; i < count; ++i) {
      Oid of = element.value_or(0);
      if (!element) {
        if (value.size() - at < 4) return true;
        of = u32_at(value, at);
        at += 4;
      }
      if (value.size() - at < 4) return true;
      const auto size = static_cast<std::int32_t>(u32_at(value, at));
      at += 4;
      if (size < 0) continue;
      if (value.size() - at < static_cast<std::size_t>(size)) return true;
      const ByteView item = value.subspan(at, static_cast<std::size_t>(size));
      if (element_would_mask(scratch, masks, of, item, depth + 1, counts)) return true;
      at += item.size();
    }
    return at != value.size();
  };
  if (type == type_record) {
    return value.size() < 4 || elements(4, u32_at(value, 0), std::nullopt);
  }
  // An array: dimensions, flags, the element's type, then size and bound of each dimension.
  if (value.size() >= 12 && u32_at(value, 0) <= 6 && u32_at(value, 4) <= 1) {
    const std::size_t dimensions = u32_at(value, 0);
    if (value.size() >= 12 + 8 * dimensions) {
      std::uint64_t count = dimensions == 0 ? 0 : 1;
      for (std::size_t i = 0; i < dimensions; ++i) count *= u32_at(value, 12 + 8 * i);
      if (count <= value.size()) {
        return elements(12 + 8 * dimensions, static_cast<std::uint32_t>(count), u32_at(value, 8));
      }
    }
  }
  return unknown_would_mask(scratch, masks, value, depth, counts);
}

/// Types that users make have numbers of their own: the value is taken for whatever it
/// can be read as.
bool PostgresRows::unknown_would_mask(matcher::Scratch& scratch, const RowMasks& masks,
                                      ByteView value, int depth, std::span<std::uint32_t> counts) {
  if (would_mask(scratch, masks, as_text(value), counts)) return true;
  if (value.size() == 8 && (number_would_mask(scratch, masks, type_int8, value, counts) ||
                            number_would_mask(scratch, masks, type_float8, value, counts))) {
    return true;
  }
  if (number_would_mask(scratch, masks, type_numeric, value, counts)) return true;
  const auto ignore = [](Oid, ByteView) {};
  bool is_found = false;
  const auto look = [&](Oid type, ByteView part) {
    is_found = is_found || element_would_mask(scratch, masks, type, part, depth + 1, counts);
  };
  if (walk_row(value, ignore)) walk_row(value, look);
  // A range begins with a byte of flags, a multirange with a count.
  for (const std::size_t begin : {std::size_t{1}, std::size_t{4}}) {
    if (walk_run(value, begin, ignore)) walk_run(value, begin, look);
  }
  return is_found;
}

bool PostgresRows::element_would_mask(matcher::Scratch& scratch, const RowMasks& masks, Oid type,
                                      ByteView value, int depth, std::span<std::uint32_t> counts) {
  switch (reading_of(type, Format::binary)) {
    case Reading::plain:
      return false;
    case Reading::number:
      return number_would_mask(scratch, masks, type, value, counts);
    case Reading::nested:
      return nested_would_mask(scratch, masks, type, value, depth, counts);
    case Reading::text:
    case Reading::json:
    case Reading::jsonb:
    case Reading::hex:
    case Reading::raw:
      return would_mask(scratch, masks, as_text(value), counts);
  }
  return true;
}

}  // namespace sluice::dataplane
