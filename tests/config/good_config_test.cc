#include <catch2/catch.hpp>

#include "config/load/quantity.h"
#include "config/model/policy.h"
#include "test_world.h"

using namespace sluice;
using namespace sluice::config;

namespace {

std::string file_text(const std::string& path) {
  return World::real().read_file(path).value_or("(unreadable)");
}

constexpr const char* everything = R"(
version: 1
listeners:
  - name: in
    address: "[::1]:8443"
    protocol: http
    target: api
    via: false
    forwarded: append
    limits:
      head: 8KiB
      target: 4KiB
      fields: 50
      trailers: 1KiB
      chunk_extension: 16
      body: 1MiB
      inspected_body: 128KiB
      requests_per_connection: 1000
    timeouts: {request_head: 1s, idle: 2s, stall: 3s}
targets:
  - name: api
    addresses: [10.0.0.5:8080, "api.example:81"]
    credential: {header: X-Key, value: "cred:token"}
    health:
      path: /health
      interval: 1s
      timeout: 500ms
      unhealthy_after: 5
      healthy_after: 1
      ejected_for: 1m
    timeouts: {connect: 1s, response: 2m, idle: 1h}
    connections: 7
    queue: {wait: 3s, sessions: 5}
identity:
  api_keys: file:keys.yaml
  revoked_keys: revoked_keys
  anonymous: true
  failed_proofs_per_source: 30/m
  oidc:
    - name: corp
      issuer: "https://id.example.com/realm"
      audience: sluice
      ca: file:ca.pem
      algorithms: [ES256, EdDSA]
      untyped: true
      subject_claim: preferred_username
      groups_claim: realm_access.roles
      prefix: "corp:"
      authorized_parties: [console]
      clock_skew: 5s
      keys_refresh: 1m
      keys_max_age: 1h
      introspection:
        endpoint: "https://id.example.com/introspect?realm=1"
        client_id: gateway
        client_secret: env:MASK_KEY
        cache: 30s
        timeout: 1s
        rate: 600/m
    - {name: here, issuer: "http://127.0.0.1:9000", audience: api, jwks: file:keys.json}
  gateway_tokens:
    key: env:MASK_KEY
    previous_key: cred:token
    lifetime: 5m
    max_lifetime: 1h
    revocations: revoked
policies:
  - name: the rule
    principals: {subjects: [ann, "*"], groups: [staff], anonymous: true}
    targets: [api]
    operations:
      http:
        methods: [GET, PURGE]
        paths: ["/a/**", "/b/*"]
        headers: [{name: X-Env, pattern: "^prod"}, {name: X-Team, pattern: ".*"}]
        body: ["a.b", "$${c"]
    ruling: deny
    reason: "${env:WHY} not"
masks:
  - {name: a, find: builtin:ip}
  - {name: b, find: [builtin:iban, builtin:jwt], show: hash, on: both}
  - name: c
    find: {builtins: [email], patterns: [x+], json: ["$..a"], form: [f], headers: [X-H]}
    show: {partial: {first: 1, last: 2}}
    on: request
    targets: [api]
    except_groups: [fraud]
mask_key: env:MASK_KEY
audit:
  directory: log
  signing_key: cred:audit
  signer: {state: signed, user: signer}
  release: durable
  ring: 1MiB
  segment: 64MiB
  heartbeat: 5s
  retention: {keep: 400d}
  exports:
    - {name: siem, format: ocsf, syslog: {addresses: ["api.example:6514"], server_name: siem, ca: file:/ca}}
    - name: vault
      s3: {endpoint: "https://s3.example", region: eu-1, bucket: logs, prefix: gw1/, access_key: AK,
           secret_key: env:MASK_KEY, ca: file:/ca, lock: {mode: governance, days: 30}, batch: 1MiB, linger: 5s}
    - {name: disk, format: cef, lag_alarm: 1m, file: {directory: out, rotate: 1MiB}}
    - name: stream
      kafka: {brokers: ["k1.example:9093", "k2.example:9093"], topic: audit, tls: true, ca: file:/ca, timeout: 5s,
              login: {user: gw, password: env:MASK_KEY, mechanism: plain}}
    - name: logs
      otlp: {endpoint: "https://c.example:4318/otlp", ca: file:/ca, batch: 2MiB, linger: 2s,
             credential: {header: Authorization, value: env:MASK_KEY}}
admin: {socket: /run/admin.sock, tcp: "127.0.0.1:9000"}
workers: {count: 2, pin: false, connections: 100, buffers: 2MiB}
drain_timeout: 1m
)";

