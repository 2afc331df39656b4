#include "control/key_revoker.h"

#include <fmt/format.h>

#include "control/revocations.h"

namespace sluice::control {

api::Outcome<void> KeyRevoker::revoke(const std::string& id, std::string_view by,
                                      const identity::ApiKeys& keys, const std::string& list) {
  const config::Principal* const who = keys.find(id);
  if (who == nullptr) return api::refuse(404, "no API key has that id");
  const std::string detail = fmt::format("asked by {}", by);
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = "key-revoked";
  record.detail = detail;
  record.subject = who->subject;
  record.issuer = who->issuer;
  record.credential_id = id;
  const std::lock_guard lock(revoking_);
  auto revoked = Revocations::read(revoked_keys, list);
  if (!revoked) return api::refuse(503, revoked.error().message);
  if (auto done = world_.record(record); !done) return api::refuse(503, done.error().message);
  if (auto done = revoked->add(id, world_.now()); !done) {
    return api::refuse(503, done.error().message);
  }
  return {};
}

}  // namespace sluice::control
