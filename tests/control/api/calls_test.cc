// What single calls make of what they are asked.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "bench.h"

using namespace sluice;
using namespace sluice::control;
using namespace sluice::control::api;
using sample::Bench;

TEST_CASE("Who decides is whom a credential proves, whoever opened the socket") {
  Bench bench;
  HttpRequest request{.method = "POST",
                      .target = "/v1/requests/7kq2m9xf/approve",
                      .body = R"({"reason":"ticket 17"})",
                      .unix_peer = UnixPeer{0, {}}};
  CHECK(bench.ask(request).status == 200);
  request.fields = {{"Authorization", "bob/dba"}};
  CHECK(bench.ask(request).status == 200);
  REQUIRE(bench.decisions.size() == 2);
  CHECK(bench.decisions[0].who.subject.empty());  // The desk refuses this one.
  CHECK(bench.decisions[1].who.subject == "bob");
  CHECK(bench.decisions[1].user == 0U);
  CHECK(bench.decisions[1].reason == "ticket 17");
  CHECK(bench.decisions[1].verdict == Verdict::approve);
  request.target = "/v1/requests/7KQ2M9XF/deny";
  request.body = {};
  CHECK(bench.ask(request).status == 200);
  CHECK(bench.decisions[2].verdict == Verdict::deny);
  request.body = R"({"reason":"incident 4711"})";
  request.target = "/v1/requests/7KQ2M9XF/break-glass";
  CHECK(bench.ask(request).status == 200);
  CHECK(bench.decisions[3].verdict == Verdict::break_glass);
  request.target = "/v1/requests/7KQ2M9XF/review";
  CHECK(bench.ask(request).status == 200);
  CHECK(bench.decisions[4].verdict == Verdict::review);
  request.body = {};
  CHECK(bench.ask(request).status == 400);
}

TEST_CASE("A decision that does not count is refused with a status that says why") {
  using Reply = DecisionReply;
  Bench bench;
  const std::vector<std::pair<Reply, int>> cases{
      {{Reply::Kind::unknown_request, DecisionFault::none, "no"}, 404},
      {{Reply::Kind::unavailable, DecisionFault::none, "no"}, 503},
      {{Reply::Kind::refused, DecisionFault::unproved, "no"}, 401},
      {{Reply::Kind::refused, DecisionFault::own_request, "no"}, 403},
      {{Reply::Kind::refused, DecisionFault::not_entitled, "no"}, 403},
      {{Reply::Kind::refused, DecisionFault::delegated, "no"}, 403},
      {{Reply::Kind::refused, DecisionFault::reason_missing, "no"}, 422},
      {{Reply::Kind::refused, DecisionFault::decided_before, "no"}, 409}};
  for (const auto& [reply, status] : cases) {
    bench.decision = reply;
    CHECK(bench.ask_as("bob/dba", "POST", "/v1/requests/7KQ2M9XF/deny").status == status);
  }
  const std::string long_reason = R"({"reason":")" + std::string(1025, 'x') + R"("})";
  CHECK(bench.ask_as("bob/dba", "POST", "/v1/requests/7KQ2M9XF/deny", long_reason).status == 400);
}

TEST_CASE("Requests are shown whatever case their name is typed in") {
  Bench bench;
  CHECK(bench.ask_as("bob/dba", "GET", "/v1/requests/7kq2m9xf").status == 200);
  CHECK(bench.ask_as("bob/dba", "GET", "/v1/requests/AAAAAAAA").status == 404);
  CHECK(bench.ask_as("bob/dba", "GET", "/v1/requests?state=waiting").status == 200);
}

