#include "dataplane/tls/secure_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace sluice::dataplane {
namespace {

/// A slot with less room than this is full: short records cost more than what they carry.
constexpr std::size_t worthwhile_bytes = 1024;

}  // namespace

SecureConnection::SecureConnection(TlsRoom& room, std::shared_ptr<const TlsContext> context,
                                   const std::string& peer_name)
    : room_(room), stream_(std::move(context), peer_name) {}

SecureConnection::~SecureConnection() {
  drop_input();
  sent_below();
  if (parked_ != no_buffer) room_.pool.release(parked_);
}

void SecureConnection::push(BufferId buffer, std::uint32_t size_bytes) noexcept {
  room_.backlogs.push(unread_, {buffer, size_bytes});
}

bool SecureConnection::has_input() const noexcept {
  return reading_ != no_buffer || !unread_.empty() || stream_.has_plaintext();
}

ByteView SecureConnection::next_input() noexcept {
  if (reading_ == no_buffer && !unread_.empty()) {
    const BacklogTable::Entry entry = room_.backlogs.pop(unread_);
    reading_ = entry.buffer;
    reading_at_ = 0;
    reading_end_ = entry.size_bytes;
  }
  if (reading_ == no_buffer) return {};
  return {room_.pool.data(reading_) + reading_at_, reading_end_ - reading_at_};
}

void SecureConnection::consume_input(std::size_t size_bytes) noexcept {
  if (reading_ == no_buffer) return;
  reading_at_ += static_cast<std::uint32_t>(size_bytes);
  if (reading_at_ == reading_end_) room_.pool.release(std::exchange(reading_, no_buffer));
}

void SecureConnection::drop_input() noexcept {
  while (!next_input().empty()) consume_input(reading_end_ - reading_at_);
}

void SecureConnection::shake_hands() noexcept {
  std::size_t taken = 0;
  do {
    TlsOutput out = own_output();
    taken = stream_.read(next_input(), {}, out).taken_bytes;
    consume_input(taken);
    park(out);
  } while (taken != 0 && has_input() && stream_.state() == TlsStream::State::handshake);
}

/// As it came: the kernel has opened it.
SecureConnection::Plain SecureConnection::next_plain() noexcept {
  is_starved_ = false;
  if (unread_.empty()) return {};
  const BacklogTable::Entry entry = room_.backlogs.pop(unread_);
  return {entry.buffer, entry.size_bytes};
}

SecureConnection::Plain SecureConnection::decrypt() noexcept {
  if (stream_.is_opened_by_kernel()) return next_plain();
  const BufferId buffer = room_.pool.take();
  is_starved_ = buffer == no_buffer;
  if (is_starved_) return {};
  const ByteSpan plain{room_.pool.data(buffer), buffer_data_bytes_max};
  std::size_t size = 0;
  while (size < plain.size() && has_input()) {
    TlsOutput out = own_output();
    const TlsStream::Read done = stream_.read(next_input(), plain.subspan(size), out);
    consume_input(done.taken_bytes);
    size += done.plain_bytes;
    park(out);
    const bool is_over = stream_.state() != TlsStream::State::open || stream_.has_peer_ended();
    if (is_over) drop_input();
    if (is_over || (done.taken_bytes == 0 && done.plain_bytes == 0)) break;
  }
  if (size != 0) return {buffer, static_cast<std::uint32_t>(size)};
  room_.pool.release(buffer);
  return {};
}

/// For what the protocol says by itself. The content of one record does not join another's.
TlsOutput SecureConnection::own_output() noexcept {
  const bool waits = stream_.is_kernels() && parked_ != no_buffer;
  return {.room = waits ? ByteSpan() : ByteSpan(room_.output)};
}

/// Keeps it. A peer that makes it say more than a slot holds while it reads nothing is given up.
void SecureConnection::park(const TlsOutput& out) noexcept {
  const ByteView output = out.bytes();
  if (output.empty()) return;
  parked_type_ = out.record_type;
  if (parked_ == no_buffer) {
    parked_ = room_.pool.take();
    parked_bytes_ = 0;
  }
  if (parked_ == no_buffer || slot_bytes - parked_bytes_ < output.size()) {
    return stream_.give_up(TlsFault::no_room);
  }
  std::memcpy(room_.pool.slot(parked_).data() + parked_bytes_, output.data(), output.size());
  parked_bytes_ += static_cast<std::uint32_t>(output.size());
}

void SecureConnection::begin_send(std::span<const Slice> slices) noexcept {
  ASSERT(!is_sending_ && !slices.empty() && slices.size() <= slices_.size());
  std::copy(slices.begin(), slices.end(), slices_.begin());
  slice_count_ = static_cast<std::uint8_t>(slices.size());
  slice_ = 0;
  slice_at_ = 0;
  is_sending_ = true;
}

bool SecureConnection::take_send_done() noexcept {
  if (!is_sending_ || has_plaintext() || is_sending_below()) return false;
  is_sending_ = false;
  return true;
}

SecureConnection::Send SecureConnection::begin_send_below(
    std::span<Slice, slices_per_send_max> slices) noexcept {
  ASSERT(!is_sending_below());
  is_starved_ = false;
  const Send send =
      stream_.is_kernels() ? begin_kernels_send(slices) : Send{begin_own_send(slices), 0};
  is_sending_below_ = send.count != 0;
  return send;
}

