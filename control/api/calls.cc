// The table of all calls.
#include <array>

#include "control/api/handlers.h"
#include "control/api/shapes.h"
#include "control/exposition.h"

namespace sluice::control::api {
namespace {

using Kind = Member::Kind;

constexpr Roles nobody_in_particular;
constexpr Roles anyone_known = Role::viewer | Role::auditor | Role::approver | Role::admin;
constexpr Roles deciders = Role::approver | Role::admin;
constexpr Roles readers = Role::auditor | Role::admin;
constexpr Roles readers_of_requests = deciders | readers;

constexpr std::string_view plain = "text/plain; charset=utf-8";

constexpr std::array one_session{Member{.name = "id", .sentence = "The session's.", .max = 64}};
constexpr std::array which_sessions{
    Member{.name = "after",
           .sentence = "The `next` of the page before.",
           .is_required = false,
           .max = 32},
    Member{.name = "limit",
           .kind = Kind::count,
           .sentence = "So many, or a few more; without it 100.",
           .is_required = false,
           .max = 1000},
    Member{.name = "subject", .sentence = "Only this subject's.", .is_required = false},
    Member{.name = "listener", .sentence = "Only those of this listener.", .is_required = false},
    Member{.name = "target", .sentence = "Only those to this target.", .is_required = false}};
constexpr Member request_id{.name = "id", .sentence = "The request's, in any case.", .max = 64};
constexpr std::array one_request{request_id};
constexpr std::array which_requests{Member{.name = "state",
                                           .sentence = "Only those in this state.",
                                           .is_required = false,
                                           .words = request_states}};
constexpr std::array one_legal_hold{
    Member{.name = "id", .kind = Kind::count, .sentence = "The legal hold's number."}};
constexpr std::array one_recording{
    Member{.name = "recording", .sentence = "The recording, as records name it.", .max = 64}};
constexpr std::array one_token{Member{.name = "id", .sentence = "The token's id.", .max = 64}};

// Of statuses that not every call may answer.
constexpr std::array not_ready{503};
constexpr std::array not_found{404};
constexpr std::array conflict{409};
constexpr std::array not_decided{401, 404, 409};

constexpr std::array table{
    Call{.id = "live",
         .method = "GET",
         .path = "/livez",
         .sentence = "Whether the process answers.",
         .roles = nobody_in_particular,
         .media = plain,
         .run = live},
    Call{.id = "ready",
         .method = "GET",
         .path = "/readyz",
         .sentence = "Whether it takes new work.",
         .roles = nobody_in_particular,
         .media = plain,
         .refusals = not_ready,
         .run = ready},
    Call{.id = "metrics",
         .method = "GET",
         .path = "/metrics",
         .sentence = "Figures for Prometheus. They name targets and rules, never people.",
         .roles = anyone_known,
         .besides = Besides::this_host,
         .media = Exposition::content_type,
         .run = metrics},
    Call{.id = "openapi",
         .method = "GET",
         .path = "/v1/openapi.json",
         .sentence = "This document.",
         .roles = anyone_known,
         .run = document},
    Call{.id = "status",
         .method = "GET",
         .path = "/v1/status",
         .sentence = "How the gateway fares.",
         .roles = anyone_known,
         .answer = &status_shape,
         .run = status},
    Call{.id = "reload",
         .method = "POST",
         .path = "/v1/reload",
         .sentence = "Takes up the changed configuration; connections stay.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .answer = &reloaded_shape,
         .run = reload},
    Call{.id = "drain",
         .method = "POST",
         .path = "/v1/drain",
         .sentence = "Finishes what is under way, takes nothing new, and stops.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .status = 202,
         .answer = &draining_shape,
         .run = drain},
    Call{.id = "listSessions",
         .method = "GET",
         .path = "/v1/sessions",
         .sentence = "Live sessions.",
         .roles = anyone_known,
         .parameters = which_sessions,
         .answer = &sessions_shape,
         .run = list_sessions},
    Call{.id = "showSession",
         .method = "GET",
         .path = "/v1/sessions/{id}",
         .sentence = "One of them.",
         .roles = anyone_known,
         .parameters = one_session,
         .answer = &session_shape,
         .refusals = not_found,
         .run = show_session},
    Call{.id = "killSession",
         .method = "POST",
         .path = "/v1/sessions/{id}/kill",
         .sentence = "Ends it, and what it runs; its client is told. The answer is how it was.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .parameters = one_session,
         .body = &reason_shape,
         .answer = &session_shape,
         .refusals = not_found,
         .run = kill_session},
    Call{.id = "listRequests",
         .method = "GET",
         .path = "/v1/requests",
         .sentence = "Operations that wait for approval, or did: the newest 1000.",
         .roles = readers_of_requests,
         .parameters = which_requests,
         .answer = &requests_shape,
         .run = list_requests},
    Call{.id = "showRequest",
         .method = "GET",
         .path = "/v1/requests/{id}",
         .sentence = "One of them.",
         .roles = readers_of_requests,
         .parameters = one_request,
         .answer = &request_shape,
         .refusals = not_found,
         .run = show_request},
    Call{.id = "approveRequest",
         .method = "POST",
         .path = "/v1/requests/{id}/approve",
         .sentence = "Agrees that it runs: whoever the Authorization field proves.",
         .roles = deciders,
         .effect = Effect::changes,
         .parameters = one_request,
         .body = &reason_shape,
         .answer = &request_shape,
         .refusals = not_decided,
         .run = approve},
    Call{.id = "denyRequest",
         .method = "POST",
         .path = "/v1/requests/{id}/deny",
         .sentence = "Refuses it: whoever the Authorization field proves.",
         .roles = deciders,
         .effect = Effect::changes,
         .parameters = one_request,
         .body = &reason_shape,
         .answer = &request_shape,
         .refusals = not_decided,
         .run = deny},
    Call{.id = "listLegalHolds",
         .method = "GET",
         .path = "/v1/legal-holds",
         .sentence = "Legal holds in force.",
         .roles = readers,
         .answer = &legal_holds_shape,
         .run = list_legal_holds},
    Call{.id = "addLegalHold",
         .method = "POST",
         .path = "/v1/legal-holds",
         .sentence = "Keeps records that retention would remove.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .body = &new_legal_hold_shape,
         .answer = &legal_hold_shape,
         .run = add_legal_hold},
    Call{.id = "releaseLegalHold",
         .method = "POST",
         .path = "/v1/legal-holds/{id}/release",
         .sentence = "Ends a legal hold.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .parameters = one_legal_hold,
         .answer = &legal_hold_shape,
         .refusals = conflict,
         .run = release_legal_hold},
    Call{.id = "deleteRecording",
         .method = "POST",
         .path = "/v1/recordings/{recording}/delete",
         .sentence = "Removes a recording that no legal hold keeps.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .parameters = one_recording,
         .body = &removal_shape,
         .answer = &removed_shape,
         .refusals = conflict,
         .run = delete_recording},
    Call{.id = "signIn",
         .method = "GET",
         .path = "/v1/sign-in",
         .sentence = "How people sign in: with which providers, as which client of theirs.",
         .roles = nobody_in_particular,
         .answer = &sign_in_shape,
         .run = sign_in},
    Call{.id = "mintToken",
         .method = "POST",
         .path = "/v1/tokens",
         .sentence = "Mints a short-lived token of the gateway's own.",
         .roles = anyone_known,
         .besides = Besides::proved,
         .effect = Effect::changes,
         .body = &new_token_shape,
         .answer = &token_shape,
         .run = mint_token},
    Call{.id = "revokeToken",
         .method = "POST",
         .path = "/v1/tokens/{id}/revoke",
         .sentence = "Takes such a token back.",
         .roles = Role::admin,
         .effect = Effect::changes,
         .parameters = one_token,
         .answer = &revoked_shape,
         .run = revoke_token}};

}  // namespace

std::span<const Call> calls() noexcept {
  return table;
}

}  // namespace sluice::control::api
