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

}  // namespace sluice::dataplane
