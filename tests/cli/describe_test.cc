#include "cli/describe.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "config/load/load.h"

using namespace sluice;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: a, address: 127.0.0.1:1, target: first, limits: {head: 4KiB, target: 2KiB}}
  - {name: b, address: "[::1]:2", target: second}
targets:
  - {name: first, addresses: [127.0.0.1:3]}
  - {name: second, addresses: [127.0.0.1:4]}
identity: {api_keys: file:/keys}
policies:
  - {name: reads, principals: {groups: [g]}, operations: {http: {methods: [GET]}}, ruling: allow}
  - {name: never, targets: [first], operations: {http: {paths: ["/x/**"]}}, ruling: deny}
masks:
  - {name: pan, targets: [second], find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
audit:
  signing_key: file:/audit.key
  exports:
    - {name: siem, format: ocsf, syslog: {addresses: ["127.0.0.1:5"], server_name: siem.example}}
    - {name: disk, file: {directory: /out}}
    - {name: vault, s3: {endpoint: "https://s3.example", bucket: logs, access_key: a, secret_key: file:/key,
                         lock: {days: 30}}}
    - {name: stream, kafka: {brokers: ["k:1", "l:2"], topic: t, tls: true, login: {user: gw, password: file:/key}}}
    - {name: logs, otlp: {endpoint: "http://c:4318"}}
)";

config::Settings settings() {
  const config::World world{
      .read_file = [](const std::string&) { return std::string("content"); },
      .environment = [](const std::string&) -> std::optional<std::string> { return {}; }};
  auto loaded = config::load_text(configuration, "test.yaml", world);
  for (const auto& problem : loaded.problems) UNSCOPED_INFO(problem.text());
  REQUIRE(loaded.problems.empty());
  return loaded.settings;
}

}  // namespace

TEST_CASE("each listener is described with its own rules, masks and limits, strictest first") {
  const auto page = nlohmann::json::parse(cli::describe_json(settings()));
  const auto& a = page["listeners"][0];
  const auto& b = page["listeners"][1];
  CHECK(a["rules"].size() == 2);
  CHECK(a["rules"][0]["name"] == "never");
  CHECK(a["rules"][1]["name"] == "reads");
  CHECK(a["masks"].empty());
  CHECK(a["limits"]["head_bytes_max"] == 4096);
  CHECK(b["rules"].size() == 1);
  CHECK(b["masks"][0]["show"] == "partial (first 6, last 4)");
  CHECK(b["limits"]["head_bytes_max"] == 16384);
  CHECK(b["address"] == "[::1]:2");
}

TEST_CASE("a rule's limits are told to whom they matter") {
  auto limited = settings();
  limited.listeners[1].protocol = config::Protocol::postgres;
  limited.policies[0].http.reset();
  limited.policies[0].limits = {
      .rows_max = 100, .bytes_max = 1 << 20, .rate = {5, seconds(1)}, .burst = 9};
  const auto page = nlohmann::json::parse(cli::describe_json(limited));
  const auto& limits = page["listeners"][1]["rules"][0]["limits"];
  CHECK(limits["rows_max"] == 100);
  CHECK(limits["bytes_max"] == 1 << 20);
  CHECK(limits["rate"] == "5/s");
  CHECK(limits["burst"] == 9);
  const std::string text = cli::describe_text(limited);
  CAPTURE(text);
  CHECK(text.find("allow reads: group g: every operation; an execution at most 100 rows, 1MiB, 5/s "
                  "for each principal and worker, 9 at once") != text.npos);
}

TEST_CASE("the text names what matters") {
  const std::string text = cli::describe_text(settings());
  for (const char* part :
       {"listener a: http on 127.0.0.1:1", "deny  never: everyone: any method on /x/**",
        "allow reads: group g: GET on any path", "head 4KiB",
        "remembers in /var/lib/sluice/audit.signed",
        "pan: builtin:payment-card → partial (first 6, last 4) (responses)",
        "export 'siem': records as ocsf to syslog at 127.0.0.1:5, TLS as siem.example",
        "export 'disk': records as native to files in /out",
        "export 'vault': records as native to the bucket logs at https://s3.example, locked for 30 "
        "days",
        "export 'stream': records as native to the topic t at k:1, l:2, TLS as gw",
        "export 'logs': records as native to OpenTelemetry at http://c:4318"}) {
    CAPTURE(part, text);
    CHECK(text.find(part) != text.npos);
  }
}

TEST_CASE("whom an issuer is asked about is told, but for the secret that it is asked with") {
  auto asking = settings();
  config::OidcIssuer& issuer = asking.identity.oidc.emplace_back();
  issuer.name = "corp";
  issuer.issuer = "https://id";
  issuer.introspection.emplace();
  issuer.introspection->client_id = "gateway";
  issuer.introspection->client_secret = {"file:/key", "hush-hush"};
  const std::string text = cli::describe_text(asking);
  CAPTURE(text);
  CHECK(text.find("    asked about opaque tokens at what it publishes as gateway: at most 100/s, "
                  "2s for an answer, believed for 1m\n") != text.npos);
  const std::string json = cli::describe_json(asking);
  const auto page = nlohmann::json::parse(json);
  const auto& told = page["identity"]["oidc"][0]["introspection"];
  CHECK(told["client_id"] == "gateway");
  CHECK(told["cache_ms"] == 60'000);
  CHECK(told["rate"] == "100/s");
  CHECK((text + json).find("hush") == std::string::npos);
}