TestWorld world_of_everything() {
  TestWorld world;
  world.files = {{"/creds/token", "Bearer abc\r\n"}};
  world.variables = {
      {"CREDENTIALS_DIRECTORY", "/creds"}, {"WHY", "rather"}, {"MASK_KEY", std::string(32, 'k')}};
  world.hosts = {{"api.example", {"10.0.0.5", "10.0.0.6", "10.0.0.6"}}};
  return world;
}

}  // namespace

TEST_CASE("Recordings have limits of their own, and a rule asks for them") {
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners: [{name: in, address: '127.0.0.1:1', target: a}]\n"
      "targets: [{name: a, addresses: ['10.0.0.1:443']}]\n"
      "identity: {anonymous: true}\n"
      "policies: [{name: r, ruling: allow, record: full}, {name: s, ruling: allow}]\n"
      "recordings: {directory: /r, recipients: [age1x], max_bytes: 2MiB, on_full: stop,\n"
      "  chunk: 8KiB, chunk_time: 5s, memory: 3MiB, backlog: 4MiB,\n"
      "  retention: {keep: 90d}}\n"
      "audit: {signing_key: 'file:/key'}\n",
      "a.yaml", world_of_everything().world());
  REQUIRE(texts(loaded.problems).empty());
  CHECK(loaded.settings.policies[0].record == RecordMode::full);
  CHECK(loaded.settings.policies[1].record == RecordMode::operations);
  const auto& recordings = loaded.settings.recordings;
  REQUIRE(recordings);
  CHECK(recordings->directory == "/r");
  CHECK(recordings->recipients == std::vector<std::string>{"age1x"});
  CHECK(recordings->bytes_max == 2U << 20);
  CHECK(recordings->on_full == OnFull::stop);
  CHECK(recordings->chunk_bytes == 8U << 10);
  CHECK(recordings->chunk_time == seconds(5));
  CHECK(recordings->memory_bytes == 3U << 20);
  CHECK(recordings->backlog_bytes == 4U << 20);
  REQUIRE(recordings->retention);
  CHECK(recordings->retention->keep == seconds(90 * 86'400));
}

TEST_CASE("TLS of listeners and targets: files are read, names are kept") {
  TestWorld world = world_of_everything();
  world.files["/gw.crt"] = "certificate";
  world.files["/gw.key"] = "key";
  world.files["/b.crt"] = "another";
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners:\n"
      "  - {name: in, address: '127.0.0.1:1', target: a, tls: {certificate: file:/gw.crt,\n"
      "     key: file:/gw.key, by_name: [{certificate: file:/b.crt, key: file:/gw.key}]}}\n"
      "targets:\n"
      "  - {name: a, addresses: ['api.example:443', '10.0.0.1:443'], tls: verify-full}\n"
      "  - {name: b, addresses: ['10.0.0.1:443'], tls: {name: b.example, ca: 'file:/gw.crt'}}\n"
      "  - {name: c, addresses: ['10.0.0.1:443'], tls: {verify: none}}\n"
      "  - {name: d, addresses: ['10.0.0.1:443']}\n"
      "identity: {anonymous: true}\n"
      "audit: {signing_key: 'file:/key'}\n",
      "a.yaml", world.world());
  REQUIRE(texts(loaded.problems).empty());
  const auto& tls = loaded.settings.listeners[0].tls;
  REQUIRE(tls);
  CHECK(tls->certificate.path == "/gw.crt");
  CHECK(tls->certificate.text == "certificate");
  CHECK(tls->certificate.place.line == 3);
  CHECK(tls->key.text == "key");
  CHECK(tls->by_name[0].certificate.text == "another");
  CHECK(tls->handshake_timeout == seconds(10));

  const auto& targets = loaded.settings.targets;
  REQUIRE(targets[0].tls);
  CHECK(targets[0].tls->verify == TlsVerify::full);
  CHECK(targets[0].tls->ca.path.empty());
  CHECK(targets[0].addresses[0].name == "api.example");
  CHECK(targets[0].addresses[0].host == "10.0.0.5");
  CHECK(targets[0].addresses[2].name.empty());
  CHECK(targets[1].tls->name == "b.example");
  CHECK(targets[1].tls->ca.text == "certificate");
  CHECK(targets[2].tls->verify == TlsVerify::none);
  CHECK_FALSE(targets[3].tls);
}

