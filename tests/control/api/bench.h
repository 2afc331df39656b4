// A gateway that calls reach, and the log of what was recorded.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "control/api/router.h"

namespace sluice::control::api::sample {

struct Entry {
  std::string event;
  std::string call;
  std::string subject;
  std::string proof;
  std::string reason;
  std::string peer;
  std::string resource;
  std::uint32_t status = 0;
  bool durably = false;
};

/// Who shows "NAME/GROUP" is NAME in that group.
inline Proving person(std::string_view authorization, std::string_view /*source*/) {
  if (authorization == "too many") return {.state = Proving::State::unseen, .fault = "too many"};
  if (authorization == "new keys") return {.state = Proving::State::awaits_keys};
  const std::size_t slash = authorization.find('/');
  if (slash == authorization.npos) return {.fault = "unknown key"};
  config::Principal who;
  who.subject = authorization.substr(0, slash);
  who.issuer = "corp";
  who.groups = {std::string(authorization.substr(slash + 1))};
  who.proof = config::Proof::oidc;
  return {.state = Proving::State::proved, .who = who};
}

inline RecordingView sample_recording() {
  return {
      .name = "a-1-1", .chunks = 2, .bytes = 17, .first = WallTime{1'000}, .last = WallTime{3'000}};
}

struct Bench {
  config::AdminRoles roles{.admin = {"ops", "unix-user:4000000001"},
                           .approver = {"dba"},
                           .auditor = {"audit", "unix-group:4000000002"},
                           .viewer = {"staff"}};
  bool log_takes = true;
  bool is_ready = true;
  bool has_drained = false;
  Result<std::uint64_t> reloaded = 7;
  std::vector<Entry> log;
  std::vector<std::string> alarms;
  std::vector<Decision> decisions;
  DecisionReply decision{DecisionReply::Kind::taken, DecisionFault::none, "{}"};
  std::vector<MintRequest> minted;
  std::vector<config::OidcIssuer> issuers;
  std::vector<audit::LegalHold> holds;
  std::vector<std::string> killed;
  std::vector<PolicyQuestion> tested;
  std::vector<PolicyDiffQuestion> compared;
  std::vector<DryRunQuestion> dry_runs;
  std::shared_ptr<const identity::ApiKeys> keys = identity::ApiKeys::none({});
  std::vector<std::string> revoked_keys;
  RecordingsQuery catalogued;
  std::vector<EvidenceQuestion> packed;
  struct {
    audit::RecordQuery query;
    std::optional<audit::SearchMark> mark;
    std::size_t limit = 0;
  } searched;