TEST_CASE("Policy is asked what it would say to an operation that nobody sends") {
  Bench bench;
  const auto ask = [&bench](const std::string& body) {
    return bench.ask_as("carl/audit", "POST", "/v1/policy/test", body);
  };
  const auto reply = ask(R"({"listener":"payments","subject":"ann","groups":["staff"],)"
                         R"("method":"POST","path":"/v1/refunds","headers":["A: b"],"body":""})");
  REQUIRE(reply.status == 200);
  CHECK(reply.body == R"({"ruling":"deny","rule":"no refunds","reason":"","operation":"",)"
                      R"("record":"operations","masks":["cards"]})"
                      "\n");
  const PolicyQuestion& question = bench.tested.back();
  CHECK(question.subject == "ann");
  CHECK(question.groups == std::vector<std::string>{"staff"});
  CHECK(question.method == "POST");
  CHECK(question.path == "/v1/refunds");
  CHECK(question.host == "localhost");
  CHECK(question.body == "");
  CHECK(question.search_path == std::vector<std::string>{"public"});
  // It changes nothing, and nothing is recorded.
  CHECK(bench.log.empty());

  CHECK(ask(R"({"listener":"other"})").status == 422);
  CHECK(ask(R"({"subject":"ann"})").status == 400);
  CHECK(ask(R"({"listener":"payments","request":"GET /"})").status == 400);
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/policy").body == "{\"policies\":[]}\n");
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/policy").status == 403);
  CHECK(bench.ask_as("dan/staff", "POST", "/v1/policy/test", R"({"listener":"payments"})").status ==
        403);
}