TEST_CASE("The control API over TLS has files and limits; people sign in by an issuer's client") {
  TestWorld world = world_of_everything();
  world.files["/gw.crt"] = "certificate";
  world.files["/gw.key"] = "key";
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners: [{name: in, address: '127.0.0.1:1', target: a}]\n"
      "targets: [{name: a, addresses: ['10.0.0.1:443']}]\n"
      "identity:\n"
      "  oidc:\n"
      "    - {name: corp, issuer: 'https://id.test', audience: sluice,\n"
      "       login: {client_id: cli, scopes: [openid, offline_access]}}\n"
      "audit: {signing_key: 'file:/key'}\n"
      "admin:\n"
      "  listen: {address: '0.0.0.0:9443', certificate: file:/gw.crt, key: file:/gw.key,\n"
      "           connections: 16, connections_per_source: 2, timeout: 3s}\n",
      "a.yaml", world.world());
  REQUIRE(texts(loaded.problems).empty());
  const auto& listen = loaded.settings.admin.listen;
  REQUIRE(listen);
  CHECK(address_text(listen->address) == "0.0.0.0:9443");
  CHECK(listen->certificate.text == "certificate");
  CHECK(listen->key.path == "/gw.key");
  CHECK(listen->connections_max == 16);
  CHECK(listen->connections_per_source_max == 2);
  CHECK(listen->timeout == seconds(3));
  const auto& login = loaded.settings.identity.oidc[0].login;
  REQUIRE(login);
  CHECK(login->client_id == "cli");
  CHECK(login->scopes == std::vector<std::string>{"openid", "offline_access"});
}

TEST_CASE("Client certificates: whose they are, and who asks") {
  TestWorld world = world_of_everything();
  for (const char* const file : {"/gw.crt", "/gw.key", "/ca.crt", "/ca.crl"}) {
    world.files[file] = file;
  }
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners:\n"
      "  - {name: in, address: '127.0.0.1:1', target: a, tls: {certificate: file:/gw.crt,\n"
      "     key: file:/gw.key, client_certificate: required, forward_client_certificate: true}}\n"
      "targets: [{name: a, addresses: ['10.0.0.1:80']}]\n"
      "identity:\n"
      "  failed_proofs_per_source: 30/m\n"
      "  mtls:\n"
      "    client_ca: file:/ca.crt\n"
      "    crl: file:/ca.crl\n"
      "    principals:\n"
      "      - {spiffe: 'spiffe://corp/*/*', as: '{1}-{2}', groups: ['{1}', all]}\n"
      "      - {dns: '*.test'}\n"
      "      - {email: '*@corp.test'}\n"
      "      - {subject: 'CN=*,O=Corp', as: '{1}'}\n"
      "audit: {signing_key: 'file:/key'}\n",
      "a.yaml", world.world());
  REQUIRE(texts(loaded.problems).empty());
  const ListenerTls& tls = *loaded.settings.listeners[0].tls;
  CHECK(tls.client_certificate == ClientCertificate::required);
  CHECK(tls.forward_client_certificate);
  CHECK(loaded.settings.identity.failed_proofs_per_source.count == 30);
  const auto& mtls = loaded.settings.identity.mtls;
  REQUIRE(mtls);
  CHECK(mtls->client_ca.text == "/ca.crt");
  CHECK(mtls->crl.text == "/ca.crl");
  REQUIRE(mtls->principals.size() == 4);
  CHECK(mtls->principals[0].name().first == CertificateName::spiffe);
  CHECK(mtls->principals[0].as == "{1}-{2}");
  CHECK(mtls->principals[0].groups == std::vector<std::string>{"{1}", "all"});
  CHECK(mtls->principals[3].name().second == "CN=*,O=Corp");
}

