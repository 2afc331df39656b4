#include "cli/tls_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::cli {

using dataplane::tls_overhead_bytes_max;
using dataplane::tls_record_bytes_max;
using dataplane::TlsOutput;
using State = dataplane::TlsStream::State;

namespace {

tl::unexpected<Error> fail_as(const dataplane::TlsFailure& failure) {
  return fail(failure.detail.empty()
                  ? fmt::format("TLS: {}", text(failure.fault))
                  : fmt::format("TLS: {} ({})", text(failure.fault), failure.detail));
}

}  // namespace

TlsChannel::TlsChannel(control::Channel& below,
                       std::shared_ptr<const dataplane::TlsContext> context,
                       const std::string& peer_name)
    : below_(below),
      stream_(std::move(context), peer_name),
      room_(tls_record_bytes_max + tls_overhead_bytes_max) {}

Result<std::unique_ptr<control::Channel>> TlsChannel::open(
    control::Channel& below, std::shared_ptr<const dataplane::TlsContext> context,
    const std::string& peer_name) {
  std::unique_ptr<TlsChannel> made(new TlsChannel(below, std::move(context), peer_name));
  if (auto done = made->shake_hands(); !done) return tl::unexpected(done.error());
  return made;
}

Result<void> TlsChannel::shake_hands() {
  for (;;) {
    // A client's first flight is the answer to nothing.
    if (auto done = take_arrived(early_); !done) return done;
    if (stream_.state() == State::open) return {};
    const auto got = below_.read(arrived_);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return fail("TLS: the peer closed the connection");
  }
}

Result<void> TlsChannel::take_arrived(std::string& plain) {
  std::array<std::uint8_t, tls_record_bytes_max> decrypted;
  for (;;) {
    TlsOutput out{.room = room_};
    const auto read = stream_.read(as_bytes(arrived_), decrypted, out);
    arrived_.erase(0, read.taken_bytes);
    plain.append(as_text(ByteView(decrypted).first(read.plain_bytes)));
    // An alert that says why it fails leaves, too.
    const auto flushed = flush(out);
    if (stream_.state() == State::failed) return fail_as(stream_.failure());
    if (!flushed) return flushed;
    if (read.taken_bytes + read.plain_bytes + out.size_bytes == 0) return {};
  }
}

Result<std::size_t> TlsChannel::read(std::string& unread) {
  const std::size_t before = unread.size();
  unread += std::exchange(early_, {});
  for (;;) {
    if (auto done = take_arrived(unread); !done) return tl::unexpected(done.error());
    if (unread.size() != before || stream_.has_peer_ended()) return unread.size() - before;
    const auto got = below_.read(arrived_);
    if (!got) return got;
    if (*got == 0) return fail("TLS: the connection was cut");
  }
}

Result<void> TlsChannel::write(ByteView bytes) {
  while (!bytes.empty()) {
    if (stream_.state() != State::open) return fail_as(stream_.failure());
    TlsOutput out{.room = room_};
    const std::size_t taken = stream_.write(bytes, out);
    if (taken == 0) return fail_as(stream_.failure());
    if (auto done = flush(out); !done) return done;
    bytes = bytes.subspan(taken);
  }
  return {};
}

void TlsChannel::end() {
  if (stream_.state() == State::open) {
    TlsOutput out{.room = room_};
    stream_.end(out);
    static_cast<void>(flush(out));
  }
  below_.end();
}

Result<void> TlsChannel::flush(const TlsOutput& out) {
  return out.size_bytes == 0 ? Result<void>() : below_.write(out.bytes());
}

}  // namespace sluice::cli
