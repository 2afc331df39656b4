// Masks the values of result rows, each as its type and format show it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matcher/body_masker.h"
#include "matcher/scratch.h"
#include "parsers/postgres/backend.h"

namespace sluice::dataplane {

/// Which masks are in force.
struct RowMasks {
  const matcher::MaskProgram* program = nullptr;
  matcher::RuleSet active;
};

class PostgresRows {
 public:
  /// The columns of the rows that come next.
  void describe(const postgres::Fields& fields);
  /// Of one column.
  void describe(postgres::Oid type, postgres::Format format);
  /// Rows of which nothing is known, or values outside of rows: text.
  void forget() noexcept {
    columns_.clear();
    told_columns_ = told_end_ = 0;
  }
  /// All of this column's values are this rule's.
  /// is_derived  computed from them: no part is shown, whatever the rule shows.
  void mask_whole(std::size_t column, std::uint8_t rule, bool is_derived) noexcept {
    if (columns_[column].rule == no_rule) ++told_columns_;
    columns_[column].rule = rule;
    columns_[column].is_derived = is_derived;
    told_end_ = std::max(told_end_, column + 1);
  }

  /// Whether any column is masked as a whole.
  [[nodiscard]] bool has_told_columns() const noexcept { return told_columns_ != 0; }

  /// A whole DataRow of whose columns only those told by mask_whole() are masked, into
  /// `out`. Its size there; nothing when it is malformed.
  /// out  room for the row and told_growth_max() more.
  std::optional<std::size_t> mask_told(matcher::Scratch& scratch,
                                       const matcher::MaskProgram& program, ByteView row,
                                       ByteSpan out, std::span<std::uint32_t> counts);
  [[nodiscard]] std::size_t told_growth_max() const noexcept {
    return told_columns_ * told_value_growth_max;
  }

  /// A whole DataRow, valid; values of equal length change where they lie. What to
  /// send instead when that was not enough, else nothing; lives until the next call.
  std::optional<ByteView> mask(matcher::Scratch& scratch, const RowMasks& masks, ByteSpan row,
                               std::span<std::uint32_t> counts);
  /// A whole CopyData: its text may span values, so lengths are kept.
  void mask_in_place(matcher::Scratch& scratch, const RowMasks& masks, ByteSpan bytes,
                     std::span<std::uint32_t> counts);

 private:
  enum class Reading : std::uint8_t {
    text,
    json,
    jsonb,   ///< Binary: a version byte, then JSON.
    hex,     ///< bytea in text format.
    raw,     ///< Bytes whose lengths are told elsewhere: masked in place.
    number,  ///< Binary: shown as NULL where its text would be masked.
    nested,  ///< Binary arrays and rows: likewise.
    plain,   ///< Binary and too small to hold anything.
  };
  struct Column {
    Reading reading = Reading::text;
    postgres::Oid type = 0;
    std::uint8_t rule = no_rule;  ///< That masks all of it.
    bool is_derived = false;
  };
  static constexpr std::uint8_t no_rule = UINT8_MAX;
  static_assert(matcher::rules_max <= no_rule);
  enum class Fate : std::uint8_t { same, edited, replaced, redacted, null };

  /// What stands for a told column's value, written to `out`; nothing: NULL.
  static std::optional<std::size_t> write_told(matcher::Scratch& scratch,
                                               const matcher::MaskProgram& program, Column column,
                                               ByteView value, ByteSpan out,
                                               std::span<std::uint32_t> counts);
  Fate replace(matcher::Scratch& scratch, const RowMasks& masks, Column column, ByteView value,
               std::span<std::uint32_t> counts);
  static Reading reading_of(postgres::Oid type, postgres::Format format) noexcept;
  Fate judge(matcher::Scratch& scratch, const RowMasks& masks, Column column, ByteSpan value,
             std::span<std::uint32_t> counts);
  Fate scan(matcher::Scratch& scratch, const RowMasks& masks, matcher::BodyKind kind,
            ByteSpan value, std::span<std::uint32_t> counts);
  bool would_mask(matcher::Scratch& scratch, const RowMasks& masks, std::string_view text,
                  std::span<std::uint32_t> counts,
                  matcher::BodyKind kind = matcher::BodyKind::text);
  bool number_would_mask(matcher::Scratch& scratch, const RowMasks& masks, postgres::Oid type,
                         ByteView value, std::span<std::uint32_t> counts);
  bool nested_would_mask(matcher::Scratch& scratch, const RowMasks& masks, postgres::Oid type,
                         ByteView value, int depth, std::span<std::uint32_t> counts);
  bool element_would_mask(matcher::Scratch& scratch, const RowMasks& masks, postgres::Oid type,
                          ByteView value, int depth, std::span<std::uint32_t> counts);
  bool unknown_would_mask(matcher::Scratch& scratch, const RowMasks& masks, ByteView value,
                          int depth, std::span<std::uint32_t> counts);
  void mask_hex(matcher::Scratch& scratch, const RowMasks& masks, ByteSpan text,
                std::span<std::uint32_t> counts);
  void append_value(Fate fate, ByteView value);

  /// What is written for a value, be it a text of ours, is not longer by more.
  static constexpr std::size_t told_value_growth_max = 64;

  std::vector<Column> columns_;
  std::size_t told_columns_ = 0;
  std::size_t told_end_ = 0;              ///< None is told from here on.
  std::span<const matcher::Edit> edits_;  ///< Of the last scan that said `edited`.
  matcher::BodyMasker masker_;
  std::vector<std::uint8_t> rewritten_;
  std::vector<std::uint8_t> replacement_;  ///< Of the last value that was `replaced`.
  std::vector<std::uint8_t> text_;         ///< A value as text, with a readable tail.
};

}  // namespace sluice::dataplane