TEST_CASE("What is wrong with client certificates is told with its place") {
  const std::pair<const char*, const char*> bad[] = {
      {"{as: a}", "a.yaml:5:12: one of 'spiffe', 'dns', 'email' and 'subject' says whose it is"},
      {"{dns: a, email: a}",
       "a.yaml:5:12: one of 'spiffe', 'dns', 'email' and 'subject' says whose it is"},
      {"{dns: A}", "a.yaml:5:18: 'A': names of DNS are written in small letters here"},
      {"{spiffe: a}", "a.yaml:5:21: 'a': a SPIFFE ID begins with spiffe://"},
      {"{dns: '*.a', as: '{2}'}", "a.yaml:5:29: '{2}': the pattern has no '*' of number 2"},
      {"{dns: '*.a', groups: ['{x}']}",
       "a.yaml:5:34: '{x}': braces stand around the number of a '*'"},
  };
  TestWorld world = world_of_everything();
  for (const char* const file : {"/gw.crt", "/gw.key", "/ca.crt"}) world.files[file] = file;
  for (const auto& [rule, problem] : bad) {
    const std::string text =
        "version: 1\n"
        "listeners: [{name: in, address: '127.0.0.1:1', target: a, tls: {certificate: "
        "file:/gw.crt, "
        "key: file:/gw.key, client_certificate: optional}}]\n"
        "targets: [{name: a, addresses: ['10.0.0.1:80']}]\n"
        "identity: {mtls: {client_ca: file:/ca.crt, principals: [\n"
        "           " +
        std::string(rule) + "]}}\naudit: {signing_key: 'file:/key'}\n";
    INFO(rule);
    CHECK(texts(load_text(text, "a.yaml", world.world()).problems) == problem);
  }
  const Loaded unsaid = load_text(
      "version: 1\n"
      "listeners: [{name: in, address: '127.0.0.1:1', target: a, tls: {certificate: file:/gw.crt, "
      "key: file:/gw.key, client_certificate: optional}},\n"
      "  {name: two, address: '127.0.0.1:2', target: a, tls: {certificate: file:/gw.crt, "
      "key: file:/gw.key, forward_client_certificate: true}}]\n"
      "targets: [{name: a, addresses: ['10.0.0.1:80']}]\n"
      "identity: {anonymous: true}\n"
      "audit: {signing_key: 'file:/key'}\n",
      "a.yaml", world.world());
  CHECK(texts(unsaid.problems) ==
        "a.yaml:2:131: identity.mtls must say whose certificates are good\n"
        "a.yaml:3:130: clients are not asked for a certificate: set 'client_certificate'");
}

TEST_CASE("TLS is for PostgreSQL, too") {
  TestWorld world = world_of_everything();
  world.files["/gw.crt"] = world.files["/gw.key"] = "text";
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners:\n"
      "  - {name: in, address: '127.0.0.1:1', target: db, protocol: postgres,\n"
      "     tls: {certificate: file:/gw.crt, key: file:/gw.key, handshakes_per_source: 90/m},\n"
      "     postgres: {cancels_in_clear: true}}\n"
      "targets:\n"
      "  - {name: db, addresses: ['10.0.0.1:80'], credential: {user: u}, tls: verify-full}\n"
      "identity: {anonymous: true}\n"
      "audit: {signing_key: 'file:/key'}\n",
      "a.yaml", world.world());
  CHECK(texts(loaded.problems).empty());
  const Listener& listener = loaded.settings.listeners.front();
  CHECK(listener.postgres.cancels_in_clear);
  const RateRule rate = rate_rule(listener.name, listener.tls->handshakes_per_source);
  CHECK(rate.interval.ns * 90 >= seconds(60).ns);
  CHECK(rate.tolerance.ns == rate.interval.ns);  // one at once, for 1.5 a second
}

TEST_CASE("Cancel requests in clear are nothing to allow where all is in clear") {
  TestWorld world = world_of_everything();
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners:\n"
      "  - {name: in, address: '127.0.0.1:1', target: db, protocol: postgres,\n"
      "     postgres: {cancels_in_clear: true}}\n"
      "targets:\n"
      "  - {name: db, addresses: ['10.0.0.1:80'], credential: {user: u}}\n"
      "identity: {anonymous: true}\n"
      "audit: {signing_key: 'file:/key'}\n",
      "a.yaml", world.world());
  CHECK(texts(loaded.problems) == "a.yaml:4:35: without 'tls' all cancel requests come in clear");
}

