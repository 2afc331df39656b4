#include "parsers/postgres/header.h"

#include <array>

#include "parsers/postgres/byte_order.h"

namespace sluice::postgres {
namespace {

constexpr std::uint32_t items_max = 0xFFFF;  // what a count of 16 bits can say

// The server takes no more for messages that only name something (PQ_SMALL_MESSAGE_LIMIT)
// and for what proves who someone is (PG_MAX_AUTH_TOKEN_LENGTH).
constexpr std::uint32_t small_bytes_max = 10'000;
constexpr std::uint32_t proof_bytes_max = 65'535;
// libpq gives a server up for more in messages that are short by nature, and for
// more while it logs in.
constexpr std::uint32_t short_bytes_max = 30'000 - 4;
constexpr std::uint32_t login_bytes_max = 2'000 - 4;

/// Sizes of a body.
struct Bounds {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  bool is_known = false;  ///< Whether there is a message of this tag at all.
};
using BoundsByTag = std::array<Bounds, 256>;

constexpr Bounds exactly(std::uint32_t bytes) {
  return {bytes, bytes};
}

constexpr BoundsByTag frontend_bounds = [] {
  BoundsByTag table{};
  const auto set = [&table](FrontendType type, Bounds bounds) {
    table[static_cast<std::uint8_t>(type)] = {bounds.min, bounds.max, true};
  };
  set(FrontendType::bind, {1 + 1 + 2 + 2 + 2, body_bytes_max});
  set(FrontendType::close, {1 + 1, small_bytes_max});
  set(FrontendType::copy_data, {0, body_bytes_max});
  set(FrontendType::copy_done, exactly(0));
  set(FrontendType::copy_fail, {1, small_bytes_max});
  set(FrontendType::describe, {1 + 1, small_bytes_max});
  set(FrontendType::execute, {1 + 4, small_bytes_max});
  set(FrontendType::flush, exactly(0));
  set(FrontendType::function_call, {4 + 2 + 2 + 2, body_bytes_max});
  set(FrontendType::parse, {1 + 1 + 2, body_bytes_max});
  set(FrontendType::password, {0, proof_bytes_max});
  set(FrontendType::query, {1, body_bytes_max});
  set(FrontendType::sync, exactly(0));
  set(FrontendType::terminate, exactly(0));
  return table;
}();

constexpr BoundsByTag backend_bounds = [] {
  BoundsByTag table{};
  const auto set = [&table](BackendType type, Bounds bounds) {
    table[static_cast<std::uint8_t>(type)] = {bounds.min, bounds.max, true};
  };
  set(BackendType::authentication, {4, login_bytes_max});
  set(BackendType::backend_key_data, {4 + cancel_key_bytes_min, 4 + cancel_key_bytes_max});
  set(BackendType::bind_complete, exactly(0));
  set(BackendType::close_complete, exactly(0));
  set(BackendType::command_complete, {1, short_bytes_max});
  set(BackendType::copy_both_response, {1 + 2, 1 + 2 + 2 * items_max});
  set(BackendType::copy_data, {0, body_bytes_max});
  set(BackendType::copy_done, exactly(0));
  set(BackendType::copy_in_response, {1 + 2, 1 + 2 + 2 * items_max});
  set(BackendType::copy_out_response, {1 + 2, 1 + 2 + 2 * items_max});
  set(BackendType::data_row, {2, body_bytes_max});
  set(BackendType::empty_query_response, exactly(0));
  set(BackendType::error_response, {1, body_bytes_max});
  set(BackendType::function_call_response, {4, body_bytes_max});
  set(BackendType::negotiate_protocol_version, {4 + 4, login_bytes_max});
  set(BackendType::no_data, exactly(0));
  set(BackendType::notice_response, {1, body_bytes_max});
  set(BackendType::notification_response, {4 + 1 + 1, body_bytes_max});
  set(BackendType::parameter_description, {2, 2 + 4 * items_max});
  set(BackendType::parameter_status, {1 + 1, short_bytes_max});
  set(BackendType::parse_complete, exactly(0));
  set(BackendType::portal_suspended, exactly(0));
  set(BackendType::ready_for_query, exactly(1));
  set(BackendType::row_description, {2, body_bytes_max});
  return table;
}();

HeaderStep refuse(Fault fault) noexcept {
  return {HeaderStep::Kind::malformed, fault, {}};
}

}  // namespace

HeaderStep decode_header(Side sender, ByteView in) noexcept {
  if (in.empty()) return {};
  const BoundsByTag& table = sender == Side::frontend ? frontend_bounds : backend_bounds;
  const Bounds bounds = table[in[0]];
  if (!bounds.is_known) return refuse(Fault::unknown_message);
  if (in.size() < header_bytes) return {};

  const std::uint32_t length = load_u32(in.data() + 1);  // counts itself, not the tag
  if (length < 4) return refuse(Fault::bad_length);
  const std::uint32_t body_bytes = length - 4;
  if (body_bytes < bounds.min || body_bytes > bounds.max) return refuse(Fault::bad_length);
  return {HeaderStep::Kind::header, Fault::none, {in[0], body_bytes}};
}

}  // namespace sluice::postgres