std::size_t SecureConnection::begin_own_send(std::span<Slice> slices) noexcept {
  // What was said first leaves first: records are numbered.
  if (parked_ != no_buffer) lend(std::exchange(parked_, no_buffer), parked_bytes_, slices);
  const bool is_open =
      stream_.state() == TlsStream::State::open && stream_.key_for_kernel() == nullptr;
  while (is_open && has_plaintext() && lent_count_ < slots_per_send) {
    const BufferId buffer = room_.pool.take();
    is_starved_ = buffer == no_buffer && lent_count_ == 0;
    if (buffer == no_buffer) break;
    const std::size_t size = encrypt_into(room_.pool.slot(buffer));
    if (size == 0) {
      room_.pool.release(buffer);
      break;
    }
    lend(buffer, size, slices);
  }
  if (is_open && !has_plaintext() && wants_end_ && !has_said_end_) say_end();
  if (parked_ != no_buffer && lent_count_ < slots_per_send) {
    lend(std::exchange(parked_, no_buffer), parked_bytes_, slices);
  }
  return lent_count_;
}

/// Plaintext leaves from where it lies.
SecureConnection::Send SecureConnection::begin_kernels_send(std::span<Slice> slices) noexcept {
  if (parked_ == no_buffer && !has_plaintext() && wants_end_ && !has_said_end_) say_end();
  if (parked_ != no_buffer) {
    lend(std::exchange(parked_, no_buffer), parked_bytes_, slices);
    return {1, parked_type_};
  }
  if (stream_.state() != TlsStream::State::open || !has_plaintext()) return {};
  is_lending_slices_ = true;
  const std::span<const Slice> all = std::span<const Slice>(slices_).first(slice_count_);
  std::ranges::copy(all, slices.begin());
  return {all.size(), 0};
}

void SecureConnection::say_end() noexcept {
  if (stream_.state() != TlsStream::State::open) return;
  has_said_end_ = true;
  TlsOutput out = own_output();
  stream_.end(out);
  park(out);
}

void SecureConnection::lend(BufferId buffer, std::size_t size_bytes,
                            std::span<Slice> slices) noexcept {
  slices[lent_count_] = {room_.pool.slot(buffer).data(), static_cast<std::uint32_t>(size_bytes)};
  lent_[lent_count_++] = buffer;
}

void SecureConnection::sent_below() noexcept {
  while (lent_count_ != 0) room_.pool.release(lent_[--lent_count_]);
  if (std::exchange(is_lending_slices_, false)) slice_ = slice_count_;
  is_sending_below_ = false;
}

/// returns  bytes of ciphertext; 0 when it failed.
std::size_t SecureConnection::encrypt_into(ByteSpan slot) noexcept {
  TlsOutput out{slot};
  while (has_plaintext() && out.left_bytes() > tls_overhead_bytes_max + worthwhile_bytes) {
    const std::size_t bytes_max =
        std::min(tls_record_bytes_max, out.left_bytes() - tls_overhead_bytes_max);
    const std::size_t taken = stream_.write(next_plaintext(bytes_max), out);
    if (taken == 0) break;
    consume_plaintext(taken);
  }
  return out.size_bytes;
}

/// What fills half a record at least, where there is enough: short slices are laid side by side,
/// which for longer ones would cost more than another record does.
ByteView SecureConnection::next_plaintext(std::size_t bytes_max) noexcept {
  const Slice& first = slices_[slice_];
  const ByteView left{first.data + slice_at_, first.size_bytes - slice_at_};
  const bool is_last = slice_ + 1 == slice_count_;
  if (is_last || left.size() >= bytes_max / 2) return left.first(std::min(left.size(), bytes_max));

  std::memcpy(room_.record.data(), left.data(), left.size());
  std::size_t size = left.size();
  for (std::size_t i = slice_ + 1U; i < slice_count_ && size < bytes_max; ++i) {
    const std::size_t count = std::min<std::size_t>(slices_[i].size_bytes, bytes_max - size);
    std::memcpy(room_.record.data() + size, slices_[i].data, count);
    size += count;
  }
  return {room_.record.data(), size};
}

void SecureConnection::consume_plaintext(std::size_t size_bytes) noexcept {
  while (size_bytes != 0) {
    const std::size_t left = slices_[slice_].size_bytes - slice_at_;
    if (size_bytes < left) {
      slice_at_ += static_cast<std::uint32_t>(size_bytes);
      return;
    }
    size_bytes -= left;
    ++slice_;
    slice_at_ = 0;
  }
}

void SecureConnection::abandon() noexcept {
  drop_input();
  // The end of what was cut off must not look like an end that was meant.
  if (has_plaintext()) wants_end_ = false;
  slice_ = slice_count_ = 0;
}

bool SecureConnection::is_parting() const noexcept {
  const bool has_more =
      parked_ != no_buffer || is_sending_below() || (wants_end_ && !has_said_end_);
  return has_more && (wants_end_ || stream_.state() == TlsStream::State::failed);
}

}  // namespace sluice::dataplane
