#include "dataplane/session/postgres_tap.h"

#include <algorithm>

#include "base/assert.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {
namespace {

using postgres::BackendType;
using recordings::ItemKind;

/// Whether it tells of what was asked for. A login is over, and its key is nobody's business.
bool is_told(BackendType type) noexcept {
  switch (type) {
    case BackendType::row_description:
    case BackendType::data_row:
    case BackendType::command_complete:
    case BackendType::empty_query_response:
    case BackendType::portal_suspended:
    case BackendType::error_response:
    case BackendType::notice_response:
    case BackendType::notification_response:
    case BackendType::copy_data:
    case BackendType::function_call_response:
      return true;
    default:
      return false;
  }
}

}  // namespace

void PostgresTap::add(ByteView bytes) {
  const std::size_t rest = std::min<std::uint64_t>(left_bytes_, bytes.size());
  if (rest != 0 && keeps_) keep(ItemKind::messages_rest, bytes.first(rest));
  left_bytes_ -= rest;
  bytes = bytes.subspan(rest);
  std::size_t run = 0;  // of messages that are kept, up to where we are
  const auto end_run = [&] {
    if (run != 0) keep(ItemKind::messages, bytes.first(run));
    bytes = bytes.subspan(run);
    run = 0;
  };
  while (run != bytes.size()) {
    const auto step = decode_header(postgres::Side::backend, bytes.subspan(run));
    ASSERT(step.kind == postgres::HeaderStep::Kind::header);
    const BackendType type = step.header.backend();
    const std::size_t there = std::min(step.header.message_bytes(), bytes.size() - run);
    left_bytes_ = step.header.message_bytes() - there;
    keeps_ = is_told(type);
    if (type == BackendType::row_description && left_bytes_ == 0) {
      end_run();
      keep(ItemKind::columns, bytes.first(there));
      bytes = bytes.subspan(there);
    } else if (!keeps_) {
      end_run();
      bytes = bytes.subspan(there);
    } else {
      run += there;
    }
  }
  end_run();
}

void PostgresTap::keep(ItemKind kind, ByteView bytes) {
  recording_.add(kind, operation_, bytes);
}

}  // namespace sluice::dataplane
