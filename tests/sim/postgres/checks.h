// What must hold after a simulation, whatever happened in it.
#pragma once

#include "gateway.h"

namespace sluice::dataplane::postgres_sim {

/// Each client was told what a server of its own would have told it. With
/// `whole`, all of it, and what it committed is there.
void check_replies(const Gateway& gateway, bool whole);
/// No value that a mask covers reached a client that it holds for.
void check_secrets(const Gateway& gateway);
/// Nothing that is denied reached the server, and cancels hit only who asked.
void check_target(const Gateway& gateway);
/// Who asked for a cancel is let go when it has come: what it asks next must not be hit.
/// Where connections break, nobody can know.
void check_cancels(const Gateway& gateway);
/// No connection is left, and to the target there were never more than allowed.
void check_connections(Gateway& gateway);
/// After check_log. Nothing ran before its intent was on disk, and nobody was told that an
/// execution ended before its outcome was.
void check_durable(const Gateway& gateway);
/// Nobody ran more of what a rate limits than that allows.
void check_rates(const Gateway& gateway);
/// After check_log. What was held ran once each time that people approved it as it was shown,
/// and never otherwise; whoever keeps the requests was told how each ended.
void check_holds(const Gateway& gateway);
/// Stops the gateway: the log verifies, all executions have an intent before and one
/// outcome, no record shows a value, and all buffers are free.
void check_log(Gateway& gateway);

}  // namespace sluice::dataplane::postgres_sim
