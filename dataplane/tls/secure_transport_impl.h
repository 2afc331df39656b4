// Definitions of SecureTransport; included where a loop is instantiated.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "dataplane/tls/secure_transport.h"

namespace sluice::dataplane {

/// How long an alert or close_notify may take to go out once nobody is above any more.
inline constexpr Duration parting_timeout = seconds(1);

/// How the kernel says that what came is no record of these keys.
inline bool is_no_record(int error) noexcept {
  return error == EBADMSG || error == EMSGSIZE || error == EINVAL;
}

template <Transport T>
SecureTransport<T>::SecureTransport(T& below, TlsMetrics& as_server, TlsMetrics& as_client)
    : below_(below),
      as_server_(as_server),
      as_client_(as_client),
      room_(below.pool()),
      secured_(below.connections_max()) {}

template <Transport T>
void SecureTransport<T>::secure(ConnId id, std::shared_ptr<const TlsContext> context,
                                const std::string& peer_name) {
  ASSERT(id.index < secured_.size() && !secured_[id.index]);
  TlsMetrics& metrics = context->is_server() ? as_server_ : as_client_;
  secured_[id.index] = std::make_unique<Secured>(id, room_, std::move(context), peer_name, metrics);
  ++count_;
  metrics.handshaking.add();
  Secured& secured = *secured_[id.index];
  if constexpr (KernelTlsTransport<T>) {
    const KernelTls* const kernel = below_.kernel_tls(id);
    if (kernel != nullptr) secured.link.stream().offer_to_kernel(*kernel);
  }
  secured.link.shake_hands();  // a client speaks first
  flush(secured);
  below_.receive(id);
  list(secured);
}

template <Transport T>
void SecureTransport<T>::take_in(ConnId id, BufferId buffer, std::uint32_t size_bytes) {
  Secured* const secured = find(id);
  ASSERT(secured != nullptr && !secured->has_shaken_hands);
  secured->link.push(buffer, size_bytes);
  list(*secured);
}

template <Transport T>
const TlsStream* SecureTransport<T>::stream(ConnId id) noexcept {
  const Secured* const secured = find(id);
  return secured == nullptr ? nullptr : &secured->link.stream();
}

template <Transport T>
void SecureTransport<T>::receive(ConnId id) {
  Secured* const secured = find(id);
  if (secured == nullptr) return below_.receive(id);
  secured->wants_receive = true;
  list(*secured);
}

template <Transport T>
void SecureTransport<T>::pause(ConnId id) {
  Secured* const secured = find(id);
  if (secured == nullptr) return below_.pause(id);
  secured->wants_receive = false;
  if (secured->has_shaken_hands) set_receiving_below(*secured, false);
}

template <Transport T>
void SecureTransport<T>::send(ConnId id, std::span<const Slice> slices) {
  Secured* const secured = find(id);
  if (secured == nullptr) return below_.send(id, slices);
  if (secured->is_closing || secured->has_told_failure) return;
  ASSERT(secured->has_shaken_hands && !secured->wants_shutdown);
  secured->link.begin_send(slices);
  list(*secured);  // it leaves with this turn, and so in one send with an end that follows
}

template <Transport T>
void SecureTransport<T>::splice(ConnId from, ConnId to, std::uint64_t size_bytes) {
  if (find(from) == nullptr && find(to) == nullptr) below_.splice(from, to, size_bytes);
}

template <Transport T>
void SecureTransport<T>::shutdown(ConnId id) {
  Secured* const secured = find(id);
  if (secured == nullptr) return below_.shutdown(id);
  if (secured->is_closing || std::exchange(secured->wants_shutdown, true)) return;
  ASSERT(secured->has_shaken_hands);
  secured->link.end();
  flush(*secured);
}

template <Transport T>
void SecureTransport<T>::close(ConnId id) {
  Secured* const secured = find(id);
  if (secured == nullptr) return below_.close(id);
  if (std::exchange(secured->is_closing, true)) return;
  secured->link.abandon();
  if (secured->error_below != 0 || !secured->link.is_parting()) return below_.close(id);
  below_.pause(id);
  partings_.push_back({id, below_.now().monotonic + parting_timeout});
  finish_closing(*secured);
}

template <Transport T>
std::size_t SecureTransport<T>::poll(std::span<Completion> done, Duration wait) {
  if (count_ == 0) return below_.poll(done, wait);
  ++turn_;
  turn_handshake_steps_ = 0;
  has_deferred_ = false;
  // What waits from before takes half of the room at most: the transport below has news, too.
  const std::size_t before = report_ready(done.first(done.size() / 2));
  const bool may_wait = before == 0 && !has_deferred_;
  const std::size_t polled = below_.poll(done.subspan(before), may_wait ? wait : Duration{});
  std::size_t count = before;
  for (std::size_t i = before; i < before + polled; ++i) {
    if (absorb(done[i])) continue;
    if (count != i) done[count] = done[i];
    ++count;
  }
  count += report_ready(done.subspan(count));
  if (!partings_.empty()) close_late();
  return count;
}

/// True when it is nothing for whoever is above, or will be told in other words.
template <Transport T>
bool SecureTransport<T>::absorb(const Completion& completion) {
  using Kind = Completion::Kind;
  Secured* const secured = find(completion.conn);
  if (secured == nullptr) return false;
  switch (completion.kind) {
    case Kind::received:
      if (secured->is_closing || secured->has_told_failure || secured->link.stream().is_over()) {
        below_.pool().release(completion.buffer);
      } else {
        secured->link.push(completion.buffer, completion.size_bytes);
      }
      break;
    case Kind::record:
      take_record(*secured);
      break;
    case Kind::peer_closed:
      secured->has_ended_below = true;
      break;
    case Kind::sent:
      secured->link.sent_below();
      flush(*secured);
      break;
    case Kind::failed:
      secured->error_below = completion.error;
      if (secured->link.stream().is_opened_by_kernel() && is_no_record(completion.error)) {
        secured->link.stream().give_up(TlsFault::malformed);
      }
      break;
    case Kind::closed:
      forget(*secured);
      return false;
    case Kind::accepted:
    case Kind::connected:
    case Kind::secured:
    case Kind::spliced:
    case Kind::woken:
      return false;
  }
  list(*secured);
  return true;
}

template <Transport T>
std::size_t SecureTransport<T>::report_ready(std::span<Completion> done) {
  std::size_t count = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    Secured* const secured = find(ready_[i]);
    if (secured == nullptr) continue;
    Look found = Look::again;
    while (count < done.size()) {
      found = look(*secured, done[count]);
      if (found != Look::reported) break;
      ++count;
    }
    secured->is_listed = found != Look::idle;
    if (secured->is_listed) ready_[kept++] = secured->id;
  }
  ready_.resize(kept);
  return count;
}

