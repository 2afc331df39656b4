// Rows and COPY data by the buffer: many that lie side by side in one go. What needs
// each value looked at goes the slower way, message by message (postgres_server.cc).
#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {

using postgres::BackendType;
using postgres::Header;
using postgres::HeaderStep;

namespace {

/// The header at the beginning of `in`, when it is of such a message.
std::optional<Header> header_of(BackendType kind, ByteView in) noexcept {
  const HeaderStep step = decode_header(postgres::Side::backend, in);
  if (step.kind != HeaderStep::Kind::header || step.header.backend() != kind) return std::nullopt;
  return step.header;
}

}  // namespace

/// Whether anything of what lies next, which begins with such a message, went on.
bool PostgresSession::relay_data(BackendType kind) {
  if (!answers({Expected::Kind::query, Expected::Kind::execute})) return false;
  if (operations_open_.empty() || upstream_inbox_.is_gathering()) return false;
  const RowMasks rules = masks();
  if (rules.program->searches(rules.active)) return false;
  if (kind == BackendType::data_row && rows_.has_told_columns()) return mask_rows(*rules.program);
  pass_data(kind);
  return true;
}

/// Nothing masks them: all that lie in the front buffer, and what there is of the last,
/// go on as one.
void PostgresSession::pass_data(BackendType kind) {
  const ByteSpan in = upstream_inbox_.front(worker_);
  ExecutionMeter& meter = operations_open_.front().meter;
  std::size_t passed = 0;
  while (const auto header = header_of(kind, in.subspan(passed))) {
    if (!meter.admits(header->body_bytes)) break;
    meter.count(header->body_bytes);
    const std::size_t there = std::min(in.size() - passed, header->message_bytes());
    server_piece_left_ = header->message_bytes() - there;
    passed += there;
  }
  client_out_.pass(upstream_inbox_.front_buffer(), in.first(passed));
  upstream_inbox_.take(worker_, passed);
}

/// Rows of which only columns that are known by their origin are masked. False when not
/// even one lies whole in the front buffer.
bool PostgresSession::mask_rows(const matcher::MaskProgram& program) {
  const ByteSpan in = upstream_inbox_.front(worker_);
  ExecutionMeter& meter = operations_open_.front().meter;
  std::size_t taken = 0;
  ByteSpan out;  // Room of client_out_, as far as it is not written.
  std::size_t written = 0;
  const auto finish_buffer = [&] {
    if (written != 0) client_out_.commit(written);
    written = 0;
  };
  while (client_out_.has_room()) {
    const auto header = header_of(BackendType::data_row, in.subspan(taken));
    if (!header || header->message_bytes() > in.size() - taken) break;
    if (!meter.admits(header->body_bytes)) break;
    const std::size_t needed = header->message_bytes() + rows_.told_growth_max();
    if (needed > buffer_data_bytes_max) break;
    if (out.size() - written < needed) {
      finish_buffer();
      if (!client_out_.reserve(needed)) {
        fail_session("53000", "the gateway has no buffer free", "no-buffers");
        return true;
      }
      out = client_out_.room();
    }
    const auto size =
        rows_.mask_told(worker_.scratch, program, in.subspan(taken, header->message_bytes()),
                        out.subspan(written), mask_counts_);
    if (!size) break;  // malformed: the slower way says so
    meter.count(header->body_bytes);
    taken += header->message_bytes();
    written += *size;
  }
  finish_buffer();
  upstream_inbox_.take(worker_, taken);
  return taken != 0;
}

}  // namespace sluice::dataplane
