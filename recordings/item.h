// What a recording consists of: small CBOR arrays, one behind the other.
//
// source   docs/recordings.cddl
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sluice::recordings {

/// Numbers are for ever: recordings outlive the program.
enum class ItemKind : std::uint8_t {
  head = 1,           ///< The first of a chunk: which of which recording it is.
  statement = 2,      ///< PostgreSQL, from the client: its text as the log shows it.
  copied_in = 3,      ///< PostgreSQL, from the client: data of a COPY; how much, in decimal.
  columns = 4,        ///< PostgreSQL, to the client: a RowDescription.
  messages = 5,       ///< PostgreSQL, to the client: whole messages, and perhaps the start of one.
  messages_rest = 6,  ///< The last one goes on.
  request = 7,        ///< HTTP, to the target: a head, without credentials.
  request_body = 8,   ///< Decoded bytes of the body.
  response = 9,       ///< HTTP, to the client: a head, without cookies.
  response_body = 10,
};

/// A view into whatever it was read from.
struct Item {
  ItemKind kind = ItemKind::head;
  std::int64_t time_ns = 0;     ///< UTC.
  std::uint64_t operation = 0;  ///< As the log counts them in the session; 0: of none.
  ByteView content;
};

/// Of an item beside its content.
inline constexpr std::size_t item_overhead_max = 1 + 1 + 3 * 9;

/// Writes the item to `out` (at least its content and item_overhead_max) and returns its size.
std::size_t encode(const Item& item, ByteSpan out) noexcept;

/// Takes the first item off `in`; nothing when it does not begin with one.
std::optional<Item> take_item(ByteView& in) noexcept;

/// Whether later chunks begin with it again: without it what follows cannot be read.
[[nodiscard]] constexpr bool is_context(ItemKind kind) noexcept {
  return kind == ItemKind::columns || kind == ItemKind::response;
}
/// Whether a reader may begin with it.
[[nodiscard]] constexpr bool begins_anew(ItemKind kind) noexcept {
  return kind != ItemKind::messages_rest && kind != ItemKind::request_body &&
         kind != ItemKind::response_body;
}

/// What a recording is of.
struct Subject {
  std::string recording;  ///< EPOCH-SESSION-PART, as records refer to it.
  std::string protocol;   ///< "postgres", "http"
  std::string listener;
  std::string target;
  std::string principal;  ///< Empty: anonymous.
  std::uint64_t session = 0;
};

/// The content of a chunk's head.
std::string encode_head(const Subject& subject, std::uint64_t chunk);

struct ChunkHead {
  Subject subject;
  std::uint64_t chunk = 0;
};
std::optional<ChunkHead> parse_head(ByteView content);

}  // namespace sluice::recordings