template <Transport T>
typename SecureTransport<T>::Look SecureTransport<T>::look(Secured& secured, Completion& out) {
  using State = TlsStream::State;
  SecureConnection& link = secured.link;
  if (secured.is_closing) {
    finish_closing(secured);
    return Look::idle;
  }
  if (secured.has_told_failure) return Look::idle;
  if (!secured.has_shaken_hands) return look_at_handshake(secured, out);
  if (link.take_send_done()) return tell(out, Completion::Kind::sent, secured);
  if (secured.wants_receive && !secured.has_told_end && link.has_input()) {
    const Look found = look_at_input(secured, out);
    if (found != Look::idle) return found;
  }
  if (link.stream().state() == State::failed) {
    secured.metrics.broken.add();
    return tell_failure(out, EPROTO, secured);
  }
  // What can still be read is, unless nobody wants it while a send waits in vain.
  if (secured.error_below != 0 && (!link.has_input() || !secured.wants_receive)) {
    return tell_failure(out, secured.error_below, secured);
  }
  if (secured.wants_receive && !secured.has_told_end && !link.has_input()) {
    if (link.stream().has_peer_ended()) {
      secured.has_told_end = true;
      return tell(out, Completion::Kind::peer_closed, secured);
    }
    if (secured.has_ended_below) {
      link.stream().give_up(TlsFault::truncated);
      return tell_failure(out, ECONNRESET, secured);
    }
  }
  place_received_key(secured);
  set_receiving_below(secured, secured.wants_receive && !link.has_input());
  flush(secured);
  return link.is_starved() ? Look::again : Look::idle;
}

