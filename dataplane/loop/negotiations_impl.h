// How a PostgreSQL connection gets to TLS: by asking for it in clear, or at once.
//
// Whoever sits on the way can send bytes in clear with the request, or with the answer to it,
// so that they seem to be the first ones inside of TLS (CVE-2021-23214, CVE-2021-23222). Nothing
// that came in clear is for the session here: with a request it is refused, behind it TLS gets it.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/loop/loop.h"
#include "parsers/postgres/encryption.h"

namespace sluice::dataplane {

template <Transport T>
void Loop<T>::begin_handshake(Connection& connection) {
  connection.receiving = false;  // the handshake does, by itself
  if (connection.pool == nullptr) {
    connection.role = Role::arriving;
    return transport_.secure(connection.id, listener_tls_[connection.listener]);
  }
  UpstreamPool& pool = *connection.pool;
  transport_.secure(connection.id, pool.tls(), pool.tls_name(connection.address));
}

// Towards a client.

template <Transport T>
void Loop<T>::on_opening_bytes(Connection& client, const Completion& completion) {
  using postgres::Opening;
  // It was answered, and what the same turn brings was sent before that.
  if (client.sending) return refuse_early_bytes(client, completion);
  const std::uint8_t* const arrived = context_.pool.data(completion.buffer);
  client.packet.insert(client.packet.end(), arrived, arrived + completion.size_bytes);
  const Opening opening = postgres::decode_opening(client.packet);
  switch (opening) {
    case Opening::needs_more:
      return context_.pool.release(completion.buffer);
    case Opening::direct_tls:  // known by the first byte: all of it is in this buffer
      client.packet = {};
      client.is_direct_tls = true;
      begin_handshake(client);
      return on_received(client, completion);
    case Opening::ssl_request:
    case Opening::gssenc_request:
      if (client.packet.size() != postgres::ssl_request_packet.size()) {
        return refuse_early_bytes(client, completion);
      }
      context_.pool.release(completion.buffer);
      return answer_request(client, opening == Opening::ssl_request);
    case Opening::in_clear:
      return begin_in_clear(client, completion);
  }
}

template <Transport T>
void Loop<T>::answer_request(Connection& client, bool is_for_tls) {
  client.packet = {};
  // From now on the transport keeps what comes, until it is asked to receive: for TLS.
  set_receiving(client, false);
  if (is_for_tls) client.role = Role::arriving;
  const std::uint8_t& answer =
      is_for_tls ? postgres::encryption_accepted : postgres::encryption_refused;
  const Slice slice{&answer, 1};
  client.sending = true;
  transport_.send(client.id, {&slice, 1});
}

template <Transport T>
void Loop<T>::on_request_answered(Connection& client) {
  client.role == Role::arriving ? begin_handshake(client) : set_receiving(client, true);
}

/// The session knows what there is to say about that.
template <Transport T>
void Loop<T>::begin_in_clear(Connection& client, const Completion& completion) {
  const std::vector<std::uint8_t> packet = std::exchange(client.packet, {});
  Completion whole = completion;
  // No packet that opens a connection is longer than a buffer.
  whole.size_bytes = static_cast<std::uint32_t>(std::min(packet.size(), buffer_data_bytes_max));
  std::memcpy(context_.pool.data(whole.buffer), packet.data(), whole.size_bytes);
  begin_session(client);
  on_received(client, whole);
}

template <Transport T>
void Loop<T>::refuse_early_bytes(Connection& connection, const Completion& completion) {
  context_.pool.release(completion.buffer);
  on_handshake_failed(connection, TlsFault::early_bytes);
}

// Towards a target.

template <Transport T>
void Loop<T>::ask_for_tls(Connection& connection) {
  const Slice slice{postgres::ssl_request_packet.data(), postgres::ssl_request_packet.size()};
  connection.awaits_tls = connection.sending = true;
  transport_.send(connection.id, {&slice, 1});
}

template <Transport T>
void Loop<T>::on_tls_answer(Connection& connection, const Completion& completion) {
  using postgres::EncryptionAnswer;
  if (!std::exchange(connection.awaits_tls, false))
    return refuse_early_bytes(connection, completion);
  const EncryptionAnswer answer = postgres::decode_encryption_answer(
      {context_.pool.data(completion.buffer), completion.size_bytes});
  if (answer == EncryptionAnswer::early) return refuse_early_bytes(connection, completion);
  context_.pool.release(completion.buffer);
  if (answer == EncryptionAnswer::accepted) return begin_handshake(connection);
  on_handshake_failed(connection,
                      answer == EncryptionAnswer::refused ? TlsFault::refused : TlsFault::not_tls);
}

}  // namespace sluice::dataplane
