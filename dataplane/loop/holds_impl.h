// Operations that wait for people: from their session to whoever keeps the requests, and
// the answer back.
#pragma once

#include <utility>

#include "dataplane/loop/loop.h"

namespace sluice::dataplane {

template <Transport T>
void Loop<T>::pass_on_holds(Connection& client) {
  Session& session = *client.session;
  // What ended came before what begins.
  if (const auto ended = session.take_ended_hold()) options_.end_hold(ended->request, ended->how);
  if (const auto wish = session.take_hold_wish()) options_.hold(client.id, std::move(*wish));
}

}  // namespace sluice::dataplane
