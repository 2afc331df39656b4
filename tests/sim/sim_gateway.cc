#include "sim_gateway.h"

#include <algorithm>
#include <utility>

#include "snapshot_of.h"
#include "test_tls.h"

namespace sluice::dataplane {

using test::must;

namespace {

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api@L}
  - {name: proxied, address: "127.0.0.1:8081", protocol: http, target: api, proxy_protocol: {from: [127.0.0.0/8]}}
targets:
  - {name: api, addresses: ["127.0.0.1:9001", "127.0.0.1:9002"]@T}
identity:
  api_keys: file:keys.yaml
policies:
  - name: the api is open
    operations: {http: {paths: ["/v1/**"]}}
    ruling: allow
  - name: no launches
    operations: {http: {methods: [POST], paths: ["/v1/*/inspected"], body: ["launch code \\d+"]}}
    ruling: deny@H
audit:
  directory: audit
  signing_key: file:audit.key
)";

constexpr const char* holds = R"(
  - name: people decide
    operations: {http: {paths: ["/v1/*/held"]}}
    ruling: hold
    approval: {by_groups: [people], expires: 1h})";

constexpr const char* masks = R"(masks:
  - {name: pan, find: "builtin:payment-card", show: {partial: {first: 6, last: 4}}, on: both}
  - {name: cvc, find: {json: ["$..cvc"]}, show: redact}
)";

std::string configuration_of(const SimScene& scene) {
  std::string text = scene.long_bodies ? configuration : std::string(configuration) + masks;
  const auto fill = [&text](std::string_view mark, std::string_view with) {
    text.replace(text.find(mark), mark.size(), with);
  };
  fill("@L", scene.tls_clients ? ", tls: {certificate: file:gw.crt, key: file:gw.key}" : "");
  fill("@H", scene.people ? holds : "");
  fill("@T", scene.tls_target ? ", tls: {ca: file:ca.crt, name: api.test}" : "");
  return text;
}

/// Both ends, made once.
struct Tls {
  test::Pem gateway = test::test_certificate("DNS:gw.test");
  std::shared_ptr<const TlsContext> target =
      test::tls_server(test::test_certificate("DNS:api.test"));
  std::shared_ptr<const TlsContext> client = test::tls_client();
  test::Files files{{"gw.crt", gateway.certificate},
                    {"gw.key", gateway.key},
                    {"ca.crt", test::test_authority().certificate}};
};
const Tls& tls() {
  static const Tls made;
  return made;
}

}  // namespace

SimGateway::SimGateway(const SimOptions& options, const SimScene& scene, const SimLog& log)
    : scene_(scene), random_(options.seed ^ 0x5EED), worker_(options, log) {
  std::array<std::uint8_t, 32> secret;
  for (auto& byte : secret) byte = static_cast<std::uint8_t>(random_.next());
  const identity::NewKey key = identity::make_key("alice", {"settlement"}, {INT64_MAX}, secret);
  key_ = key.secret;
  for (const char* port : {"9001", "9002"}) {
    const auto endpoint =
        must(parse_endpoint("127.0.0.1", static_cast<std::uint16_t>(std::stoi(port))));
    transport().serve(endpoint, [this]() -> SimPeer* {
      targets_.push_back(
          std::make_unique<ScriptedTarget>(operations_, target_log_, random_, scene_.flaky_target));
      if (!scene_.tls_target) return targets_.back().get();
      tls_targets_.push_back(std::make_unique<test::TlsSimPeer>(*targets_.back(), tls().target));
      return tls_targets_.back().get();
    });
  }
  LoopOptions loop_options;
  loop_options.durable = scene.durable;
  loop_options.hold = [this](ConnId client, const config::HeldOperation& what) {
    hold(client, what);
  };
  loop_options.end_hold = [this](const std::string& request, config::HoldEnd how) {
    ended_holds_.emplace(asked_.at(request), how);
  };
  worker_.start(
      test::snapshot_of(configuration_of(scene), key.yaml_entry, "unused", 1, tls().files),
      std::move(loop_options));
}

ScriptedClient& SimGateway::add_client(std::size_t count) {
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t number = operations_.size() + 1;
    operations.push_back(scene_.long_bodies ? long_operation(random_, number)
                                            : random_operation(random_, number));
    Operation& operation = operations.back();
    if (scene_.people && !operation.inspected && random_.chance(500)) {
      operation.held = operation.allowed && operation.authenticated;
      operation.approved = random_.chance(600);
      operation.target += "/held";
    }
    operations_.emplace(operation.id, operation);
  }
  const auto manner = random_.up_to(1) == 0 ? ScriptedClient::Manner::one_by_one
                                            : ScriptedClient::Manner::pipelined;
  // Behind a proxy they come in clear here; how the two go together is a scenario's.
  const bool is_proxied = !scene_.tls_clients && random_.up_to(3) == 0;
  clients_.push_back(std::make_unique<ScriptedClient>(
      std::move(operations), key_, manner,
      is_proxied ? "PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n" : ""));
  SimPeer* peer = clients_.back().get();
  if (scene_.tls_clients) {
    tls_clients_.push_back(
        std::make_unique<test::TlsSimPeer>(*clients_.back(), tls().client, "gw.test"));
    peer = tls_clients_.back().get();
  }
  transport().bring_client(is_proxied ? 1 : 0, *peer,
                           milliseconds(static_cast<std::int64_t>(random_.up_to(50))));
  return *clients_.back();
}

void SimGateway::reload_without_keys() {
  WorkerMail mail;
  mail.snapshot = test::snapshot_of(configuration_of(scene_), "[]", "unused", 1, tls().files);
  worker_.post(std::move(mail));
}

/// They are asked, and say what they will say, some time; now and then to something else.
void SimGateway::hold(ConnId client, const config::HeldOperation& what) {
  const std::size_t from = what.resource.find("/op") + 1;
  const std::string id = what.resource.substr(from, what.resource.find('/', from) - from);
  const Operation& operation = operations_.at(id);
  asked_[what.request] = id;
  const auto answer = [&](config::HoldAnswer::Kind kind, Duration within) {
    WorkerMail mail;
    mail.held = client;
    mail.hold_answer = {kind, what.request, what.binding, "as people like"};
    const bool is_another = kind == config::HoldAnswer::Kind::approved && !operation.approved;
    if (is_another) mail.hold_answer.binding[0] ^= 1;
    const auto after =
        Duration{static_cast<std::int64_t>(random_.up_to(static_cast<std::uint64_t>(within.ns)))};
    letters_.emplace_back(transport().now().monotonic + after, std::move(mail));
  };
  // Where the log is awaited, simulated time is slow.
  const Duration time = milliseconds(scene_.durable ? 4 : 800);
  answer(config::HoldAnswer::Kind::parked, milliseconds(2));
  const bool says_yes = operation.approved || random_.chance(300);
  answer(says_yes ? config::HoldAnswer::Kind::approved : config::HoldAnswer::Kind::denied, time);
}

void SimGateway::hand_out_letters() {
  const Instant now = transport().now().monotonic;
  for (auto& [at, mail] : letters_) {
    if (at <= now) worker_.post(std::move(mail));
  }
  std::erase_if(letters_, [now](const auto& letter) { return letter.first <= now; });
}

bool SimGateway::run() {
  return run_until([this] {
    return std::ranges::all_of(clients_, [](const auto& client) { return client->is_over(); });
  });
}

}  // namespace sluice::dataplane