TEST_CASE("Versions of the policy are listed, shown, and compared with others or with rules") {
  Bench bench;
  const auto ask = [&bench](const char* what, const std::string& body) {
    return bench.ask_as("olga/ops", "POST", std::string("/v1/policy/") + what, body).status;
  };
  const auto listed = bench.ask_as("carl/audit", "GET", "/v1/policy/versions");
  CHECK(nlohmann::json::parse(listed.body) == nlohmann::json::parse(R"({"current": "aa",
    "versions": [{"digest": "aa", "since": "1970-01-01T00:00:00.000Z"}]})"));
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/policy/versions/aa").status == 200);
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/policy/versions/bb").status == 404);
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/policy/versions").status == 403);
  CHECK(bench.ask_as("carl/audit", "POST", "/v1/policy/diff", R"({"after":"aa"})").status == 403);

  CHECK(ask("diff", R"({"before":"aa","after":"current"})") == 200);
  CHECK(bench.compared.back().before == "aa");
  CHECK(bench.compared.back().after.version == "current");
  CHECK(bench.compared.back().after.rules.empty());
  CHECK(ask("diff", R"({"rules":"policies: []"})") == 200);
  CHECK(bench.compared.back().before == "current");
  CHECK(bench.compared.back().after.rules == "policies: []");
  CHECK(ask("diff", R"({"before":"aa"})") == 422);
  CHECK(ask("diff", R"({"after":"aa","rules":"policies: []"})") == 422);
  CHECK(ask("diff", R"({"rules":""})") == 422);
  CHECK(ask("diff", R"({"rules":")" + std::string((256 << 10) + 1, 'x') + R"("})") == 400);
  CHECK(bench.compared.size() == 2);

  CHECK(ask("dry-run", R"({"version":"aa","from":"1970-01-01T00:00:01Z","subject":"ann",)"
                       R"("target":"ledger","search_path":["app"],"after":"1.2"})") == 200);
  const DryRunQuestion& question = bench.dry_runs.back();
  CHECK(question.rules.version == "aa");
  CHECK(question.query.from_ns == 1'000'000'000);
  CHECK(question.query.subject == "ann");
  CHECK(question.query.target == "ledger");
  CHECK(question.mark->text() == "1.2");
  CHECK(question.search_path == std::vector<std::string>{"app"});
  CHECK(ask("dry-run", R"({"rules":"policies: []"})") == 200);
  CHECK(bench.dry_runs.back().search_path == std::vector<std::string>{"public"});
  CHECK(ask("dry-run", R"({"rules":"x"})") == 422);
  CHECK(ask("dry-run", "{}") == 422);
  CHECK(ask("dry-run", R"({"version":"aa","after":"x"})") == 400);
  CHECK(ask("dry-run", R"({"version":"aa","file":"/etc/passwd"})") == 400);
  // Questions change nothing, and disclose what their askers may search anyway.
  CHECK(std::ranges::none_of(bench.log, [](const auto& one) { return one.event == "api-called"; }));
}

TEST_CASE("The log is searched by all that was asked for, page by page") {
  Bench bench;
  const auto reply = bench.ask_as(
      "carl/audit", "GET",
      "/v1/"
      "records?limit=2&after=3.512~17.4096&from=2026-11-21T10:00:00Z&until=2026-11-21T10:00:01.5Z"
      "&record=9f3c5e1d7a2b4c60-0-17&subject=ann&target=ledger&rule=reads&ruling=deny&session=4");
  REQUIRE(reply.status == 200);
  const auto page = nlohmann::json::parse(reply.body);
  CHECK(page.at("records").size() == 2);
  CHECK(page.at("next") == "3.512~17.4096");
  CHECK(page.at("has_more") == true);
  const audit::RecordQuery& query = bench.searched.query;
  CHECK(query.from_ns == 1'795'255'200'000'000'000);
  CHECK(query.until_ns == 1'795'255'201'500'000'000);
  CHECK(query.record->sequence == 17);
  CHECK(query.subject == "ann");
  CHECK(query.target == "ledger");
  CHECK(query.rule == "reads");
  CHECK(query.ruling == audit::RulingKind::deny);
  CHECK(query.session == 4);
  CHECK(bench.searched.mark->text() == "3.512~17.4096");
  CHECK(bench.searched.limit == 2);

  CHECK(bench.ask_as("carl/audit", "GET", "/v1/records").status == 200);
  CHECK(bench.searched.limit == 100);
  CHECK_FALSE(bench.searched.mark);
  for (const char* const wrong : {"after=x", "limit=1001", "from=yesterday", "record=7",
                                  "ruling=no", "session=x", "principal=ann"}) {
    INFO(wrong);
    CHECK(bench.ask_as("carl/audit", "GET", std::string("/v1/records?") + wrong).status == 400);
  }
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/records").status == 403);
}

TEST_CASE("Records are events, and whoever lost them asks on behind the last") {
  Bench bench;
  const auto reply = bench.ask({.target = "/v1/records/events?after=1.2&subject=ann",
                                .fields = {{"Authorization", "carl/audit"}}});
  REQUIRE(reply.status == 200);
  CHECK(reply.content_type == "text/event-stream");
  REQUIRE(reply.stream);
  CHECK_FALSE(reply.stream->bytes);
  const auto pieces = reply.stream->pieces;
  CHECK(pieces() ==
        "retry: 1000\n\ndata: {\"phase\":\"intent\"}\n\n"
        "id: 3.512~17.4096\ndata: {\"phase\":\"outcome\"}\n\n");
  CHECK(bench.searched.mark->text() == "1.2");
  CHECK(bench.searched.query.subject == "ann");
  REQUIRE(pieces());
  CHECK(bench.searched.mark->text() == "3.512~17.4096");

  const auto again =
      bench.ask({.target = "/v1/records/events?after=1.2",
                 .fields = {{"Authorization", "carl/audit"}, {"Last-Event-ID", "3.512~17.4096"}}});
  REQUIRE(again.stream);
  CHECK(again.stream->pieces());
  CHECK(bench.searched.mark->text() == "3.512~17.4096");
  CHECK(bench
            .ask({.target = "/v1/records/events",
                  .fields = {{"Authorization", "carl/audit"}, {"Last-Event-ID", "x"}}})
            .status == 400);
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/records/events?limit=1").status == 400);
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/records/events").status == 403);
}

TEST_CASE("A stream of events ends, so that its reader must prove itself anew") {
  Bench bench;
  const auto reply = bench.ask_as("carl/audit", "GET", "/v1/records/events");
  REQUIRE(reply.stream);
  const auto pieces = reply.stream->pieces;
  int asked = 0;
  while (pieces()) ++asked;
  CHECK(asked == 120);
}

TEST_CASE("Whoever is proved is told where clients arrive for a target, and as whom") {
  Bench bench;
  const HttpReply reply = bench.ask_over_tls("ann/none", "GET", "/v1/targets/ledger");
  REQUIRE(reply.status == 200);
  CHECK(nlohmann::json::parse(reply.body) == nlohmann::json::parse(R"({
    "target": "ledger", "subject": "ann", "listeners": [
      {"name": "main", "address": "0.0.0.0:5432", "target": "ledger", "protocol": "postgres", "tls": true}]})"));
  CHECK(bench.ask_over_tls("ann/none", "GET", "/v1/targets/nowhere").status == 404);
  CHECK(bench.ask_over_tls("nobody", "GET", "/v1/targets/ledger").status == 401);
}

TEST_CASE("Sessions are listed, shown and ended by name, with a reason for the log") {
  Bench bench;
  const auto listed = bench.ask_as("dan/staff", "GET", "/v1/sessions?limit=1&subject=ann");
  CHECK(listed.status == 200);
  CHECK(nlohmann::json::parse(listed.body).at("next") == "0-1");
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/sessions/a-1").status == 200);
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/sessions/a-2").status == 404);
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/sessions?limit=1001").status == 400);
  CHECK(bench.ask_as_root("POST", "/v1/sessions/a-1/kill", R"({"reason":"runaway"})").status ==
        200);
  CHECK(bench.killed == std::vector<std::string>{"a-1"});
  CHECK(bench.log[0].reason == "runaway");
}

TEST_CASE("A legal hold is made of times") {
  Bench bench;
  const auto reply =
      bench.ask_as_root("POST", "/v1/legal-holds",
                        R"({"from":"2026-11-01T00:00:00Z","until":"","reason":"case 17"})");
  CHECK(reply.status == 200);
  REQUIRE(bench.holds.size() == 1);
  CHECK(bench.holds[0].from_ns == 1'793'491'200'000'000'000);
  CHECK(bench.holds[0].until_ns == audit::LegalHold{}.until_ns);
  CHECK(nlohmann::json::parse(reply.body).at("until") == "");
  CHECK(bench.ask_as_root("POST", "/v1/legal-holds/3/release").status == 409);
}

TEST_CASE("Recordings are listed by their times, and shown with their chunks, page by page") {
  Bench bench;
  const auto listed = bench.ask_as(
      "carl/audit", "GET",
      "/v1/recordings?after=a-0-1&limit=2&from=1970-01-01T00:00:01Z&until=1970-01-01T00:00:02Z");
  REQUIRE(listed.status == 200);
  CHECK(nlohmann::json::parse(listed.body) == nlohmann::json::parse(R"({"recordings": [
    {"recording": "a-1-1", "open": false, "chunks": 2, "bytes": 17,
     "first": "1970-01-01T00:00:00.000001000Z", "last": "1970-01-01T00:00:00.000003000Z"},
    {"recording": "a-2-1", "open": true, "chunks": 0, "bytes": 0}], "next": "a-2-1"})"));
  CHECK(bench.catalogued.after == "a-0-1");
  CHECK(bench.catalogued.limit == 2);
  CHECK(bench.catalogued.from == WallTime{1'000'000'000});
  CHECK(bench.catalogued.until == WallTime{2'000'000'000});

  const auto shown = bench.ask_as("carl/audit", "GET", "/v1/recordings/a-1-1?limit=1");
  REQUIRE(shown.status == 200);
  const auto page = nlohmann::json::parse(shown.body);
  CHECK(page.at("recording").at("bytes") == 17);
  CHECK(page.at("chunks") == nlohmann::json::parse(R"([{"chunk": 1, "bytes": 10,
     "first": "1970-01-01T00:00:00.000001000Z", "last": "1970-01-01T00:00:00.000002000Z"}])"));
  CHECK(page.at("next") == 1);
  const auto rest = nlohmann::json::parse(
      bench.ask_as("carl/audit", "GET", "/v1/recordings/a-1-1?after=1&limit=1").body);
  CHECK(rest.at("chunks").at(0).at("chunk") == 2);
  CHECK_FALSE(rest.contains("next"));
  // Who there is to see is not what they did.
  CHECK(bench.log.empty());

  CHECK(bench.ask_as("carl/audit", "GET", "/v1/recordings/a-9-1").status == 404);
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/recordings?limit=1001").status == 400);
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/recordings").status == 403);
  CHECK(bench.ask_as("bob/dba", "GET", "/v1/recordings/a-1-1").status == 403);
}

TEST_CASE("A chunk is given as it is, behind a record of who asked for it") {
  Bench bench;
  const std::string target = "/v1/recordings/a-1-1/chunks/2";
  const auto reply = bench.ask(
      {.target = target, .fields = {{"Authorization", "carl/audit"}, {"Last-Event-ID", "x"}}});
  REQUIRE(reply.status == 200);
  CHECK(reply.content_type == "application/octet-stream");
  CHECK(reply.body.empty());
  REQUIRE(reply.stream);
  CHECK(reply.stream->bytes == 7);
  REQUIRE(bench.log.size() == 1);
  CHECK(bench.log[0].event == "api-called");
  CHECK(bench.log[0].call == "showChunk");
  CHECK(bench.log[0].subject == "carl");
  CHECK(bench.log[0].durably);

  CHECK(bench.ask_as("carl/audit", "GET", "/v1/recordings/a-1-1/chunks/3").status == 404);
  REQUIRE(bench.log.size() == 3);
  CHECK(bench.log[2].event == "api-failed");
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/recordings/..%2Fa/chunks/2").status == 404);
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/recordings/a-1-1/chunks/two").status == 400);
  CHECK(bench.ask_as("dan/staff", "GET", target).status == 403);
}

TEST_CASE("An evidence package is given behind a record of who asked for it") {
  const std::string ann = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
  Bench bench;
  const auto reply = bench.ask_as(
      "carl/audit", "GET",
      "/v1/evidence?from=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z"
      "&subject=ann&target=ledger&session=18446744073709551615&recordings=false&encrypt_to=" +
          ann + "&encrypt_to=" + ann);
  REQUIRE(reply.status == 200);
  CHECK(reply.content_type == "application/octet-stream");
  REQUIRE(reply.stream);
  CHECK(reply.stream->bytes == 9);
  REQUIRE(bench.log.size() == 1);
  CHECK(bench.log[0].event == "api-called");
  CHECK(bench.log[0].call == "showEvidence");
  CHECK(bench.log[0].reason ==
        "from=2026-11-01T00:00:00Z until=2026-12-01T00:00:00Z subject=ann target=ledger "
        "session=18446744073709551615 recordings=false encrypt_to=" +
            ann + " encrypt_to=" + ann);
  CHECK(bench.log[0].subject == "carl");
  CHECK(bench.log[0].durably);
  REQUIRE(bench.packed.size() == 1);
  const EvidenceQuestion& asked = bench.packed[0];
  CHECK((asked.until->ns - asked.from->ns) == seconds(30 * 86'400).ns);
  CHECK(asked.subject == "ann");
  CHECK(asked.target == "ledger");
  CHECK(asked.session == UINT64_MAX);
  CHECK_FALSE(asked.has_recordings);
  CHECK(asked.recipients.size() == 2);

  CHECK(bench.ask_as_root("GET", "/v1/evidence").status == 200);
  REQUIRE(bench.packed.size() == 2);
  CHECK_FALSE(bench.packed[1].from);
  CHECK_FALSE(bench.packed[1].until);
  CHECK_FALSE(bench.packed[1].session);
  CHECK(bench.packed[1].has_recordings);
  CHECK(bench.packed[1].recipients.empty());
}

TEST_CASE("An evidence package that cannot be asked for like that is not made") {
  Bench bench;
  const std::string path = "/v1/evidence?";
  for (const char* query :
       {"from=yesterday", "until=1h", "from=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
        "from=2026-11-02T00:00:00Z&until=2026-11-02T00:00:00Z", "session=x",
        "session=18446744073709551616", "session=", "subject=%FF", "recordings=no",
        "encrypt_to=age1x", "encrypt_to=", "rule=x", "subject=a&subject=b"}) {
    CAPTURE(query);
    CHECK(bench.ask_as("carl/audit", "GET", path + query).status == 400);
  }
  const std::string one =
      "&encrypt_to=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
  std::string many = path + one.substr(1);
  for (int i = 1; i < 32; ++i) many += one;
  CHECK(bench.ask_as("carl/audit", "GET", many).status == 200);
  CHECK(bench.ask_as("carl/audit", "GET", many + one).status == 400);
  CHECK(bench.packed.size() == 1);
  for (const char* who : {"dan/staff", "bob/dba"}) {
    CHECK(bench.ask_as(who, "GET", "/v1/evidence").status == 403);
  }
  bench.log.clear();
  CHECK(bench.ask_as("carl/audit", "GET", path + "subject=x").status == 409);
  REQUIRE(bench.log.size() == 2);
  CHECK(bench.log[1].event == "api-failed");
  CHECK(bench.ask_as("carl/audit", "HEAD", "/v1/evidence").status == 405);
  // What cannot be recorded is not given away.
  bench.log_takes = false;
  bench.packed.clear();
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/evidence").status == 503);
  CHECK(bench.packed.empty());
}

TEST_CASE("A recording is deleted by name, for a reason") {
  Bench bench;
  const std::string reason = R"({"reason":"case 17 is closed"})";
  const auto reply = bench.ask_as_root("POST", "/v1/recordings/a-1-1/delete", reason);
  CHECK(reply.status == 200);
  CHECK(nlohmann::json::parse(reply.body).at("chunks") == 2);
  CHECK(bench.log[0].reason == "case 17 is closed");
  CHECK(bench.ask_as_root("POST", "/v1/recordings/b-1-1/delete", reason).status == 409);
  CHECK(bench.ask_as_root("POST", "/v1/recordings/a-1-1/delete").status == 400);
}

TEST_CASE("A token is asked for by a credential, or for a subject") {
  Bench bench;
  const auto reply = bench.ask_as_root(
      "POST", "/v1/tokens",
      R"({"subject":"batch","groups":["a","b"],"target":"db","lifetime_seconds":60})");
  CHECK(reply.status == 200);
  REQUIRE(bench.minted.size() == 1);
  CHECK(bench.minted[0].subject == "batch");
  CHECK(bench.minted[0].groups == std::vector<std::string>{"a", "b"});
  CHECK(bench.minted[0].target == "db");
  CHECK(bench.minted[0].lifetime == seconds(60));
  CHECK(bench.minted[0].by == "user 0");
  CHECK(bench.minted[0].is_operator);
  CHECK(field_value(reply.fields, "cache-control") == "no-store");
  const auto own = bench.ask_over_tls("eve/none", "POST", "/v1/tokens", R"({"target":"db"})");
  CHECK(own.status == 200);
  REQUIRE(bench.minted.size() == 2);
  REQUIRE(bench.minted[1].proved);
  CHECK(bench.minted[1].proved->subject == "eve");
  CHECK(bench.minted[1].by == "eve");
  CHECK_FALSE(bench.minted[1].is_operator);
  const std::string shown = R"({"credential":"sk_other"})";
  CHECK(bench.ask_over_tls("ann/ops", "POST", "/v1/tokens", shown).status == 422);
  CHECK(bench.minted.size() == 2);
  const auto revoked = bench.ask_as_root("POST", "/v1/tokens/t1/revoke");
  CHECK(nlohmann::json::parse(revoked.body).at("revoked") == "t1");
}

TEST_CASE("API keys are listed page by page, and one is revoked by its id") {
  Bench bench;
  const std::string hash(64, 'a');
  const std::string rest = ", sha256: " + hash + "}\n";
  const auto parsed =
      identity::ApiKeys::parse("- {id: c, subject: cid, groups: [g], expires: 2027-01-31" + rest +
                                   "- {id: a, subject: ann, expires: never" + rest +
                                   "- {id: b, subject: ben, expires: never" + rest,
                               "keys.yaml", {}, {"b"});
  REQUIRE(parsed);
  bench.keys = *parsed;
  const auto listed = bench.ask_as("carl/audit", "GET", "/v1/keys");
  REQUIRE(listed.status == 200);
  CHECK(nlohmann::json::parse(listed.body) == nlohmann::json::parse(R"({"keys": [
    {"id": "a", "subject": "ann", "groups": [], "revoked": false},
    {"id": "b", "subject": "ben", "groups": [], "revoked": true},
    {"id": "c", "subject": "cid", "groups": ["g"], "expires": "2027-01-31T00:00:00Z",
     "revoked": false}]})"));
  CHECK(listed.body.find(hash) == listed.body.npos);
  std::string seen;
  std::string after;
  do {
    const auto page = nlohmann::json::parse(
        bench.ask_as("carl/audit", "GET", "/v1/keys?limit=1&after=" + after).body);
    REQUIRE(page.at("keys").size() == 1);
    seen += page.at("keys")[0].at("id").get<std::string>();
    after = page.value("next", "");
  } while (!after.empty());
  CHECK(seen == "abc");
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/keys?limit=0").status == 200);
  CHECK(bench.ask_as("carl/audit", "GET", "/v1/keys?limit=1001").status == 400);
  CHECK(bench.log.empty());
  CHECK(bench.ask_as("dan/staff", "GET", "/v1/keys").status == 403);

  CHECK(bench.ask_as("carl/audit", "POST", "/v1/keys/a/revoke").status == 403);
  CHECK(bench.revoked_keys.empty());
  const auto revoked = bench.ask_over_tls("olga/ops", "POST", "/v1/keys/a/revoke");
  CHECK(revoked.status == 200);
  CHECK(nlohmann::json::parse(revoked.body).at("revoked") == "a");
  CHECK(bench.revoked_keys == std::vector<std::string>{"a", "olga"});
  const auto unknown = bench.ask_as_root("POST", "/v1/keys/d/revoke");
  CHECK(unknown.status == 404);
  CHECK(unknown.content_type == "application/problem+json");
}

TEST_CASE("Whoever signs in is told with whom, and which token counts") {
  Bench bench;
  bench.issuers.resize(3);
  config::OidcIssuer& staff = bench.issuers[0];
  staff.audience = "sluice";
  staff.login = config::OidcLogin{.client_id = "sluice", .scopes = {"openid", "groups"}};
  config::OidcIssuer& partners = bench.issuers[1];
  partners.audience = "api";
  partners.login = config::OidcLogin{.client_id = "cli", .scopes = {}};
  const auto reply = bench.ask_over_tls("", "GET", "/v1/sign-in");
  CHECK(reply.status == 200);
  const auto providers = nlohmann::json::parse(reply.body).at("providers");
  REQUIRE(providers.size() == 2);
  CHECK(providers[0].at("token") == "id_token");
  CHECK(providers[0].at("scopes") == std::vector<std::string>{"openid", "groups"});
  CHECK(providers[1].at("token") == "access_token");
  CHECK(providers[1].at("scopes") == std::vector<std::string>{"openid"});
}
