// Builds messages byte by byte, without the writer, and runs them through the
// decoders at a guard page.
#pragma once

#include <string>
#include <string_view>

#include "guarded_bytes.h"
#include "postgres_adapters.h"

namespace sluice::testing {

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)};
}
inline std::string u32(std::uint32_t value) {
  return u16(value >> 16) + u16(value & 0xFFFF);
}
/// A text and its zero byte.
inline std::string z(std::string_view text) {
  return std::string(text) + '\0';
}
/// A value and its length.
inline std::string value(std::string_view bytes) {
  return u32(static_cast<std::uint32_t>(bytes.size())).append(bytes);
}
inline std::string null_value() {
  return u32(0xFFFFFFFF);
}
inline std::string message(char tag, std::string_view body) {
  return tag + u32(static_cast<std::uint32_t>(body.size() + 4)).append(body);
}
/// A packet without a tag.
inline std::string packet(std::uint32_t code, std::string_view rest = {}) {
  return u32(static_cast<std::uint32_t>(rest.size() + 8)) + u32(code).append(rest);
}

constexpr std::uint32_t version_3_0 = 3U << 16;
constexpr std::uint32_t version_3_2 = version_3_0 | 2;

inline std::string read(postgres::FrontendType type, std::string_view body,
                        Proof proof = Proof::password) {
  GuardedBytes room(body.size());
  return describe(type, room.hold(as_bytes(body)), proof);
}
inline std::string read(postgres::BackendType type, std::string_view body) {
  GuardedBytes room(body.size());
  return describe(type, room.hold(as_bytes(body)));
}

/// What a good body says; or, where it would be taken with its end missing or with a
/// byte more, which of them.
template <class Type, class... More>
std::string strictly_read(Type type, std::string_view body, More... more) {
  const std::string what = read(type, body, more...);
  if (is_refusal(what)) return what;
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::string shorter = read(type, body.substr(0, size), more...);
    if (!is_refusal(shorter)) return "taken with " + std::to_string(size) + " bytes: " + shorter;
  }
  const std::string longer = read(type, std::string(body) + '\0', more...);
  if (longer != "malformed trailing_bytes") return "taken with a byte more: " + longer;
  return what;
}

/// The steps of `stream` in words; "broken: …" where the codec contract does not hold.
inline std::string steps_of(std::string_view stream, const PostgresAdapter::Options& options) {
  const auto make = [&] { return PostgresAdapter(options); };
  const std::string problem = broken_contract(make, as_bytes(stream), 20);
  if (!problem.empty()) return "broken: " + problem;
  GuardedBytes room(stream.size());
  auto codec = make();
  return transcript(codec, as_bytes(stream), {}, room).steps;
}

}  // namespace sluice::testing
