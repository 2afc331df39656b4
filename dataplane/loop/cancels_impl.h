// Cancel requests, from the connection they came by to the target's.
#pragma once

#include <utility>

#include "base/assert.h"
#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

/// To the worker that the session lives on.
template <Transport T>
void Loop<T>::pass_on_cancel(Connection& client) {
  const auto key = client.session->take_cancel_wish();
  if (!key) return;
  WorkerMail mail;
  mail.cancel = CancelRequest{*key, options_.worker, client.id};
  if (!options_.post(key->process >> cancel_session_bits, std::move(mail))) {
    client.session->on_cancel_settled();
  }
}

template <Transport T>
void Loop<T>::cancel(const CancelRequest& request) {
  if (!begin_cancel(request)) answer_cancel(request.worker, request.client);
}

/// The target takes a cancel request on a connection of its own. False when nothing runs
/// that the key is for.
template <Transport T>
bool Loop<T>::begin_cancel(const CancelRequest& request) {
  for (std::size_t i = 0; i < live_.size(); ++i) {
    Connection& client = connections_[live_[i]];
    if (client.role != Role::client) continue;
    auto order = client.session->on_cancel(request.key);
    if (!order) continue;
    if (order->empty()) {
      settle(client);
      return false;
    }
    return bring_cancel(client, std::move(*order), request.worker, request.client);
  }
  return false;
}

/// To the target of a client's upstream, which is still its own.
template <Transport T>
bool Loop<T>::bring_cancel(Connection& client, CancelOrder order, std::uint32_t asker_worker,
                           ConnId asker) {
  Connection* const upstream = find(client.other);
  if (upstream == nullptr) return false;
  const ConnId id = transport_.connect(upstream->pool->address(upstream->address).endpoint);
  if (id.index >= connections_.size()) return false;
  Connection& canceller = open(id, Role::canceller);
  canceller.connecting = true;
  canceller.pool = upstream->pool;
  canceller.address = upstream->address;
  canceller.deadline = context_.now.monotonic + client.session->target().connect_timeout;
  canceller.packet = std::move(order);
  canceller.other = upstream->id;
  canceller.asker_worker = asker_worker;
  canceller.asker = asker;
  ++upstream->cancels;
  return true;
}

/// Who asked may go on only now: else what it asks next could be hit.
template <Transport T>
void Loop<T>::answer_cancel(std::uint32_t worker, ConnId client) {
  WorkerMail mail;
  mail.cancelled = client;
  ASSERT(options_.post(worker, std::move(mail)));
}

/// The next session must not be hit by what was meant for the last one.
template <Transport T>
void Loop<T>::end_cancel(Connection& canceller, bool is_done) {
  if (Connection* const upstream = find(canceller.other)) {
    --upstream->cancels;
    upstream->may_be_cancelled = upstream->may_be_cancelled || !is_done;
    if (upstream->role == Role::settling) settle_upstream(*upstream);
  }
  answer_cancel(canceller.asker_worker, canceller.asker);
  close(canceller);
}

}  // namespace sluice::dataplane
