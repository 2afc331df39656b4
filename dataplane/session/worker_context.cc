#include "dataplane/session/worker_context.h"

#include "base/assert.h"

namespace sluice::dataplane {

void WorkerContext::make_room_for(const Snapshot& snapshot) {
  for (matcher::Scratch* each : {&scratch, &text_scratch}) {
    ASSERT(each->prepare(*snapshot.masks).has_value());
    for (const ListenerPlan& plan : snapshot.listeners) {
      for (const auto& set : {plan.headers, plan.bodies, plan.statements}) {
        ASSERT(!set || each->prepare(*set).has_value());
      }
    }
  }
  for (const ListenerPlan& plan : snapshot.listeners) {
    plan.policy.paths().prepare(path_search);
    if (plan.headers) header_hits.reserve(plan.headers->size());
  }
}

}  // namespace sluice::dataplane
