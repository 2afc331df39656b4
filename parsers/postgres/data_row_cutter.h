// A row of any size in flat memory: its values, piece by piece, as its bytes come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "parsers/postgres/message.h"

namespace sluice::postgres {

struct RowStep {
  enum class Kind : std::uint8_t {
    needs_more,  ///< `size_bytes` consumed; call again with what follows them.
    value,       ///< A piece of a value, or a value that is NULL.
    end,         ///< The row is over. May use no bytes: after a value, call again in any case.
    malformed,   ///< See `fault`. The connection cannot go on.
  };
  Kind kind = Kind::needs_more;
  Fault fault = Fault::none;
  std::size_t size_bytes = 0;  ///< Of `in`; counts and lengths before the piece included.

  // Of a value:
  std::uint16_t column = 0;                  ///< From 0.
  std::optional<std::uint32_t> value_bytes;  ///< Of the whole value; nothing: NULL.
  ByteView piece;                            ///< Empty only where the value is.
  bool is_first = false;
  bool is_last = false;
};

/// Cuts the body of one DataRow.
///
/// in       what follows the header, and what the steps before did not use; may
///          end anywhere, also behind the row: no more than the row is used.
/// returns  each value in one or more pieces, views into `in`; then an end,
///          repeated when called on.
/// errors   those of decode_data_row, each as soon as the bytes that show it are
///          there: pieces of values before it were given out already.
/// source   PostgreSQL manual, "Message Formats: DataRow".
class DataRowCutter {
 public:
  /// body_bytes  as the row's header says.
  void start(std::uint32_t body_bytes) noexcept;
  RowStep decode(ByteView in) noexcept;
  /// Known from the first value or the end on.
  [[nodiscard]] std::uint16_t columns() const noexcept { return columns_; }

 private:
  enum class State : std::uint8_t { count, length, value, done, failed };
  bool take_number(ByteView in, std::size_t& at, std::uint32_t bytes) noexcept;
  RowStep wait_or_refuse(std::size_t at, std::uint32_t bytes) noexcept;
  RowStep null_value(std::size_t at) noexcept;
  RowStep piece_of_value(ByteView in, std::size_t at) noexcept;
  RowStep refuse(Fault fault) noexcept;

  std::uint32_t left_ = 0;  ///< Of the body.
  std::uint32_t number_ = 0;
  std::uint32_t number_bytes_ = 0;  ///< Of `number_`, read so far.
  std::uint32_t value_bytes_ = 0;
  std::uint32_t value_left_ = 0;
  std::uint16_t columns_ = 0;
  std::uint16_t column_ = 0;
  State state_ = State::done;
  Fault fault_ = Fault::none;
};

}  // namespace sluice::postgres