template <Transport T>
typename SecureTransport<T>::Look SecureTransport<T>::look_at_handshake(Secured& secured,
                                                                        Completion& out) {
  using State = TlsStream::State;
  TlsStream& stream = secured.link.stream();
  if (stream.state() == State::handshake) {
    if (secured.link.has_input() && !take_handshake_step()) return Look::again;
    secured.link.shake_hands();
    flush(secured);
  }
  if (stream.state() == State::handshake && secured.error_below != 0) {
    stream.give_up(TlsFault::unreachable);
  } else if (stream.state() == State::handshake && secured.has_ended_below) {
    stream.give_up(TlsFault::truncated);
  }
  if (stream.state() == State::handshake) return Look::idle;
  secured.metrics.handshaking.subtract();
  secured.has_shaken_hands = true;  // or never will
  if (stream.state() == State::failed) {
    secured.metrics.failed[static_cast<std::size_t>(stream.failure().fault)].add();
    const bool is_below = stream.failure().fault == TlsFault::unreachable;
    return tell_failure(out, is_below ? secured.error_below : EPROTO, secured);
  }
  (stream.is_tls13() ? secured.metrics.done_tls13 : secured.metrics.done_tls12).add();
  if (stream.is_resumed()) secured.metrics.resumed.add();
  place_received_key(secured);
  return tell(out, Completion::Kind::secured, secured);
}

template <Transport T>
bool SecureTransport<T>::take_handshake_step() noexcept {
  has_deferred_ = turn_handshake_steps_ == handshake_steps_per_turn_max;
  if (!has_deferred_) ++turn_handshake_steps_;
  return !has_deferred_;
}

template <Transport T>
typename SecureTransport<T>::Look SecureTransport<T>::look_at_input(Secured& secured,
                                                                    Completion& out) {
  if (!may_receive(secured)) {
    set_receiving_below(secured, false);
    return Look::again;
  }
  const SecureConnection::Plain plain = secured.link.decrypt();
  const bool is_starved = secured.link.is_starved();
  flush(secured);
  if (is_starved) {
    set_receiving_below(secured, false);
    return Look::again;
  }
  if (plain.buffer == no_buffer) return Look::idle;
  ++secured.turn_receives;
  tell(out, Completion::Kind::received, secured);
  out.buffer = plain.buffer;
  out.size_bytes = plain.size_bytes;
  return Look::reported;
}

template <Transport T>
bool SecureTransport<T>::may_receive(Secured& secured) noexcept {
  if (std::exchange(secured.turn, turn_) != turn_) secured.turn_receives = 0;
  return secured.turn_receives < receives_per_turn_max;
}

template <Transport T>
void SecureTransport<T>::set_receiving_below(Secured& secured, bool wanted) {
  if (secured.receives_below == wanted) return;
  secured.receives_below = wanted;
  wanted ? below_.receive(secured.id) : below_.pause(secured.id);
}

/// Sends what there is to send, when the send before it is over.
template <Transport T>
void SecureTransport<T>::flush(Secured& secured) {
  SecureConnection& link = secured.link;
  if (link.is_sending_below() || secured.error_below != 0 || secured.is_shut_below) return;
  place_key(secured);
  if (secured.error_below != 0) return;
  std::array<Slice, slices_per_send_max> slices;
  const SecureConnection::Send send = link.begin_send_below(slices);
  if (send.count != 0) send_below(secured, {slices.data(), send.count}, send.record_type);
  if (link.is_starved() || link.stream().state() == TlsStream::State::failed) list(secured);
  if (!link.is_at_end()) return;
  secured.is_shut_below = true;
  below_.shutdown(secured.id);
}

