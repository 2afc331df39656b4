// The matcher's limits, and why they fit together. All sizes are in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::matcher {

/// A masker never withholds more than this many bytes at the end of what it was
/// given. A match that is longer than match_shown_bytes_max is masked with `redact`.
inline constexpr std::size_t withheld_bytes_max = 4096;

/// A match whose encoded form is longer is redacted whatever its rule shows:
/// it then need not be held back until its end is known.
inline constexpr std::size_t match_shown_bytes_max = 2048;

/// Decoded bytes from a match's first byte that are enough to recognise it.
/// The longest need is an e-mail address: 64 + 1 + 253 and one byte after it.
inline constexpr std::size_t lookahead_bytes = 336;

/// Decoded bytes before a position that finders may look at: so many that an
/// expression anchored at the start of the buffer cannot reach undecided bytes.
inline constexpr std::size_t lookbehind_bytes = 336;

/// Longest match of one of the user's expressions.
inline constexpr std::size_t expression_width_max = 320;

/// Decoded bytes of one value looked at in one go.
inline constexpr std::size_t window_bytes = 4096;
inline constexpr std::size_t window_bytes_max = lookbehind_bytes + window_bytes;

/// A longer number is refused: no interoperable sender writes one (RFC 8259 §6).
inline constexpr std::size_t json_number_bytes_max = 1024;
/// Deepest nesting of arrays and objects that is followed; deeper is refused.
inline constexpr std::size_t json_depth_max = 128;

/// Decoded bytes of the longest name in a JSON path or form field finder.
inline constexpr std::size_t name_bytes_max = 255;

/// Largest body that a pattern set is asked to look at.
inline constexpr std::size_t inspected_body_bytes_max = 16 << 20;

/// Replacements of one step; when they are used up the step ends early.
inline constexpr std::size_t edits_max = 4096;
inline constexpr std::size_t edit_text_bytes_max = 64 * 1024;

/// Encoded bytes of one decoded byte at worst ("\u0041"), and the longest
/// sequence that is decoded as one ("\ud83d\ude00", less its last byte).
inline constexpr std::size_t encoding_factor_max = 6;
inline constexpr std::size_t split_escape_bytes_max = 11;

static_assert(match_shown_bytes_max + encoding_factor_max * lookahead_bytes +
                  split_escape_bytes_max <=
              withheld_bytes_max);
static_assert(expression_width_max + 2 < lookahead_bytes);
static_assert(expression_width_max < lookbehind_bytes);
static_assert(window_bytes > match_shown_bytes_max + lookahead_bytes);
static_assert(json_number_bytes_max < withheld_bytes_max);

}  // namespace sluice::matcher
