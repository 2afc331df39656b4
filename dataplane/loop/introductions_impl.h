// Proxies that say for whom they speak, before the client's own bytes.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/loop/loop.h"
#include "parsers/proxy_protocol/header.h"

namespace sluice::dataplane {

/// Whether a header of the PROXY protocol must come before what the client sends.
inline bool is_introduced(const ListenerPlan& plan, const Endpoint& peer) noexcept {
  const ByteView address = address_bytes(peer);
  return std::ranges::any_of(plan.proxies,
                             [&](const auto& network) { return network.contains(address); });
}

template <Transport T>
void Loop<T>::await_introduction(Connection& client, const config::ProxySource& proxies) {
  client.role = Role::introducing;
  client.deadline = context_.now.monotonic + proxies.wait_max;
  set_receiving(client, true);
}

template <Transport T>
void Loop<T>::on_introduction_bytes(Connection& client, const Completion& completion) {
  using Kind = proxy_protocol::HeaderStep::Kind;
  std::uint8_t* const arrived = context_.pool.data(completion.buffer);
  client.packet.insert(client.packet.end(), arrived, arrived + completion.size_bytes);
  const auto step = proxy_protocol::decode_header(client.packet);
  if (step.kind != Kind::header) {
    context_.pool.release(completion.buffer);
    if (step.kind == Kind::malformed) refuse_introduction(client);
    return;
  }
  if (step.has_addresses) {
    const ByteView host(step.source.bytes);
    client.peer = endpoint(host.first(step.source.is_v6 ? 16 : 4), step.source.port);
  }
  // What came with the header's end is the client's.
  const auto behind = static_cast<std::uint32_t>(client.packet.size() - step.size_bytes);
  client.packet = {};
  arrive(client);
  if (behind == 0) return context_.pool.release(completion.buffer);
  std::memmove(arrived, arrived + completion.size_bytes - behind, behind);
  Completion rest = completion;
  rest.size_bytes = behind;
  on_received(client, rest);
}

template <Transport T>
void Loop<T>::refuse_introduction(Connection& client) {
  context_.metrics.introductions_refused.add();
  close(client);
}

inline proxy_protocol::Address address_of(const Endpoint& endpoint) noexcept {
  const ByteView host = address_bytes(endpoint);
  proxy_protocol::Address address;
  std::ranges::copy(host, address.bytes.begin());
  address.is_v6 = host.size() == address.bytes.size();
  address.port = ntohs(address.is_v6 ? endpoint.v6.sin6_port : endpoint.v4.sin_port);
  return address;
}

/// Nobody else may use what was made for a client that is gone.
template <Transport T>
bool Loop<T>::is_orphan(const Connection& upstream) noexcept {
  return upstream.spoken_for != ConnId{} && find(upstream.spoken_for) == nullptr;
}

/// The other way: a target may want to hear first for whom a connection is. True: that is on
/// its way, and nothing else may go before it has gone.
template <Transport T>
bool Loop<T>::introduce(Connection& connection) {
  if (connection.pool == nullptr) return false;
  const config::ProxyHeader wanted = connection.pool->proxy_header();
  if (wanted == config::ProxyHeader::off) return false;
  using proxy_protocol::Version;
  const Version version = wanted == config::ProxyHeader::v1 ? Version::v1 : Version::v2;
  std::array<std::uint8_t, proxy_protocol::written_bytes_max> room;
  std::size_t size = 0;
  if (connection.role == Role::upstream) {
    const Connection& client = client_of(connection);
    const ListenerPlan& listener = context_.current->snapshot().listeners[client.listener];
    size = proxy_protocol::write_header(version, address_of(client.peer),
                                        address_of(listener.endpoint), room);
  } else {
    size = proxy_protocol::write_own_header(version, room);
  }
  connection.header.assign(room.data(), room.data() + size);
  const Slice slice{connection.header.data(), static_cast<std::uint32_t>(size)};
  connection.sending = true;
  transport_.send(connection.id, {&slice, 1});
  return true;
}

}  // namespace sluice::dataplane
