// The two ways of writing bytes that a masker sees through: JSON strings (RFC
// 8259 §7) and application/x-www-form-urlencoded (WHATWG URL §5).
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace sluice::matcher {

/// How the value at hand is written.
enum class Encoding : std::uint8_t { raw, json_string, form_name, form_value };

enum class DecodeStop : std::uint8_t {
  end,        ///< At the value's end: a quote, '&' or '='; `consumed` is before it.
  starved,    ///< Input is used up, or ends within a sequence that is left over.
  full,       ///< No room for another sequence.
  malformed,  ///< Not what RFC 8259 calls a string, or not UTF-8.
};

struct Decoded {
  std::size_t consumed = 0;  ///< Encoded bytes.
  std::size_t size = 0;      ///< Decoded bytes.
  DecodeStop stop = DecodeStop::starved;
};

/// Decodes from the start of `in` until the value ends. `offsets` has one entry
/// more than `out`: entry i is where decoded byte i begins in `in`; the bytes of
/// one sequence share the place where the sequence begins.
/// last   the input ends here: a "%4" then stands for itself.
Decoded decode(Encoding encoding, ByteView in, bool last, ByteSpan out,
               std::span<std::uint32_t> offsets) noexcept;

/// Replaces every escape of `in`, wherever it stands and whatever surrounds it;
/// what is no escape stays. Gives the size written to `out`, which may be where
/// `in` begins.
std::size_t decode_loosely(Encoding encoding, ByteView in, std::uint8_t* out) noexcept;

/// Bytes of the UTF-8 sequence at the start of `in` (RFC 3629): 0 when it is not
/// one, or -1 when it may become one with more bytes.
int utf8_sequence_size(ByteView in) noexcept;

/// Writes one byte so that it means itself under `encoding`; gives the size, at
/// most encoded_byte_bytes_max.
inline constexpr std::size_t encoded_byte_bytes_max = 6;
std::size_t encode_byte(Encoding encoding, std::uint8_t byte, std::uint8_t* out) noexcept;

}  // namespace sluice::matcher