TEST_CASE("every key of a rule about SQL reaches its field") {
  const Loaded loaded = load_text(
      "version: 1\n"
      "listeners: [{name: in, address: '127.0.0.1:1', target: db, protocol: postgres}]\n"
      "targets: [{name: db, addresses: ['10.0.0.1:80'], credential: {user: u}}]\n"
      "identity: {anonymous: true}\n"
      "audit: {signing_key: 'file:/key'}\n"
      "policies:\n"
      "  - {name: r, ruling: allow,\n"
      "     operations: {sql: {columns: [customers.name, 'public.orders.*']}},\n"
      "     limits: {max_rows: 10000, max_bytes: 64MiB, rate: 30/m, burst: 7}}\n"
      "masks:\n"
      "  - {name: a, find: {columns: [customers.ssn]}, derived: refuse}\n"
      "  - {name: b, find: {columns: [customers.pin]}, derived: allow}\n"
      "  - {name: c, find: {columns: [customers.pan]}}\n",
      "a.yaml", world_of_everything().world());
  REQUIRE(texts(loaded.problems).empty());
  const PolicyRule& rule = loaded.settings.policies[0];
  REQUIRE(rule.limits);
  CHECK(rule.limits->rows_max == 10'000);
  CHECK(rule.limits->bytes_max == 64 << 20);
  CHECK(rule.limits->rate.count == 30);
  CHECK(rule.limits->rate.period == seconds(60));
  CHECK(rule.limits->burst == 7);
  REQUIRE(rule.sql);
  CHECK(rule.sql->columns == std::vector<std::string>{"customers.name", "public.orders.*"});
  REQUIRE(loaded.settings.masks.size() == 3);
  CHECK(loaded.settings.masks[0].derived == MaskDerived::refuse);
  CHECK(loaded.settings.masks[1].derived == MaskDerived::allow);
  CHECK(loaded.settings.masks[2].derived == MaskDerived::mask);
}

TEST_CASE("every key reaches its field") {
  const Loaded loaded = load_text(everything, "/etc/sluice/a.yaml", world_of_everything().world());
  REQUIRE(texts(loaded.problems).empty());
  const Settings& settings = loaded.settings;

  REQUIRE(settings.listeners.size() == 1);
  const Listener& listener = settings.listeners[0];
  CHECK(listener.name == "in");
  CHECK(address_text(listener.address) == "[::1]:8443");
  CHECK(listener.target == "api");
  CHECK_FALSE(listener.via);
  CHECK(listener.forwarded == ForwardedFields::append);
  CHECK(listener.http.head_bytes_max == 8192);
  CHECK(listener.http.target_bytes_max == 4096);
  CHECK(listener.http.fields_max == 50);
  CHECK(listener.http.trailer_bytes_max == 1024);
  CHECK(listener.http.chunk_extension_bytes_max == 16);
  CHECK(listener.http.body_bytes_max == 1 << 20);
  CHECK(listener.http.inspected_body_bytes_max == 128 << 10);
  CHECK(listener.http.requests_per_connection_max == 1000);
  CHECK(listener.timeouts.request_head == seconds(1));
  CHECK(listener.timeouts.idle == seconds(2));
  CHECK(listener.timeouts.stall == seconds(3));
  CHECK(listener.place.line == 4);

  REQUIRE(settings.targets.size() == 1);
  const Target& target = settings.targets[0];
  REQUIRE(target.addresses.size() == 3);  // the name's two, each once
  CHECK(address_text(target.addresses[0]) == "10.0.0.5:8080");
  CHECK(address_text(target.addresses[1]) == "10.0.0.5:81");
  CHECK(address_text(target.addresses[2]) == "10.0.0.6:81");
  REQUIRE(target.credential);
  CHECK(target.credential->header == "X-Key");
  CHECK(target.credential->value->value == "Bearer abc");
  CHECK(target.credential->value->reference == "cred:token");
  CHECK(target.health.path == "/health");
  CHECK(target.health.interval == seconds(1));
  CHECK(target.health.timeout == milliseconds(500));
  CHECK(target.health.unhealthy_after == 5);
  CHECK(target.health.healthy_after == 1);
  CHECK(target.health.ejected_for == seconds(60));
  CHECK(target.connect_timeout == seconds(1));
  CHECK(target.response_timeout == seconds(120));
  CHECK(target.idle_timeout == seconds(3600));
  CHECK(target.pool_connections_max == 7);
  CHECK(target.queue.wait_max == seconds(3));
  CHECK(target.queue.sessions_max == 5);

  CHECK(settings.identity.api_keys_file == "/etc/sluice/keys.yaml");
  CHECK(settings.identity.revoked_keys == "/etc/sluice/revoked_keys");
  CHECK(settings.identity.allow_anonymous);
  REQUIRE(settings.identity.oidc.size() == 2);
  const OidcIssuer& corp = settings.identity.oidc[0];
  CHECK(corp.name == "corp");
  CHECK(corp.issuer == "https://id.example.com/realm");
  CHECK(corp.audience == "sluice");
  CHECK(corp.jwks_file.empty());
  CHECK(corp.ca_file == "/etc/sluice/ca.pem");
  CHECK(corp.algorithms == std::vector<std::string>{"ES256", "EdDSA"});
  CHECK(corp.untyped);
  CHECK(corp.subject_claim == "preferred_username");
  CHECK(corp.groups_claim == "realm_access.roles");
  CHECK(corp.prefix == "corp:");
  CHECK(corp.authorized_parties == std::vector<std::string>{"console"});
  CHECK(corp.clock_skew == seconds(5));
  CHECK(corp.keys_refresh == seconds(60));
  CHECK(corp.keys_max_age == seconds(3600));
  REQUIRE(corp.introspection);
  CHECK(corp.introspection->endpoint == "https://id.example.com/introspect?realm=1");
  CHECK(corp.introspection->client_id == "gateway");
  CHECK(corp.introspection->client_secret.reference == "env:MASK_KEY");
  CHECK(corp.introspection->cache == seconds(30));
  CHECK(corp.introspection->timeout == seconds(1));
  CHECK(corp.introspection->rate.count == 600);
  CHECK(corp.introspection->rate.period == seconds(60));
  const OidcIssuer& here = settings.identity.oidc[1];
  CHECK(here.issuer == "http://127.0.0.1:9000");
  CHECK(here.jwks_file == "/etc/sluice/keys.json");
  CHECK_FALSE(here.introspection);
  CHECK(here.subject_claim == "sub");

  REQUIRE(settings.identity.gateway_tokens);
  const GatewayTokens& tokens = *settings.identity.gateway_tokens;
  CHECK(tokens.key.reference == "env:MASK_KEY");
  REQUIRE(tokens.previous_key);
  CHECK(tokens.previous_key->value == "Bearer abc");
  CHECK(tokens.lifetime == seconds(300));
  CHECK(tokens.lifetime_max == seconds(3600));
  CHECK(tokens.revocations == "/etc/sluice/revoked");

  REQUIRE(settings.policies.size() == 1);
  const PolicyRule& rule = settings.policies[0];
  CHECK(rule.principals.subjects == std::vector<std::string>{"ann", "*"});
  CHECK(rule.principals.groups == std::vector<std::string>{"staff"});
  CHECK(rule.principals.anonymous);
  CHECK(rule.targets == std::vector<std::string>{"api"});
  REQUIRE(rule.http);
  CHECK(rule.http->methods == std::vector<std::string>{"GET", "PURGE"});
  CHECK(rule.http->paths == std::vector<std::string>{"/a/**", "/b/*"});
  REQUIRE(rule.http->headers.size() == 2);
  CHECK(rule.http->headers[0].pattern == "^prod");
  CHECK(rule.http->body == std::vector<std::string>{"a.b", "${c"});
  CHECK(rule.ruling == RulingKind::deny);
  CHECK(rule.reason == "rather not");

  REQUIRE(settings.masks.size() == 3);
  CHECK(settings.masks[0].find.builtins == std::vector<std::string>{"ip"});
  CHECK(settings.masks[0].show.kind == MaskShowKind::redact);
  CHECK(settings.masks[0].on == MaskDirection::response);
  CHECK(settings.masks[1].find.builtins == std::vector<std::string>{"iban", "jwt"});
  CHECK(settings.masks[1].show.kind == MaskShowKind::hash);
  CHECK(settings.masks[1].on == MaskDirection::both);
  const Mask& mask = settings.masks[2];
  CHECK(mask.find.builtins == std::vector<std::string>{"email"});
  CHECK(mask.find.patterns == std::vector<std::string>{"x+"});
  CHECK(mask.find.json == std::vector<std::string>{"$..a"});
  CHECK(mask.find.form == std::vector<std::string>{"f"});
  CHECK(mask.find.headers == std::vector<std::string>{"X-H"});
  CHECK(mask.show.kind == MaskShowKind::partial);
  CHECK(mask.show.first == 1);
  CHECK(mask.show.last == 2);
  CHECK(mask.on == MaskDirection::request);
  CHECK(mask.targets == std::vector<std::string>{"api"});
  CHECK(mask.except_groups == std::vector<std::string>{"fraud"});
  REQUIRE(settings.mask_hash_key);
  CHECK(settings.mask_hash_key->value == std::string(32, 'k'));

  CHECK(settings.audit.directory == "/etc/sluice/log");
  CHECK(settings.audit.signing_key.file == "/creds/audit");
  CHECK(settings.audit.signer.state == "/etc/sluice/signed");
  CHECK(settings.audit.signer.user == "signer");
  CHECK(settings.audit.release == Release::durable);
  CHECK(settings.audit.ring_bytes == 1 << 20);
  CHECK(settings.audit.segment_bytes == 64 << 20);
  CHECK(settings.audit.heartbeat == seconds(5));
  REQUIRE(settings.audit.retention);
  CHECK(settings.audit.retention->keep == seconds(400 * 86'400));
  REQUIRE(settings.audit.exports.size() == 5);
  const AuditExport& siem = settings.audit.exports[0];
  CHECK(siem.name == "siem");
  CHECK(siem.format == ExportFormat::ocsf);
  CHECK_FALSE(siem.file);
  REQUIRE(siem.syslog);
  CHECK(siem.syslog->addresses ==
        std::vector<SocketAddress>{{"10.0.0.5", 6514}, {"10.0.0.6", 6514}});
  CHECK(siem.syslog->server_name == "siem");
  CHECK(siem.syslog->ca_file == "/ca");
  CHECK(siem.lag_alarm == seconds(300));
  REQUIRE(settings.audit.exports[1].s3);
  const S3Export& vault = *settings.audit.exports[1].s3;
  CHECK(vault.endpoint == "https://s3.example");
  CHECK(vault.region == "eu-1");
  CHECK(vault.bucket == "logs");
  CHECK(vault.prefix == "gw1/");
  CHECK(vault.access_key == "AK");
  CHECK(vault.secret_key.value == std::string(32, 'k'));
  CHECK(vault.ca_file == "/ca");
  CHECK(vault.lock == ObjectLock{LockMode::governance, 30});
  CHECK(vault.batch_bytes == 1 << 20);
  CHECK(vault.linger == seconds(5));
  const AuditExport& disk = settings.audit.exports[2];
  CHECK(disk.format == ExportFormat::cef);
  CHECK(disk.file == FileExport{"/etc/sluice/out", 1 << 20});
  CHECK_FALSE(disk.syslog);
  CHECK(disk.lag_alarm == seconds(60));
  const Secret key{"env:MASK_KEY", std::string(32, 'k')};
  CHECK(settings.audit.exports[3].kafka == KafkaExport{{"k1.example:9093", "k2.example:9093"},
                                                       "audit",
                                                       true,
                                                       "/ca",
                                                       KafkaLogin{"gw", key, KafkaMechanism::plain},
                                                       seconds(5)});
  CHECK(settings.audit.exports[4].otlp == OtlpExport{"https://c.example:4318/otlp",
                                                     HeaderCredential{"Authorization", key}, "/ca",
                                                     2 << 20, seconds(2)});
  CHECK(settings.admin.socket == "/run/admin.sock");
  REQUIRE(settings.admin.tcp);
  CHECK(address_text(*settings.admin.tcp) == "127.0.0.1:9000");
  CHECK(settings.workers.count == 2);
  CHECK_FALSE(settings.workers.pin);
  CHECK(settings.workers.connections_max == 100);
  CHECK(settings.workers.buffer_bytes == 2 << 20);
  CHECK(settings.drain_timeout == seconds(60));
}

TEST_CASE("the example in the documentation loads") {
  TestWorld world;
  world.files = {{"/etc/sluice/secrets/payments", "Bearer abc\n"},
                 {"/etc/sluice/mask.key", std::string(44, 'k')}};
  const Loaded loaded = load_text(file_text(SLUICE_TEST_DATA "/../../docs/examples/sluice.yaml"),
                                  "/etc/sluice/sluice.yaml", world.world());
  CHECK(texts(loaded.problems).empty());
  CHECK(loaded.settings.policies.size() == 3);
  CHECK(loaded.settings.masks.size() == 3);
}

TEST_CASE("the real world reads the same example from a folder") {
  const Loaded loaded = load(SLUICE_TEST_DATA "/../../docs/examples/sluice.yaml", World::real());
  // Only the secrets are missing, and each is named where it is used.
  REQUIRE(loaded.problems.size() == 2);
  CHECK(loaded.problems[0].message == "cannot read '/etc/sluice/secrets/payments'");
  CHECK(loaded.problems[1].message == "cannot read '/etc/sluice/mask.key'");
}

TEST_CASE("a file that is not there is a problem, not an empty configuration") {
  const Loaded loaded = load("/nowhere/sluice.yaml", World::real());
  CHECK(texts(loaded.problems) == "/nowhere/sluice.yaml: cannot read this file");
  const Loaded folder = load("/tmp", World::real());
  CHECK(texts(folder.problems) == "/tmp: cannot read this file");
}

TEST_CASE("conf.d adds to lists and sections, in the order of names") {
  TestWorld world;
  world.files = {{"/c/sluice.yaml",
                  "version: 1\n"
                  "listeners: [{name: a, address: '127.0.0.1:80', target: t}]\n"
                  "audit: {signing_key: 'file:/key'}\n"},
                 {"/c/conf.d/20-b.yaml",
                  "policies: [{name: second, ruling: deny}]\n"
                  "audit: {release: durable}\n"},
                 {"/c/conf.d/10-a.yaml",
                  "version: 1\n"
                  "targets: [{name: t, addresses: ['10.0.0.1:80']}]\n"
                  "policies: [{name: first, ruling: deny}]\n"
                  "identity: {anonymous: true}\n"},
                 {"/c/conf.d/.hidden.yaml", "not: read\n"},
                 {"/c/conf.d/readme.txt", "not: read\n"}};
  const Loaded loaded = load("/c/sluice.yaml", world.world());
  REQUIRE(texts(loaded.problems).empty());
  REQUIRE(loaded.settings.policies.size() == 2);
  CHECK(loaded.settings.policies[0].name == "first");
  CHECK(loaded.settings.policies[1].name == "second");
  CHECK(loaded.settings.policies[0].place.file == "/c/conf.d/10-a.yaml");
  CHECK(loaded.settings.audit.release == Release::durable);
  CHECK(loaded.settings.audit.signing_key.file == "/key");

  world.files["/c/conf.d/30-c.yaml"] =
      "audit: {release: recorded}\npolicies: {}\nversion: 2\nlisteners: [{name: a}]\n";
  CHECK(texts(load("/c/sluice.yaml", world.world()).problems) ==
        "/c/conf.d/30-c.yaml:1:9: 'release' is set twice; first at /c/conf.d/20-b.yaml:2\n"
        "/c/conf.d/30-c.yaml:2:1: 'policies' is set twice; first at /c/conf.d/10-a.yaml:3\n"
        "/c/conf.d/30-c.yaml:3:1: 'version' is set twice; first at /c/sluice.yaml:1\n"
        "/c/conf.d/30-c.yaml:4:13: 'address' is missing: Where clients arrive; a numeric IPv4 or "
        "IPv6 address.\n"
        "/c/conf.d/30-c.yaml:4:13: 'target' is missing: The target behind the listener.");
}
