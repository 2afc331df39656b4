#include "dataplane/session/principal_record.h"

namespace sluice::dataplane {
namespace {

/// Who vouches for a token, and each time that its bearer has the key that it is bound to.
std::string_view bound_proof(config::Proof proof) noexcept {
  return proof == config::Proof::introspection ? "introspection+dpop" : "oidc+dpop";
}

}  // namespace

void describe_principal(const config::Principal& principal, audit::Record& record,
                        WorkerContext& worker) noexcept {
  record.subject = principal.subject;
  record.issuer = principal.issuer;
  record.credential_id = principal.credential_id;
  record.proof = principal.bound_key.empty() ? text(principal.proof) : bound_proof(principal.proof);
  worker.groups.assign(principal.groups.begin(), principal.groups.end());
  record.groups = worker.groups;
  worker.actors.clear();
  for (const config::Actor& actor : principal.actors) {
    worker.actors.push_back({actor.subject, actor.issuer});
  }
  record.delegation = worker.actors;
}

}  // namespace sluice::dataplane
