// Sessions as people ask for them, and the end that an operator makes of one.
#pragma once

#include <algorithm>
#include <utility>

#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

template <Transport T>
SessionSummary Loop<T>::summary_of(const Connection& client) const {
  const auto& plan = context_.current->snapshot().listeners[client.listener];
  SessionSummary out;
  out.since = client.since;
  out.peer = text(client.peer);
  out.listener = plan.settings.name;
  out.target = plan.settings.target;
  out.protocol = plan.settings.protocol;
  client.session->describe(out);
  return out;
}

template <Transport T>
void Loop<T>::answer_survey(const SessionSurvey& survey) {
  SessionPage page;
  const std::size_t end = std::min(connections_.size(), survey.from + places_per_page);
  std::size_t at = survey.from;
  for (; at < end && page.sessions.size() < sessions_per_page; ++at) {
    const Connection& connection = connections_[at];
    if (connection.role == Role::client) page.sessions.push_back(summary_of(connection));
  }
  if (at < connections_.size()) page.next = static_cast<std::uint32_t>(at);
  survey.answer(std::move(page));
}

template <Transport T>
void Loop<T>::answer_lookup(const SessionLookup& lookup) {
  const auto at = std::ranges::find_if(live_, [&](std::uint32_t index) {
    const Connection& connection = connections_[index];
    return connection.role == Role::client && connection.session->number() == lookup.session;
  });
  if (at == live_.end()) return lookup.answer(std::nullopt);
  Connection& client = connections_[*at];
  SessionSummary summary = summary_of(client);
  if (lookup.kill) kill(client);
  lookup.answer(std::move(summary));
}

/// What runs at the target is told to stop, too: it would not notice that its client is gone.
template <Transport T>
void Loop<T>::kill(Connection& client) {
  CancelOrder order = client.session->on_kill();
  if (!order.empty()) {
    static_cast<void>(bring_cancel(client, std::move(order), options_.worker, ConnId{}));
  }
  settle(client);
}

}  // namespace sluice::dataplane
