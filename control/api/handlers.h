// What the calls do. Each is named in one row of the table (calls.cc).
#pragma once

#include "control/api/actions.h"
#include "control/api/call.h"

namespace sluice::control::api {

Outcome<std::string> live(const Actions& actions, const Asked& asked);
Outcome<std::string> ready(const Actions& actions, const Asked& asked);
Outcome<std::string> metrics(const Actions& actions, const Asked& asked);
Outcome<std::string> document(const Actions& actions, const Asked& asked);
Outcome<std::string> status(const Actions& actions, const Asked& asked);
Outcome<std::string> reload(const Actions& actions, const Asked& asked);
Outcome<std::string> drain(const Actions& actions, const Asked& asked);

Outcome<std::string> show_target(const Actions& actions, const Asked& asked);

Outcome<std::string> list_sessions(const Actions& actions, const Asked& asked);
Outcome<std::string> show_session(const Actions& actions, const Asked& asked);
Outcome<std::string> kill_session(const Actions& actions, const Asked& asked);

Outcome<std::string> show_policy(const Actions& actions, const Asked& asked);
Outcome<std::string> test_policy(const Actions& actions, const Asked& asked);
Outcome<std::string> list_policy_versions(const Actions& actions, const Asked& asked);
Outcome<std::string> show_policy_version(const Actions& actions, const Asked& asked);
Outcome<std::string> diff_policy(const Actions& actions, const Asked& asked);
Outcome<std::string> dry_run_policy(const Actions& actions, const Asked& asked);

Outcome<std::string> search_records(const Actions& actions, const Asked& asked);
Outcome<HttpStream> follow_records(const Actions& actions, const Asked& asked);

Outcome<std::string> list_requests(const Actions& actions, const Asked& asked);
Outcome<std::string> show_request(const Actions& actions, const Asked& asked);
Outcome<std::string> approve(const Actions& actions, const Asked& asked);
Outcome<std::string> deny(const Actions& actions, const Asked& asked);
Outcome<std::string> break_glass(const Actions& actions, const Asked& asked);
Outcome<std::string> review(const Actions& actions, const Asked& asked);

Outcome<std::string> list_legal_holds(const Actions& actions, const Asked& asked);
Outcome<std::string> add_legal_hold(const Actions& actions, const Asked& asked);
Outcome<std::string> release_legal_hold(const Actions& actions, const Asked& asked);

Outcome<std::string> list_recordings(const Actions& actions, const Asked& asked);
Outcome<std::string> show_recording(const Actions& actions, const Asked& asked);
Outcome<HttpStream> show_chunk(const Actions& actions, const Asked& asked);
Outcome<std::string> delete_recording(const Actions& actions, const Asked& asked);

Outcome<HttpStream> show_evidence(const Actions& actions, const Asked& asked);

Outcome<std::string> sign_in(const Actions& actions, const Asked& asked);
Outcome<std::string> mint_token(const Actions& actions, const Asked& asked);
Outcome<std::string> revoke_token(const Actions& actions, const Asked& asked);

Outcome<std::string> list_keys(const Actions& actions, const Asked& asked);
Outcome<std::string> revoke_key(const Actions& actions, const Asked& asked);

}  // namespace sluice::control::api