  [[nodiscard]] Actions actions() {
    return {
        .identify = person,
        .roles = [this] { return roles; },
        .record = [this](const audit::Record& record, bool durably) -> Result<void> {
          if (!log_takes) return fail("the audit log cannot take a record");
          log.push_back({std::string(record.event), std::string(record.detail),
                         std::string(record.subject), std::string(record.proof),
                         std::string(record.reason), std::string(record.peer),
                         std::string(record.resource), record.status, durably});
          return {};
        },
        .alarm =
            [this](std::string_view event, std::string_view detail) {
              alarms.push_back(fmt::format("{} {}", event, detail));
            },
        .is_ready = [this] { return is_ready; },
        .metrics = [] { return std::string("sluice_up 1\n"); },
        .status = [] { return std::string(R"({"state":"running"})"); },
        .reload = [this] { return reloaded; },
        .drain = [this] { has_drained = true; },
        .listeners =
            [] {
              return std::vector<ListenerView>{{"main", "0.0.0.0:5432", "ledger", "postgres", true},
                                               {"other", "0.0.0.0:8080", "api", "http", false}};
            },
        .sessions = [](const SessionQuery&) -> Result<SessionsPage> {
          return SessionsPage{.sessions = {{.id = "a-1", .protocol = "http", .state = "idle"}},
                              .next = "0-1"};
        },
        .session = [](const std::string& id) -> Result<std::optional<SessionView>> {
          if (id != "a-1") return std::nullopt;
          return SessionView{.id = id, .protocol = "http", .state = "idle"};
        },
        .kill_session = [this](const std::string& id) -> Result<std::optional<SessionView>> {
          killed.push_back(id);
          return SessionView{.id = id, .protocol = "http", .state = "idle"};
        },
        .policy = [] { return std::string(R"({"policies":[]})"); },
        .test_policy = [this](const PolicyQuestion& question) -> Result<PolicyAnswer> {
          tested.push_back(question);
          if (question.listener != "payments") return fail("there is no listener of that name");
          return PolicyAnswer{.ruling = "deny", .rule = "no refunds", .masks = {"cards"}};
        },
        .policy_versions = []() -> Outcome<VersionsPage> {
          return VersionsPage{.current = "aa", .versions = {{.digest = "aa", .since = {}}}};
        },
        .policy_version = [](std::string_view version) -> Outcome<std::string> {
          if (version != "aa") return refuse(404, "the log has no such version");
          return std::string(R"({"configuration":{}})");
        },
        .diff_policy = [this](const PolicyDiffQuestion& question) -> Outcome<std::string> {
          compared.push_back(question);
          return std::string(R"({"changes":[]})");
        },
        .dry_run_policy = [this](const DryRunQuestion& question) -> Outcome<std::string> {
          dry_runs.push_back(question);
          if (question.rules.rules == "x") return refuse(422, "rules:1:1: that is no rule");
          return std::string(R"({"judged":0,"changed":0,"unsure":0,"without_listener":0,)"
                             R"("changes":[],"has_more":false})");
        },
        .records = [this](audit::RecordQuery query, const std::optional<audit::SearchMark>& mark,
                          std::size_t limit) -> Result<audit::RecordPage> {
          searched = {std::move(query), mark, limit};
          return audit::RecordPage{.records = {R"({"phase":"intent"})", R"({"phase":"outcome"})"},
                                   .next = audit::SearchMark{{3, 512}, {17, 4096}},
                                   .has_more = true};
        },
        .requests = [](std::string_view) { return std::string(R"({"requests":[]})"); },
        .request = [](const std::string& id) -> Result<std::optional<std::string>> {
          if (id == "7KQ2M9XF") return R"({"id":"7KQ2M9XF"})";
          return std::nullopt;
        },
        .decide =
            [this](const std::string&, Decision taken) {
              decisions.push_back(std::move(taken));
              return decision;
            },
        .legal_holds = [this] { return audit::LegalHolds{.list = holds}; },
        .add_legal_hold =
            [this](audit::LegalHold hold, std::string_view) {
              holds.push_back(hold);
              return hold;
            },
        .release_legal_hold = [](std::uint64_t, std::string_view) -> Result<audit::LegalHold> {
          return fail("there is no legal hold 3");
        },
        .recordings = [this](const RecordingsQuery& query) -> Result<RecordingsPage> {
          catalogued = query;
          return RecordingsPage{
              .recordings = {sample_recording(), {.name = "a-2-1", .is_open = true}},
              .next = "a-2-1"};
        },
        .recording = [](const std::string& name) -> Result<std::optional<RecordingDetail>> {
          if (name != "a-1-1") return std::nullopt;
          return RecordingDetail{sample_recording(),
                                 {{1, 10, {1'000}, {2'000}}, {2, 7, {2'000}, {3'000}}}};
        },
        .chunk = [](const std::string& name,
                    std::uint64_t chunk) -> Result<std::optional<HttpStream>> {
          if (name != "a-1-1" || chunk != 2) return std::nullopt;
          return HttpStream{.pieces = [] { return std::optional<std::string>(); }, .bytes = 7};
        },
        .delete_recording = [](const std::string& name, const std::string&,
                               std::string_view) -> Result<RemovedRecording> {
          if (name != "a-1-1") return fail("there is no such recording");
          return RemovedRecording{2, 17};
        },
        .evidence = [this](const EvidenceQuestion& question) -> Outcome<HttpStream> {
          packed.push_back(question);
          if (question.subject == "x") return refuse(409, "retention removed records 3 to 5");
          return HttpStream{.pieces = [] { return std::optional<std::string>(); }, .bytes = 9};
        },
        .issuers = [this] { return issuers; },
        .mint = [this](const MintRequest& request) -> Result<MintedToken, MintRefusal> {
          minted.push_back(request);
          return MintedToken{"a.b.c", "t1", "batch", {}, {}, {}};
        },
        .revoke = [](const std::string&, std::string_view) -> Result<void, MintRefusal> {
          return {};
        },
        .keys = [this] { return keys; },
        .revoke_key = [this](const std::string& id, std::string_view by) -> Outcome<void> {
          if (keys->find(id) == nullptr) return refuse(404, "no API key");
          revoked_keys.push_back(id);
          revoked_keys.emplace_back(by);
          return {};
        }};
  }

  HttpReply ask(HttpRequest request, Entrance entrance = Entrance::admin_socket) {
    return answer(actions(), request, entrance);
  }
  /// As somebody whom a credential proves, and whom the kernel does not know.
  HttpReply ask_as(std::string who, std::string method, std::string target, std::string body = {}) {
    return ask({.method = std::move(method),
                .target = std::move(target),
                .fields = {{"Authorization", std::move(who)}},
                .body = std::move(body)});
  }
  /// On the TLS port.
  HttpReply ask_over_tls(std::string who, std::string method, std::string target,
                         std::string body = {}) {
    return ask({.method = std::move(method),
                .target = std::move(target),
                .fields = {{"Authorization", std::move(who)}},
                .body = std::move(body),
                .unix_peer = UnixPeer{0, {0}},  // believed only where the kernel says it
                .tcp_peer = TcpPeer{"192.0.2.1:4711", "192.0.2.1"}},
               Entrance::tls_port);
  }
  HttpReply ask_as_root(std::string method, std::string target, std::string body = {}) {
    return ask({.method = std::move(method),
                .target = std::move(target),
                .body = std::move(body),
                .unix_peer = UnixPeer{0, {0}}});
  }
};

}  // namespace sluice::control::api::sample
