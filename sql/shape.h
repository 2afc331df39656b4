// What an SQL text looks like apart from its constants: the key under which a
// verdict is kept, and the text that a record shows. Judges nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/fingerprint.h"
#include "sql/lexer.h"

namespace sluice::sql {

/// The identity of a text, blind to comments, blanks and the case of words without
/// quotes.
struct Shape {
  /// Constants count only by their kind; a list of them in IN (…) and further rows of
  /// them behind VALUES count alike, however long. The escape character of a UESCAPE
  /// clause is no constant here: it decides what a name is.
  Fingerprint shape{};
  /// Texts between semicolons that are not empty. One statement that holds semicolons
  /// (CREATE RULE, BEGIN ATOMIC) counts for more than it is; the analysis knows.
  std::uint32_t statements = 0;
  /// The first word of the first statement, as written; empty when it begins with none.
  std::string_view first_word;
  /// The text ends in an error token. The fingerprint stands for nothing then.
  bool is_malformed = false;
};

Shape shape_of(std::string_view text, const FingerprintKey& key,
               LexerOptions options = {}) noexcept;

struct Normalised {
  std::size_t size = 0;       ///< Bytes written.
  bool is_cut = false;        ///< Ends with cut_mark: what follows had no room.
  bool is_malformed = false;  ///< Ends with malformed_mark: what follows is not SQL.
};

inline constexpr std::string_view cut_mark = "…";
inline constexpr std::string_view malformed_mark = "<malformed>";
inline constexpr std::size_t normalised_bytes_min = 64;  ///< Room for both marks and more.

/// Writes the text for a record: comments out, every constant replaced by ?, words in
/// lower case, one blank between tokens at most. Two texts of one shape have one
/// normalised text.
///
/// out  at least normalised_bytes_min bytes.
Normalised normalise(std::string_view text, std::span<char> out,
                     LexerOptions options = {}) noexcept;

}  // namespace sluice::sql
