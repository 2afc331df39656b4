// What JSON the calls of the control API take and give, as tables: requests are checked by them,
// and the OpenAPI document and tests are made of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "identity/json_value.h"

namespace sluice::control::api {

struct Shape;

/// A member of an object, or a parameter of a call.
struct Member {
  enum class Kind : std::uint8_t {
    text,
    time,   ///< RFC 3339.
    count,  ///< A whole number from 0 on.
    number,
    flag,
    texts,    ///< A list of texts.
    object,   ///< Of `shape`.
    objects,  ///< A list of them.
  };

  std::string_view name;
  Kind kind = Kind::text;
  std::string_view sentence;
  bool is_required = true;
  /// Of a text, bytes; of a list, items; of a count, the greatest. 0: as large as a message may be.
  std::uint64_t max = 0;
  std::span<const std::string_view> words = {};  ///< That a text may be; empty: any.
  const Shape* shape = nullptr;                  ///< Null: an object is of any.
};

/// An object.
struct Shape {
  std::string_view name;  ///< In the OpenAPI document.
  std::string_view sentence;
  std::span<const Member> members;
};

/// The greatest count that every reader of JSON can hold (RFC 8259 §6).
inline constexpr std::uint64_t count_max = (std::uint64_t{1} << 53) - 1;

/// What of `value` is not as the shape says, for who sent it; nothing when all is. A member that
/// the shape does not have is a fault.
[[nodiscard]] std::optional<std::string> fault_of(const identity::JsonValue& value,
                                                  const Shape& shape);
/// The same of one value.
[[nodiscard]] std::optional<std::string> fault_of(const identity::JsonValue& value,
                                                  const Member& member);

/// The value of a parameter, which arrives as text: a count becomes a number, a flag a boolean, one
/// of several texts a list of it.
[[nodiscard]] identity::JsonValue value_of(std::string text, const Member& member);

}  // namespace sluice::control::api