/// What was encrypted here has left: the kernel takes over, and the handshake goes on.
template <Transport T>
void SecureTransport<T>::place_key(Secured& secured) {
  if (!secured.link.may_place_key()) return;
  if constexpr (KernelTlsTransport<T>) {
    TlsStream& stream = secured.link.stream();
    secured.error_below = below_.protect(secured.id, *stream.key_for_kernel());
    stream.key_is_placed();
    if (secured.error_below == 0) secured.metrics.kernel.add();
    list(secured);
  }
}

/// What came is read to its last byte, and the peer is between two records: most are, as they wait
/// for the end of the handshake here, or for an answer.
template <Transport T>
void SecureTransport<T>::place_received_key(Secured& secured) {
  TlsStream& stream = secured.link.stream();
  if (!stream.has_received_key()) return;
  if constexpr (KernelTlsTransport<T>) {
    const bool has_read = !secured.link.has_input() && !secured.has_ended_below;
    const auto key = has_read ? stream.received_key() : std::nullopt;
    const int error = key ? below_.receive_protected(secured.id, *key) : EAGAIN;
    if (error == 0) {
      stream.received_key_is_placed();
      secured.metrics.kernel_received.add();
    } else if (error != EAGAIN || stream.received_records() > records_before_kernel_max) {
      stream.forget_received_key();
      secured.metrics.kernel_missed.add();
    }
  }
}

template <Transport T>
void SecureTransport<T>::take_record(Secured& secured) {
  if constexpr (KernelTlsTransport<T>) {
    std::array<std::uint8_t, 4> content{};  // an alert, and more than one
    const KernelTlsRecord record = below_.take_record(secured.id, content);
    secured.link.stream().hear(record.type, ByteView(content).first(record.size_bytes));
  }
}

template <Transport T>
void SecureTransport<T>::send_below(Secured& secured, std::span<const Slice> slices,
                                    std::uint8_t record_type) {
  if (record_type == 0) return below_.send(secured.id, slices);
  if constexpr (KernelTlsTransport<T>) {
    below_.send_record(secured.id, record_type, slices.front());
  }
}

/// Closed above: below, too, once the last words have gone out.
template <Transport T>
void SecureTransport<T>::finish_closing(Secured& secured) {
  flush(secured);
  if (secured.error_below != 0 || !secured.link.is_sending_below()) below_.close(secured.id);
}

template <Transport T>
void SecureTransport<T>::close_late() {
  const Instant now = below_.now().monotonic;
  std::erase_if(partings_, [&](const Parting& parting) {
    if (find(parting.id) == nullptr) return true;
    if (now < parting.until) return false;
    below_.close(parting.id);
    return true;
  });
}

template <Transport T>
typename SecureTransport<T>::Secured* SecureTransport<T>::find(ConnId id) noexcept {
  if (id.index >= secured_.size()) return nullptr;
  Secured* const secured = secured_[id.index].get();
  return secured != nullptr && secured->id == id ? secured : nullptr;
}

template <Transport T>
void SecureTransport<T>::list(Secured& secured) {
  if (std::exchange(secured.is_listed, true)) return;
  ready_.push_back(secured.id);
}

template <Transport T>
void SecureTransport<T>::forget(Secured& secured) {
  if (!secured.has_shaken_hands) secured.metrics.handshaking.subtract();
  --count_;
  secured_[secured.id.index].reset();
}

template <Transport T>
typename SecureTransport<T>::Look SecureTransport<T>::tell(Completion& out, Completion::Kind kind,
                                                           Secured& secured) {
  out = {};
  out.kind = kind;
  out.conn = secured.id;
  return Look::reported;
}

template <Transport T>
typename SecureTransport<T>::Look SecureTransport<T>::tell_failure(Completion& out, int error,
                                                                   Secured& secured) {
  secured.has_told_failure = true;
  tell(out, Completion::Kind::failed, secured);
  out.error = error;
  return Look::reported;
}

}  // namespace sluice::dataplane
