#include "control/api/entry.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/api_keys.h"

namespace sluice::control::api {
namespace {

/// A key that was shown in the place of its id goes into no record.
std::string without_secrets(std::string_view path) {
  std::string out;
  for (std::size_t at = 0;; out += '/') {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    const auto id = identity::id_in_key(part);
    out += id ? fmt::format("sk_{}_…", *id) : std::string(part);
    if (end == path.size()) return out;
    at = end + 1;
  }
}

}  // namespace

Entry::Entry(const Call& call, std::string_view path, const Caller& caller)
    : call_(call),
      path_(without_secrets(path)),
      caller_(caller),
      groups_(caller.who.groups.begin(), caller.who.groups.end()) {
  for (const config::Actor& actor : caller.who.actors) {
    actors_.push_back({actor.subject, actor.issuer});
  }
}

audit::Record Entry::with(std::string_view event) const {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = event;
  record.subject = caller_.who.subject;
  record.issuer = caller_.who.issuer;
  record.proof = caller_.proof;
  record.credential_id = caller_.who.credential_id;
  record.groups = groups_;
  record.delegation = actors_;
  record.peer = caller_.peer;
  record.verb = call_.method;
  record.resource = path_;
  record.detail = call_.id;
  return record;
}

audit::Record Entry::called(std::string_view reason) const {
  audit::Record record = with("api-called");
  record.reason = reason;
  return record;
}

audit::Record Entry::denied(const Problem& problem) const {
  audit::Record record = with("api-denied");
  record.status = static_cast<std::uint32_t>(problem.status);
  record.reason = caller_.fault;
  return record;
}

audit::Record Entry::failed(const Problem& problem) const {
  audit::Record record = with("api-failed");
  record.status = static_cast<std::uint32_t>(problem.status);
  record.reason = problem.detail;
  return record;
}

}  // namespace sluice::control::api
