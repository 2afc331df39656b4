// What the gateway does when asked by the control API; called from its threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/legal_holds.h"
#include "audit/record.h"
#include "audit/record_page.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "control/api/evidence.h"
#include "control/api/policy.h"
#include "control/api/problem.h"
#include "control/api/proving.h"
#include "control/api/recordings.h"
#include "control/api/sessions.h"
#include "control/approvals/desk.h"
#include "control/gateway_view.h"
#include "control/http.h"
#include "control/token_mint.h"
#include "identity/api_keys.h"

namespace sluice::control::api {

struct Actions {
  /// Whom the value of an Authorization field proves.
  /// source  that failures are counted by; empty: they are not.
  std::function<Proving(std::string_view authorization, std::string_view source)> identify;
  std::function<config::AdminRoles()> roles;
  /// Into the audit log. durably: when it returns it is on disk.
  std::function<Result<void>(const audit::Record&, bool durably)> record;
  /// For the operator: a fault of our own.
  std::function<void(std::string_view event, std::string_view detail)> alarm;

  std::function<bool()> is_ready;
  std::function<std::string()> metrics;           ///< Prometheus text.
  std::function<std::string()> status;            ///< A JSON object.
  std::function<Result<std::uint64_t>()> reload;  ///< The generation in force, or why it stays.
  std::function<void()> drain;

  std::function<std::vector<ListenerView>()> listeners;

  std::function<Result<SessionsPage>(const SessionQuery&)> sessions;
  /// Nothing: there is none of that name.
  std::function<Result<std::optional<SessionView>>(const std::string& id)> session;
  /// Ends it; as it was before.
  std::function<Result<std::optional<SessionView>>(const std::string& id)> kill_session;

  std::function<std::string()> policy;  ///< In force, as JSON; no secret is in it.
  /// errors   it is no operation of that listener's; there is no such listener.
  std::function<Result<PolicyAnswer>(const PolicyQuestion&)> test_policy;

  std::function<Outcome<VersionsPage>()> policy_versions;  ///< The newest first.
  /// As the log has it; version: a digest, or "current".
  std::function<Outcome<std::string>(std::string_view version)> policy_version;
  /// A JSON object with a list `changes`.
  std::function<Outcome<std::string>(const PolicyDiffQuestion&)> diff_policy;
  /// A JSON object, of one page of the log.
  std::function<Outcome<std::string>(const DryRunQuestion&)> dry_run_policy;

  std::function<Result<audit::RecordPage>(
      audit::RecordQuery query, const std::optional<audit::SearchMark>& mark, std::size_t limit)>
      records;  ///< See audit::search_page().

  std::function<Result<std::string>(std::string_view state)> requests;  ///< See Desk::list().
  std::function<Result<std::optional<std::string>>(const std::string& id)> request;
  std::function<DecisionReply(const std::string& id, Decision)> decide;

  std::function<Result<audit::LegalHolds>()> legal_holds;
  std::function<Result<audit::LegalHold>(audit::LegalHold, std::string_view by)> add_legal_hold;
  std::function<Result<audit::LegalHold>(std::uint64_t id, std::string_view by)> release_legal_hold;

  std::function<Result<RecordingsPage>(const RecordingsQuery&)> recordings;
  /// Nothing: there is none of that name.
  std::function<Result<std::optional<RecordingDetail>>(const std::string& name)> recording;
  /// As it lies on the disk, encrypted. Nothing: there is no such chunk.
  std::function<Result<std::optional<HttpStream>>(const std::string& name, std::uint64_t chunk)>
      chunk;
  std::function<Result<RemovedRecording>(const std::string& name, const std::string& reason,
                                         std::string_view by)>
      delete_recording;

  /// A package, of known length; one at a time.
  std::function<Outcome<HttpStream>(const EvidenceQuestion&)> evidence;

  std::function<std::vector<config::OidcIssuer>()> issuers;  ///< Whose tokens are believed.
  std::function<Result<MintedToken, MintRefusal>(const MintRequest&)> mint;
  std::function<Result<void, MintRefusal>(const std::string& id, std::string_view by)> revoke;

  std::function<std::shared_ptr<const identity::ApiKeys>()> keys;  ///< In force.
  /// See KeyRevoker::revoke(); when it returns workers are told, too.
  std::function<Outcome<void>(const std::string& id, std::string_view by)> revoke_key;
};

}  // namespace sluice::control::api
