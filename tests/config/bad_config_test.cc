// Every way in which a configuration can be wrong, and exactly what is said.
#include <fmt/format.h>
#include <array>
#include <catch2/catch.hpp>

#include "test_world.h"

using namespace sluice::config;

namespace {

/// `line` of a good file is replaced; 6 is a line more, 0 stands for the whole text.
struct Case {
  int line;
  const char* text;
  const char* problems;
};

constexpr std::array<const char*, 5> good_lines{
    "version: 1", "listeners: [{name: in, address: '127.0.0.1:80', target: api}]",
    "targets: [{name: api, addresses: ['10.0.0.1:80']}]", "identity: {anonymous: true}",
    "audit: {signing_key: 'file:/key'}"};

std::string file_of(const Case& bad) {
  if (bad.line == 0) return bad.text;
  std::string file;
  for (std::size_t i = 0; i < good_lines.size(); ++i) {
    file += bad.line == static_cast<int>(i) + 1 ? bad.text : good_lines[i];
    file += '\n';
  }
  if (bad.line == 6) file += std::string(bad.text) + "\n";
  return file;
}

const Case cases[] = {
    {0, "", "a.yaml:1:1: the file is empty"},
    {0, "# nothing\n", "a.yaml:1:1: the file is empty"},
    {0, "- a\n- b\n", "a.yaml:1:1: expected a section with keys at the top"},
    {0, "just text", "a.yaml:1:1: expected a section with keys at the top"},
    {0, "version: 1\n\tlisteners: []\n",
     "a.yaml:2:1: not readable as YAML: found a tab character that violates indentation (while "
     "scanning a plain scalar); there is a tab; YAML is indented with spaces"},
    {0, "version: 1\nlisteners:\n\t- a\n",
     "a.yaml:3:1: not readable as YAML: found character that cannot start any token (while "
     "scanning for the next token); there is a tab; YAML is indented with spaces"},
    {0, "a: @b\n",
     "a.yaml:1:4: not readable as YAML: found character that cannot start any token (while "
     "scanning for the next token); a text that begins so needs quotes"},
    {0, "a: {b: ${env:NAME}:80}\n",
     "a.yaml:1:9: not readable as YAML: did not find expected ',' or '}' (while parsing a flow "
     "mapping); a text with any of , : [ ] { } in it needs quotes inside {…} and […]"},
    {0, "a: b: c\n",
     "a.yaml:1:5: not readable as YAML: mapping values are not allowed in this context; a text "
     "with ': ' in it needs quotes; or is the indentation wrong?"},
    {0, "a:\n  - b\n   - c: d\n  e: f\n",
     "a.yaml:3:7: not readable as YAML: mapping values are not allowed in this context; a text "
     "with ': ' in it needs quotes; or is the indentation wrong?"},
    {0, "a: 'open\n",
     "a.yaml:2:1: not readable as YAML: found unexpected end of stream (while scanning a quoted "
     "scalar)"},
    {0, "a: [1, 2\n",
     "a.yaml:2:1: not readable as YAML: did not find expected ',' or ']' (while parsing a flow "
     "sequence); a text with any of , : [ ] { } in it needs quotes inside {…} and […]"},
    {0, "version: 1\n---\nversion: 1\n", "a.yaml:2:1: only one YAML document is allowed"},
    {0, "%YAML 1.1\n---\nversion: 1\n", "a.yaml:1:1: YAML directives ('%…') are not allowed"},
    {0, "a: &anchor 1\n", "a.yaml:1:4: anchors ('&name') are not allowed: write the value out"},
    {0, "a: *anchor\n", "a.yaml:1:4: aliases ('*name') are not allowed: write the value out"},
    {0, "a: !!str 1\n", "a.yaml:1:4: tags ('!…') are not allowed"},
    {0, "a: !secret 1\n", "a.yaml:1:4: tags ('!…') are not allowed"},
    {0, "a: {<<: {b: 1}}\n", "a.yaml:1:5: merge keys ('<<') are not allowed: write the values out"},
    {0, "? [a, b]\n: 1\n", "a.yaml:1:3: a key must be a plain word"},
    {0, "a: \001\n", "a.yaml:1:1: not readable as YAML: control characters are not allowed"},
    {0, "a: \377\n", "a.yaml:1:1: not readable as YAML: invalid leading UTF-8 octet"},
    {0, "version: 1\nversion: 1\n",
     "a.yaml:1:1: 'listeners' is missing: Addresses where clients arrive.\na.yaml:1:1: 'targets' "
     "is missing: Systems behind the gateway.\na.yaml:1:1: 'audit' is missing: The signed "
     "log.\na.yaml:2:1: 'version' is given twice; first at line 1"},
    {1, "version: 2", "a.yaml:1:10: version '2' is not known to this program, only 1"},
    {1, "version: one", "a.yaml:1:10: version 'one' is not known to this program, only 1"},
    {1, "# no version", "a.yaml:2:1: 'version' is missing: The version of this format: 1."},
    {1, "version: [1]", "a.yaml:1:10: expected 1, found a list"},
    {1, "version:", "a.yaml:1:9: 'version' has no value"},
    {2, "# none", "a.yaml:1:1: 'listeners' is missing: Addresses where clients arrive."},
    {3, "# none", "a.yaml:1:1: 'targets' is missing: Systems behind the gateway."},
    {5, "# none", "a.yaml:1:1: 'audit' is missing: The signed log."},
    {6, "lisenters: []", "a.yaml:6:1: unknown key 'lisenters'; did you mean 'listeners'?"},
    {6, "policy: []", "a.yaml:6:1: unknown key 'policy'; did you mean 'policies'?"},
    {6, "zzz: 1",
     "a.yaml:6:1: unknown key 'zzz'; known here: version, listeners, targets, identity, policies, "
     "masks, mask_key, audit, recordings, approvals, notifications, admin, workers, "
     "drain_timeout"},
    {6, "Audit: {}", "a.yaml:6:1: unknown key 'Audit'; did you mean 'audit'?"},
    {6, "tls: {}",
     "a.yaml:6:1: unknown key 'tls'; known here: version, listeners, targets, identity, policies, "
     "masks, mask_key, audit, recordings, approvals, notifications, admin, workers, "
     "drain_timeout"},
    {6, "drain_timeout: 10",
     "a.yaml:6:16: 'drain_timeout': '10' is not a duration; write it like 250ms, 10s, 5m, 2h or "
     "1d"},
    {6, "drain_timeout: 10 s",
     "a.yaml:6:16: 'drain_timeout': '10 s' is not a duration; write it like 250ms, 10s, 5m, 2h or "
     "1d"},
    {6, "drain_timeout: 2d", "a.yaml:6:16: 'drain_timeout' must be between 0s and 1d, not 2d"},
    {6, "drain_timeout: -1s",
     "a.yaml:6:16: 'drain_timeout': '-1s' is not a duration; write it like 250ms, 10s, 5m, 2h or "
     "1d"},
    {6, "drain_timeout: 99999999999999999999d",
     "a.yaml:6:16: 'drain_timeout': '99999999999999999999d' is too long"},
    {6, "drain_timeout: 1.5s",
     "a.yaml:6:16: 'drain_timeout': '1.5s' is not a duration; write it like 250ms, 10s, 5m, 2h or "
     "1d"},
    {2, "listeners: []", "a.yaml:2:12: 'listeners' is an empty list; it needs an entry"},
    {2, "listeners: {name: in}",
     "a.yaml:2:12: 'listeners' must be a list, not a section; write [a, b] or one '- …' a line"},
    {2, "listeners: [in]", "a.yaml:2:13: expected a section with keys, found a text"},
    {2, "listeners: [{}]", "a.yaml:2:13: an empty section; fill it or leave it out"},
    {2, "listeners: [{name: in}]",
     "a.yaml:2:13: 'address' is missing: Where clients arrive; a numeric IPv4 or IPv6 "
     "address.\na.yaml:2:13: 'target' is missing: The target behind the listener."},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: apo}]",
     "a.yaml:2:57: unknown target 'apo'; did you mean 'api'?"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, proxy_protocol: {wait: 1s}}]",
     "a.yaml:2:78: 'from' is missing: Where the proxies are. Connections from elsewhere are their "
     "own client's."},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api, proxy_protocol: {from: "
     "[10/8]}}]",
     "a.yaml:2:86: 'from': '10/8' is not a network like 10.0.0.0/8 or 2001:db8::/32"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, tls: {}}]",
     "a.yaml:2:67: an empty section; fill it or leave it out"},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api, tls: {certificate: file:/none, "
     "handshake: 1ms}}]",
     "a.yaml:2:67: 'key' is missing: Its private key as PEM, without a passphrase.\n"
     "a.yaml:2:81: cannot read '/none'\n"
     "a.yaml:2:104: 'handshake' must be between 100ms and 10m, not 1ms"},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api, tls: {certificate: MIIB, key: "
     "MIIE}}]",
     "a.yaml:2:81: 'certificate' must be a reference to a file; write file:PATH or cred:NAME\n"
     "a.yaml:2:92: 'key' must be a reference to a file; write file:PATH or cred:NAME"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, protocol: mysql}]",
     "a.yaml:2:72: protocol 'mysql' is not available in this version"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, protocol: postgres}]",
     "a.yaml:3:11: listener 'in' speaks PostgreSQL: its target needs 'credential' with 'user'"},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api, postgres: {statement: 2KiB}}]",
     "a.yaml:2:72: this section is for protocol: postgres"},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api, protocol: postgres, "
     "postgres: {mode: statement}}]",
     "a.yaml:2:99: 'mode' must be 'session' or 'transaction', not 'statement'\n"
     "a.yaml:3:11: listener 'in' speaks PostgreSQL: its target needs 'credential' with 'user'"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, protocol: htp}]",
     "a.yaml:2:72: 'protocol' must be 'http' or 'postgres', not 'htp'; did you mean 'http'?"},
    {2, "listeners: [{name: 'in bound', address: '127.0.0.1:80', target: api}]",
     "a.yaml:2:20: 'name': 'in bound' is not a name: letters, digits, '.', '_', '-'; at most 64"},
    {2, "listeners: [{name: in, address: 127.0.0.1, target: api}]",
     "a.yaml:2:33: 'address': '127.0.0.1' has no port; an address is 'host:port' or '[IPv6]:port'"},
    {2, "listeners: [{name: in, address: '127.0.0.1:0', target: api}]",
     "a.yaml:2:33: 'address': '127.0.0.1:0' has no port between 1 and 65535; an address is "
     "'host:port' or '[IPv6]:port'"},
    {2, "listeners: [{name: in, address: '127.0.0.1:65536', target: api}]",
     "a.yaml:2:33: 'address': '127.0.0.1:65536' has no port between 1 and 65535; an address is "
     "'host:port' or '[IPv6]:port'"},
    {2, "listeners: [{name: in, address: '::1:80', target: api}]",
     "a.yaml:2:33: 'address': '::1:80': put the IPv6 address in brackets"},
    {2, "listeners: [{name: in, address: '[127.0.0.1]:80', target: api}]",
     "a.yaml:2:33: 'address': '[127.0.0.1]:80': only an IPv6 address goes in brackets"},
    {2, "listeners: [{name: in, address: '127.0.0.256:80', target: api}]",
     "a.yaml:2:33: 'address': '127.0.0.256' is no host; an address is 'host:port' or "
     "'[IPv6]:port'"},
    {2, "listeners: [{name: in, address: '*:80', target: api}]",
     "a.yaml:2:33: 'address': '*' is no host; an address is 'host:port' or '[IPv6]:port'"},
    {2, "listeners: [{name: in, address: 'localhost:80', target: api}]",
     "a.yaml:2:33: 'address': 'localhost' is a name; listen on an address in digits, such as "
     "0.0.0.0:80"},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api}, {name: in, address: "
     "'127.0.0.1:81', target: api}]",
     "a.yaml:2:70: listener 'in' is there twice; first at a.yaml:2"},
    {2,
     "listeners: [{name: in, address: '[::1]:80', target: api}, {name: two, address: "
     "'[0:0::1]:80', target: api}]",
     "a.yaml:2:80: [::1]:80 is already the address of listener 'in'"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, via: yes}]",
     "a.yaml:2:67: 'via': 'yes' is neither true nor false"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, forwarded: on}]",
     "a.yaml:2:73: 'forwarded' must be 'append', 'replace' or 'off', not 'on'"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, limits: {head: 1MB}}]",
     "a.yaml:2:77: 'head': '1MB' is not a size; write it like 512, 64KiB, 16MiB or 1GiB"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, limits: {head: 64KiB}}]",
     "a.yaml:2:77: 'head' must be between 1KiB and 24KiB, not 64KiB"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, limits: {fields: many}}]",
     "a.yaml:2:79: 'fields': 'many' is not a whole number"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, limits: {fields: 129}}]",
     "a.yaml:2:79: 'fields' must be between 1 and 128, not 129"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, limits: {target: 16KiB}}]",
     "a.yaml:2:79: the limit 'target' (16KiB) must be below 'head' (16KiB)"},
    {2,
     "listeners: [{name: in, address: '127.0.0.1:80', target: api, limits: {body: 99999999TiB}}]",
     "a.yaml:2:77: 'body': '99999999TiB' is too large"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, timeouts: {idle: 10ms}}]",
     "a.yaml:2:79: 'idle' must be between 100ms and 1d, not 10ms"},
    {2, "listeners: [{name: in, address: '127.0.0.1:80', target: api, timeout: {idle: 10s}}]",
     "a.yaml:2:62: unknown key 'timeout'; did you mean 'timeouts'?"},
    {3, "targets: [{name: api}]",
     "a.yaml:3:11: 'addresses' is missing: Where the target is; names are resolved when the "
     "configuration is loaded."},
    {3, "targets: [{name: api, addresses: '10.0.0.1:80'}]",
     "a.yaml:3:34: 'addresses' must be a list, not a text; write [a, b] or one '- …' a line"},
    {3, "targets: [{name: api, addresses: []}]",
     "a.yaml:3:34: 'addresses' is an empty list; it needs an entry"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80', '10.0.0.1:80']}]",
     "a.yaml:3:50: 'addresses' lists 10.0.0.1:80 twice"},
    {3, "targets: [{name: api, addresses: ['nowhere.example:80']}]",
     "a.yaml:3:35: 'addresses': cannot resolve 'nowhere.example'"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: verify-ful}]",
     "a.yaml:3:56: 'tls' must be 'verify-full' or a section, not 'verify-ful'; did you mean "
     "'verify-full'?"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: [verify-full]}]",
     "a.yaml:3:56: expected 'verify-full' or a section, found a list"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: {}}]",
     "a.yaml:3:56: an empty section; fill it or leave it out"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: {verify: off, name: a_b}}]",
     "a.yaml:3:65: 'verify' must be 'full' or 'none', not 'off'\n"
     "a.yaml:3:76: 'name': 'a_b' is not a host name or an IP address"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: {verify: none, ca: 'file:/key'}}]",
     "a.yaml:3:75: cannot read '/key'\n"
     "a.yaml:3:75: 'ca' with 'verify: none': nobody would ask who signed a certificate"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: {pins: [sha256/abc]}}]",
     "a.yaml:3:64: 'pins': 'sha256/abc' is not 'sha256//' and the base64 of 32 bytes"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], tls: {key: 'file:/keys.yaml'}}]",
     "a.yaml:3:56: 'certificate' and 'key' belong together\na.yaml:3:62: cannot read '/keys.yaml'"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "hunter2}}]",
     "a.yaml:3:94: 'value' must be a reference to a secret, not the secret itself; write "
     "file:PATH, env:NAME or cred:NAME"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'${env:SECRET}'}}]",
     "a.yaml:3:94: 'value' must be a reference to a secret, not the secret itself; write "
     "file:PATH, env:NAME or cred:NAME"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'env:MISSING'}}]",
     "a.yaml:3:94: 'env:MISSING' is not set"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'file:/missing'}}]",
     "a.yaml:3:94: cannot read '/missing'"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'cred:token'}}]",
     "a.yaml:3:94: 'cred:token': systemd passed no credentials (CREDENTIALS_DIRECTORY is not set)"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'cred:../token'}}]",
     "a.yaml:3:94: 'cred:../token' names no credential"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'file:/empty'}}]",
     "a.yaml:3:94: 'file:/empty' is empty"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Authorization, value: "
     "'file:/two-lines'}}]",
     "a.yaml:3:94: 'file:/two-lines' holds control characters, which a header field cannot carry"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: Host, value: "
     "'file:/secret'}}]",
     "a.yaml:3:72: 'header': 'Host' belongs to the connection, not to a credential"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: 'X Key', value: "
     "'file:/secret'}}]",
     "a.yaml:3:72: 'header': 'X Key' is not a header name"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {user: app, password: "
     "'file:/secret'}}]",
     "a.yaml:3:63: an HTTP target takes 'header' and 'value'"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], credential: {header: X-Key}}]",
     "a.yaml:3:63: a credential is 'header' and 'value', or 'user' and 'password'"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], health: {path: health}}]",
     "a.yaml:3:66: 'path': 'health' is not a path like /health"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], health: {interval: 1s}}]",
     "a.yaml:3:59: 'timeout' (2s) must not be longer than 'interval' (1s)"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], health: {unhealthy_after: 0}}]",
     "a.yaml:3:77: 'unhealthy_after' must be between 1 and 1000, not 0"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:80'], timeouts: {conect: 1s}}]",
     "a.yaml:3:62: unknown key 'conect'; did you mean 'connect'?"},
    {3,
     "targets: [{name: api, addresses: ['10.0.0.1:80']}, {name: api, addresses: ['10.0.0.2:80']}]",
     "a.yaml:3:59: target 'api' is there twice; first at a.yaml:3"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:${env:PORT}']}]",
     "a.yaml:3:35: the environment has no variable 'PORT'"},
    {3, "targets: [{name: api, addresses: ['10.0.0.1:${PORT}']}]",
     "a.yaml:3:35: '${' begins ${env:NAME}; write '$${' for the characters themselves"},
    {4, "identity: {anonymous: false}",
     "a.yaml:4:11: nobody could be identified: set identity.api_keys, identity.oidc, "
     "identity.mtls or identity.anonymous"},
    {4, "identity: {api_keys: /etc/keys.yaml}",
     "a.yaml:4:22: 'api_keys' must be a reference to a file; write file:PATH or cred:NAME"},
    {4, "identity: {oidc: [], anonymous: true}",
     "a.yaml:4:18: 'oidc' is an empty list; leave the key out instead"},
    {4, "identity: {oidc: [{name: a, issuer: 'https://id', audience: x, zzz: 1}]}",
     "a.yaml:4:64: unknown key 'zzz'; known here: name, issuer, audience, jwks, ca, algorithms, "
     "untyped, subject_claim, groups_claim, prefix, authorized_parties, clock_skew, keys_refresh, "
     "keys_max_age, login, introspection"},
    {4, "identity: {oidc: [{name: a, issuer: 'http://id.example.com', audience: x}]}",
     "a.yaml:4:37: 'issuer': 'http://id.example.com' is not a URL like https://id.example.com; "
     "http:// is for this host alone"},
    {4, "identity: {oidc: [{name: a, issuer: 'https://u@id', audience: x}]}",
     "a.yaml:4:37: 'issuer': 'https://u@id' is not a URL like https://id.example.com; http:// is "
     "for this host alone"},
    {4, "identity: {oidc: [{name: a, issuer: 'https://id?x=1', audience: x}]}",
     "a.yaml:4:37: 'issuer': 'https://id?x=1' is not a URL like https://id.example.com; http:// "
     "is for this host alone"},
    {4,
     "identity: {oidc: [{name: a, issuer: 'https://id', audience: x},\n"
     "                  {name: b, issuer: 'https://id', audience: y}]}",
     "a.yaml:5:37: 'https://id' is the issuer 'a' already; its tokens could mean either"},
    {4,
     "identity: {oidc: [{name: a, issuer: 'https://id', audience: x},\n"
     "                  {name: a, issuer: 'https://id2', audience: y}]}",
     "a.yaml:5:26: issuer 'a' is there twice; first at a.yaml:4"},
    {4, "identity: {oidc: [{name: a, issuer: 'https://id', audience: x, algorithms: [HS256]}]}",
     "a.yaml:4:77: 'algorithms': no algorithm 'HS256'; known are RS256, RS384, RS512, PS256, "
     "PS384, PS512, ES256, ES384, ES512, EdDSA"},
    {4, "identity: {oidc: [{name: a, issuer: 'https://id', audience: x, clock_skew: 1h}]}",
     "a.yaml:4:76: 'clock_skew' must be between 0s and 5m, not 1h"},
    {4, "identity: {oidc: [{name: a, issuer: 'https://id', audience: x, keys_max_age: 5m}]}",
     "a.yaml:4:78: 'keys_max_age' (5m) must be longer than 'keys_refresh' (10m)"},
    {4,
     "identity: {oidc: [{name: a, issuer: 'https://id', audience: x, jwks: 'file:/k', ca: "
     "'file:/c'}]}",
     "a.yaml:4:85: 'ca' is for keys that are fetched, and 'jwks' is a file"},
    {4,
     "identity: {failed_proofs_per_source: 30/m,\n"
     "  oidc: [{name: a, issuer: 'https://id', audience: x, introspection:\n"
     "  {client_id: g, client_secret: 'env:SECRET', cache: 2h, endpoint: 'http://id.example'}}]}",
     "a.yaml:6:54: 'cache' must be between 1s and 1h, not 2h\n"
     "a.yaml:6:68: 'endpoint': 'http://id.example' is not a URL like https://id.example.com/sso"},
    {4,
     "identity: {failed_proofs_per_source: 30/m,\n"
     "  oidc: [{name: a, issuer: 'https://id', audience: x,\n"
     "    introspection: {client_id: g, client_secret: 'env:SECRET'}},\n"
     "  {name: b, issuer: 'https://id2', audience: x,\n"
     "    introspection: {client_id: g, client_secret: 'env:SECRET'}}]}",
     "a.yaml:8:20: the issuer 'a' is asked about opaque tokens already; two would be shown each "
     "other's"},
    {4,
     "identity: {oidc: [{name: a, issuer: 'https://id', audience: x,\n"
     "    introspection: {client_id: g, client_secret: 'env:SECRET'}}]}",
     "a.yaml:5:20: one source that invents tokens could keep out callers whose tokens are not "
     "known yet; set identity.failed_proofs_per_source, such as 30/m"},
    {4,
     "identity: {failed_proofs_per_source: 0/m, oidc: [{name: a, issuer: 'https://id',\n"
     "    audience: x, introspection: {client_id: g, client_secret: 'env:SECRET'}}]}",
     "a.yaml:4:38: 'failed_proofs_per_source': '0/m' must be between 1 and 1000000"},
    {4, "identity: {gateway_tokens: {key: 'env:SECRET', lifetime: 8d}}",
     "a.yaml:4:58: 'lifetime' must be between 1m and 7d, not 8d"},
    {4, "identity: {gateway_tokens: {key: 'env:SECRET', lifetime: 1h, max_lifetime: 30m}}",
     "a.yaml:4:58: 'lifetime' (1h) must not be longer than 'max_lifetime' (30m)"},
    {4, "identity: {api_keys: 'file:/keys', revoked_keys: /keys}",
     "a.yaml:4:50: 'revoked_keys' must be another file than 'api_keys'"},
    {4, "identity: {revoked_keys: /list, gateway_tokens: {key: 'env:SECRET', revocations: /list}}",
     "a.yaml:4:26: 'revoked_keys' must be another file than 'gateway_tokens.revocations'"},
    {4, "identity: {mtls: {}}",
     "a.yaml:4:18: an empty section; fill it or leave it out\n"
     "a.yaml:4:18: no listener asks for certificates: set its tls.client_certificate"},
    {4, "identity: {mtls: {client_ca: 'file:/key'}}",
     "a.yaml:4:18: no listener asks for certificates: set its tls.client_certificate\n"
     "a.yaml:4:30: cannot read '/key'"},
    {4, "# none",
     "a.yaml:1:1: nobody could be identified: set identity.api_keys, identity.oidc, "
     "identity.mtls or identity.anonymous"},
    {6, "policies: [{name: r}]", "a.yaml:6:12: 'ruling' is missing: What happens to a match."},
    {6, "policies: [{name: r, ruling: permit}]",
     "a.yaml:6:30: 'ruling' must be 'allow', 'deny' or 'hold', not 'permit'"},
    {6, "policies: [{name: r, ruling: alow}]",
     "a.yaml:6:30: 'ruling' must be 'allow', 'deny' or 'hold', not 'alow'; did you mean 'allow'?"},
    {6, "policies: [{name: r, ruling: hold}]", "a.yaml:6:30: a rule that holds needs 'approval'"},
    {6, "policies: [{name: r, ruling: allow, approval: {by_groups: [dba]}}]",
     "a.yaml:6:47: only a rule that holds has an approval"},
    {6, "policies: [{name: r, ruling: hold, approval: {distinct: 2}}]",
     "a.yaml:6:46: 'by_groups' is missing: Whose members may decide."},
    {6, "policies: [{name: r, ruling: hold, approval: {by_groups: [dba, dba]}}]",
     "a.yaml:6:64: 'by_groups' lists 'dba' twice"},
    {6, "policies: [{name: r, ruling: hold, approval: {by_groups: [dba], uses: 2}}]",
     "a.yaml:6:71: 'uses' is about 'mode: ticket'"},
    {6, "policies: [{name: r, ruling: hold, approval: {by_groups: [dba], mode: ticket, wait: 1s}}]",
     "a.yaml:6:85: 'wait' is about 'mode: wait'"},
    {6,
     "policies: [{name: r, ruling: hold, approval: {by_groups: [dba], mode: ticket, break_glass: "
     "[oncall]}}]",
     "a.yaml:6:93: 'break_glass' is about 'mode: wait'"},
    {6, "policies: [{name: r, ruling: hold, approval: {by_groups: [dba], mode: tickets}}]",
     "a.yaml:6:71: 'mode' must be 'wait' or 'ticket', not 'tickets'; did you mean 'ticket'?"},
    {6, "policies: [{name: r, ruling: hold, approval: {by_groups: [dba], distinct: 17}}]",
     "a.yaml:6:75: 'distinct' must be between 1 and 16, not 17"},
    {6, "policies: [{name: default-deny, ruling: deny}]",
     "a.yaml:6:19: 'default-deny' is the name of what happens without a rule"},
    {6, "policies: [{name: r, ruling: deny}, {name: r, ruling: allow}]",
     "a.yaml:6:44: policy rule 'r' is there twice; first at a.yaml:6"},
    {6, "policies: [{name: r, ruling: deny, targets: [apy]}]",
     "a.yaml:6:46: unknown target 'apy'; did you mean 'api'?"},
    {6, "policies: [{name: r, ruling: deny, targets: []}]",
     "a.yaml:6:45: 'targets' is an empty list; leave the key out instead"},
    {6, "policies: [{name: r, ruling: deny, principals: {}}]",
     "a.yaml:6:48: an empty section; fill it or leave it out"},
    {6, "policies: [{name: r, ruling: deny, principals: {anonymous: false}}]",
     "a.yaml:6:48: names nobody; leave 'principals' out, or name somebody"},
    {6, "policies: [{name: r, ruling: deny, principals: {groups: []}}]",
     "a.yaml:6:57: 'groups' is an empty list; leave the key out instead"},
    {6, "policies: [{name: r, ruling: deny, principals: {groups: [a, a]}}]",
     "a.yaml:6:61: 'groups' lists 'a' twice"},
    {6, "policies: [{name: r, ruling: deny, principals: [a]}]",
     "a.yaml:6:48: expected a section with keys, found a list"},
    {6, "policies: [{name: r, ruling: deny, operations: {sql: {classes: [delete]}}}]",
     "a.yaml:6:54: no listener speaks SQL, so the rule would never match"},
    {6, "policies: [{name: r, ruling: deny, operations: {sql: {classes: [remove]}}}]",
     "a.yaml:6:54: no listener speaks SQL, so the rule would never match\n"
     "a.yaml:6:65: 'classes': no class of statements 'remove'; there are: transaction, select, "
     "insert, update, delete, merge, truncate, copy_in, copy_out, create, alter, drop, comment, "
     "grant, revoke, set, reset, show, begin, commit, rollback, savepoint, two_phase, prepare, "
     "execute, deallocate, declare, fetch, close, explain, call, do, listen, notify, unlisten, "
     "lock, vacuum, analyze, cluster, reindex, refresh, checkpoint, discard, load, other, "
     "replication"},
    {6, "policies: [{name: r, ruling: allow, limits: {max_rows: 1}}]",
     "a.yaml:6:45: no listener speaks SQL, so the limit would never match"},
    {6, "policies: [{name: r, ruling: deny, operations: {patterns: [builtin:x]}}]",
     "a.yaml:6:49: 'patterns' is not available in this version"},
    {6, "policies: [{name: r, ruling: deny, operations: {}}]",
     "a.yaml:6:48: an empty section; fill it or leave it out"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {methods: [get]}}}]",
     "a.yaml:6:66: 'methods': methods are case-sensitive: write 'GET' instead of 'get'"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {methods: ['GET ']}}}]",
     "a.yaml:6:66: 'methods': 'GET ' is not a method"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: [v1]}}}]",
     "a.yaml:6:64: 'paths': 'v1': a path begins with '/'"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/a//b']}}}]",
     "a.yaml:6:64: 'paths': '/a//b': '//' never reaches a rule"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/a/../b']}}}]",
     "a.yaml:6:64: 'paths': '/a/../b': '..' never reaches a rule"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/a**']}}}]",
     "a.yaml:6:64: 'paths': '/a**': '**' must be a whole segment"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/a?b=1']}}}]",
     "a.yaml:6:64: 'paths': '/a?b=1': '?' is not part of a path"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/%7Ea']}}}]",
     "a.yaml:6:64: 'paths': '/%7Ea': paths are matched after normalisation: write '~' instead of "
     "'%7E'"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/%c3%a9']}}}]",
     "a.yaml:6:64: 'paths': '/%c3%a9': paths are matched after normalisation: write '%C3' instead "
     "of '%c3'"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/%2Fa']}}}]",
     "a.yaml:6:64: 'paths': '/%2Fa': '%2F' never reaches a rule: such paths are refused"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/%2541']}}}]",
     "a.yaml:6:64: 'paths': '/%2541': '%2541' never reaches a rule: double encoding is refused"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/a b']}}}]",
     "a.yaml:6:64: 'paths': '/a b': a space, control, backslash or non-ASCII character must be "
     "percent-encoded"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {paths: ['/a%2']}}}]",
     "a.yaml:6:64: 'paths': '/a%2': '%' must be followed by two hex digits"},
    {6,
     "policies: [{name: r, ruling: deny, operations: {http: {headers: [{name: 'X:', pattern: "
     "a}]}}}]",
     "a.yaml:6:73: 'name': 'X:' is not a header name"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {headers: [{name: x}]}}}]",
     "a.yaml:6:66: 'pattern' is missing: A regular expression, searched in the field's value."},
    {6,
     "policies: [{name: r, ruling: deny, operations: {http: {headers: [{name: x, pattern: "
     "'a(?=b)'}]}}}]",
     "a.yaml:6:85: 'pattern': at character 2: only the groups '(…)', '(?:…)', '(?i:…)' and a "
     "leading '(?i)' are understood"},
    {6, "policies: [{name: r, ruling: deny, operations: {http: {body: ['']}}}]",
     "a.yaml:6:63: 'body': an empty expression"},
    {6, "policies: [{name: r, ruling: deny, reason: \"a\\nb\"}]",
     "a.yaml:6:44: 'reason': control characters are not allowed"},
    {6, "masks: [{name: m}]", "a.yaml:6:9: 'find' is missing: What is masked."},
    {6, "masks: [{name: m, find: payment-card}]",
     "a.yaml:6:25: 'find' takes builtin:NAME, a list of them, or a section such as {json: "
     "[\"$..cvv\"]}; did you mean 'builtin:payment-card'?"},
    {6, "masks: [{name: m, find: cards}]",
     "a.yaml:6:25: 'find' takes builtin:NAME, a list of them, or a section such as {json: "
     "[\"$..cvv\"]}"},
    {6, "masks: [{name: m, find: builtin:payment-cart}]",
     "a.yaml:6:25: 'builtins': no built-in finder 'payment-cart'; did you mean 'payment-card'?"},
    {6, "masks: [{name: m, find: builtin:card-number-of-a-kind}]",
     "a.yaml:6:25: 'builtins': no built-in finder 'card-number-of-a-kind'; there are: "
     "payment-card, iban, us-ssn, email, phone, jwt, aws-key, bearer-token, ip"},
    {6, "masks: [{name: m, find: {}}]", "a.yaml:6:25: an empty section; fill it or leave it out"},
    {6, "masks: [{name: m, find: {columns: [a.b]}}]",
     "a.yaml:6:36: no listener speaks SQL, so the mask would never match"},
    {6, "masks: [{name: m, find: {columns: [ssn]}}]",
     "a.yaml:6:36: 'columns': 'ssn' is not a column like 'customers.ssn' or "
     "'public.customers.ssn'"},
    {6, "masks: [{name: m, find: {json: [cvv]}}]",
     "a.yaml:6:33: 'json': 'cvv' is not a JSON path like $.card.number or $..cvv"},
    {6, "masks: [{name: m, find: {jsn: [$.a]}}]",
     "a.yaml:6:26: unknown key 'jsn'; did you mean 'json'?"},
    {6, "masks: [{name: m, find: builtin:ip, show: hide}]",
     "a.yaml:6:43: 'show' must be 'redact' or 'hash', or a section 'partial', not 'hide'"},
    {6, "masks: [{name: m, find: builtin:ip, show: partial}]",
     "a.yaml:6:43: write how much to keep: {partial: {first: 6, last: 4}}"},
    {6, "masks: [{name: m, find: builtin:ip, show: tokenize}]",
     "a.yaml:6:43: show 'tokenize' is not available in this version"},
    {6, "masks: [{name: m, find: builtin:ip, show: {tokenize: true}}]",
     "a.yaml:6:44: 'tokenize' is not available in this version"},
    {6, "masks: [{name: m, find: builtin:ip, show: {partial: {first: 0}}}]",
     "a.yaml:6:43: a partial mask that keeps nothing; write 'show: redact'"},
    {6, "masks: [{name: m, find: builtin:ip, show: {partial: {first: 33}}}]",
     "a.yaml:6:43: a partial mask that keeps nothing; write 'show: redact'\na.yaml:6:61: 'first' "
     "must be between 0 and 32, not 33"},
    {6, "masks: [{name: m, find: builtin:payment-card, show: {partial: {first: 6, last: 6}}}]",
     "a.yaml:6:53: of a payment card at most the first 8 and the last 4 digits may be shown (PCI "
     "DSS 3.4.1)"},
    {6, "masks: [{name: m, find: builtin:ip, show: hash}]",
     "a.yaml:6:43: a mask that hashes needs 'mask_key' at the top of the file"},
    {6, "masks: [{name: m, find: builtin:ip, on: both-ways}]",
     "a.yaml:6:41: 'on' must be 'response', 'request' or 'both', not 'both-ways'"},
    {6, "masks: [{name: m, find: builtin:ip, targets: [ap]}]",
     "a.yaml:6:47: unknown target 'ap'; did you mean 'api'?"},
    {6, "masks: [{name: m, find: builtin:ip}, {name: m, find: builtin:jwt}]",
     "a.yaml:6:45: mask 'm' is there twice; first at a.yaml:6"},
    {6, "mask_key: 0123456789abcdef0123456789abcdef",
     "a.yaml:6:11: 'mask_key' must be a reference to a secret, not the secret itself; write "
     "file:PATH, env:NAME or cred:NAME"},
    {6, "mask_key: file:/secret", "a.yaml:6:11: 'mask_key' has 6 bytes; at least 32 are needed"},
    {5, "audit: {}", "a.yaml:5:8: an empty section; fill it or leave it out"},
    {5, "audit: {directory: /tmp}",
     "a.yaml:5:8: 'signing_key' is missing: The Ed25519 key that signs checkpoints."},
    {5, "audit: {signing_key: 'file:/key', release: durabel}",
     "a.yaml:5:44: 'release' must be 'recorded' or 'durable', not 'durabel'; did you mean "
     "'durable'?"},
    {5, "audit: {signing_key: 'file:/key', ring: 1KiB}",
     "a.yaml:5:41: 'ring' must be between 64KiB and 1GiB, not 1KiB"},
    {5, "audit: {signing_key: 'file:/key', directory: /log, signer: {state: /log/x}}",
     "a.yaml:5:68: the signer's state must not lie in the log's directory '/log', or both are "
     "rolled back together"},
    {5, "audit: {signing_key: 'file:/key', signer: {users: nobody}}",
     "a.yaml:5:44: unknown key 'users'; did you mean 'user'?"},
    {5, "audit: {signing_key: '/key'}",
     "a.yaml:5:22: 'signing_key' must be a reference to a key, not the key itself; write "
     "file:PATH, cred:NAME or pkcs11:token=LABEL;object=LABEL"},
    {5, "audit: {signing_key: 'pkcs11:token=a;object=b'}",
     "a.yaml:5:22: a key in a token needs audit.token: its module, PIN and origin"},
    {5, "audit: {signing_key: 'file:/key', token: {module: /m.so, pin: file:/pin, origin: a}}",
     "a.yaml:5:42: audit.token is for a signing_key that begins with pkcs11:"},
    {5,
     "audit: {signing_key: 'pkcs11:object=b', token: {module: /m.so, pin: 'env:PIN', origin: a}}",
     "a.yaml:5:69: 'pin' must be a reference to a file; write file:PATH or cred:NAME"},
    {5, "audit: {signing_key: 'pkcs11:object=b', token: {module: /m.so, pin: '1234', origin: a}}",
     "a.yaml:5:69: 'pin' must be a reference to a file; write file:PATH or cred:NAME"},
    {6, "admin: {tcp: '0.0.0.0:9000'}",
     "a.yaml:6:14: the admin interface has no login: 0.0.0.0:9000 must be a loopback address"},
    {6, "admin: {tcp: '127.0.0.1:80'}",
     "a.yaml:6:14: 127.0.0.1:80 is already the address of listener 'in'"},
    {6, "admin: {listen: {address: '0.0.0.0:0', certificate: 'file:/key', key: 'file:/key'}}",
     "a.yaml:6:27: 'address': '0.0.0.0:0' has no port between 1 and 65535; an address is "
     "'host:port' or '[IPv6]:port'\n"
     "a.yaml:6:53: cannot read '/key'\n"
     "a.yaml:6:71: cannot read '/key'"},
    {6, "admin: {listen: {address: '127.0.0.1:80', certificate: 'file:/key', key: 'file:/key'}}",
     "a.yaml:6:27: 127.0.0.1:80 is already the address of listener 'in'\n"
     "a.yaml:6:56: cannot read '/key'\n"
     "a.yaml:6:74: cannot read '/key'"},
    {6, "admin: {socket: ''}", "a.yaml:6:17: 'socket': an empty text"},
    {6, "workers: {count: -1}", "a.yaml:6:18: 'count': '-1' is not a whole number"},
    {6, "workers: {count: 4.0}", "a.yaml:6:18: 'count': '4.0' is not a whole number"},
    {6, "workers: {pin: 1}", "a.yaml:6:16: 'pin': '1' is neither true nor false"},
    {6, "workers: {count: 1, thread: 2}",
     "a.yaml:6:21: unknown key 'thread'; known here: count, pin, connections, buffers, "
     "kernel_tls"},
};

World world() {
  TestWorld world;
  world.files = {{"/secret", "s3cret\n"}, {"/empty", "\n"}, {"/two-lines", "a\nb\n"}};
  world.variables = {{"SECRET", "hunter2"}};
  return world.world();
}

}  // namespace

TEST_CASE("the good file that the bad ones are made from is good") {
  CHECK(texts(load_text(file_of({-1, "", ""}), "a.yaml", world()).problems).empty());
}

TEST_CASE("each bad configuration is refused with its place and its reason") {
  for (const Case& bad : cases) {
    INFO(file_of(bad));
    CHECK(texts(load_text(file_of(bad), "a.yaml", world()).problems) == bad.problems);
  }
}

TEST_CASE("each bad rule before a database is refused with its place and its reason") {
  // The rule stands in line 6.
  const std::string before =
      "version: 1\n"
      "listeners: [{name: in, address: '127.0.0.1:1', target: db, protocol: postgres}]\n"
      "targets: [{name: db, addresses: ['10.0.0.1:80'], credential: {user: u}}]\n"
      "identity: {anonymous: true}\n"
      "audit: {signing_key: 'file:/key'}\n";
  constexpr std::pair<const char*, const char*> bad_rules[] = {
      {"{name: r, ruling: deny, limits: {max_rows: 1}}",
       "a.yaml:6:44: only a rule that allows has limits"},
      {"{name: r, ruling: allow, limits: {}}",
       "a.yaml:6:45: an empty section; fill it or leave it out\n"
       "a.yaml:6:45: limits nothing; leave it out"},
      {"{name: r, ruling: allow, limits: {max_rows: 0, max_bytes: 0}}",
       "a.yaml:6:45: limits nothing; leave it out"},
      {"{name: r, ruling: allow, limits: {max_bytes: 1MB}}",
       "a.yaml:6:45: limits nothing; leave it out\n"
       "a.yaml:6:57: 'max_bytes': '1MB' is not a size; write it like 512, 64KiB, 16MiB or 1GiB"},
      {"{name: r, ruling: deny, operations: {sql: {columns: [ssn]}}}",
       "a.yaml:6:65: 'columns': 'ssn' is not a column like 'customers.ssn' or "
       "'public.customers.ssn'"},
      {"{name: r, ruling: allow, limits: {rate: 100}}",
       "a.yaml:6:52: 'rate': '100' is not a rate; write it like 100/s, 30/m or 5/h"},
      {"{name: r, ruling: allow, limits: {rate: 0/s}}",
       "a.yaml:6:52: 'rate': '0/s' must be between 1 and 1000000"},
      {"{name: r, ruling: allow, limits: {max_rows: 5, burst: 5}}",
       "a.yaml:6:66: 'burst' needs 'rate'"}};
  for (const auto& [rule, problems] : bad_rules) {
    INFO(rule);
    const std::string file = before + "policies: [" + rule + "]\n";
    CHECK(texts(load_text(file, "a.yaml", world()).problems) == problems);
  }
}

TEST_CASE("What masks make of expressions is said of masks by column only") {
  const std::string text =
      file_of({6, "masks: [{name: m, find: builtin:ip, derived: refuse}]", ""});
  CHECK(texts(load_text(text, "a.yaml", world()).problems) ==
        "a.yaml:6:46: 'derived' is about masks that find 'columns'");
}

TEST_CASE("An export that has no destination, two, or half of TLS is refused") {
  const std::pair<const char*, const char*> bad_exports[] = {
      {"{name: e}",
       "a.yaml:5:45: the export 'e' needs one destination: 'file', 'syslog', "
       "'s3', 'kafka' or 'otlp'"},
      {"{name: e, file: {directory: d}, syslog: {addresses: ['127.0.0.1:1']}}",
       "a.yaml:5:45: the export 'e' needs one destination: 'file', 'syslog', "
       "'s3', 'kafka' or 'otlp'"},
      {"{name: e, syslog: {addresses: ['127.0.0.1:1'], ca: 'file:/ca'}}",
       "a.yaml:5:96: 'ca' without 'server_name': records would go in clear"},
      {"{name: e, s3: {endpoint: 'ftp://x', bucket: b, access_key: a, secret_key: 'env:SECRET'}}",
       "a.yaml:5:70: 'endpoint' must be http:// or https:// with a host, and perhaps a port"},
      {"{name: e, s3: {endpoint: 'http://x', bucket: b, access_key: a, secret_key: 'env:SECRET', "
       "prefix: 'a?b', linger: 10m}}",
       "a.yaml:5:142: 'prefix' may have letters, digits and -_./\n"
       "a.yaml:5:157: 'linger' must be below 'lag_alarm'"},
      {"{name: e, kafka: {brokers: ['k1', 'k:1'], topic: t, ca: 'file:/ca', "
       "login: {user: u, password: 'env:SECRET'}}}",
       "a.yaml:5:73: 'k1' is not a broker like k1.example.com:9093\n"
       "a.yaml:5:101: 'ca' without 'tls: true': records would go in clear\n"
       "a.yaml:5:120: 'login' needs 'tls: true'"},
      {"{name: e, lag_alarm: 1s, otlp: {endpoint: 'http://c.example:4318/', linger: 1s, "
       "credential: {header: A, value: 'env:SECRET'}}}",
       "a.yaml:5:87: 'endpoint' must be http:// or https:// with a host, and perhaps a port\n"
       "a.yaml:5:121: 'linger' must be below 'lag_alarm'\n"
       "a.yaml:5:137: 'credential' needs an https:// endpoint"}};
  for (const auto& [one, problems] : bad_exports) {
    INFO(one);
    const std::string line = fmt::format("audit: {{signing_key: 'file:/key', exports: [{}]}}", one);
    const std::string found =
        texts(load_text(file_of({5, line.c_str(), ""}), "a.yaml", world()).problems);
    CHECK(found == problems);
  }
}

TEST_CASE("What is to be recorded has somebody to read it, and is something that is allowed") {
  constexpr auto bad = std::to_array<std::array<const char*, 2>>(
      {{"policies: [{name: r, ruling: allow, record: full}]",
        "a.yaml:6:45: 'record: full' needs the section 'recordings' with 'recipients'"},
       {"policies: [{name: r, ruling: deny, record: full}]\nrecordings: {recipients: [age1x]}",
        "a.yaml:6:44: what is refused is not recorded: 'record' is for rules that allow"},
       {"recordings: {directory: /r}",
        "a.yaml:6:13: 'recipients' is missing: Who can read them: lines `age1…` that `age-keygen` "
        "prints. The gateway cannot."},
       {"recordings: {recipients: []}",
        "a.yaml:6:26: 'recipients' is an empty list; it needs an entry"},
       {"recordings: {recipients: [age1x], chunk: 4MiB, memory: 2MiB}",
        "a.yaml:6:42: 'chunk' (4MiB) must not be above 'memory' (2MiB)"}});
  for (const auto& [line, problems] : bad) {
    INFO(line);
    CHECK(texts(load_text(file_of({6, line, ""}), "a.yaml", world()).problems) == problems);
  }
}

TEST_CASE("Recordings are beside the log, and are not kept longer than it") {
  constexpr auto bad = std::to_array<std::array<const char*, 3>>(
      {{"/log", "directory: /log",
        "a.yaml:6:25: recordings need a folder of their own: neither in the log's directory "
        "'/log' nor around it"},
       {"/log", "directory: /log/recordings", ""},
       {"/var/log/", "directory: /var", ""},
       {"/log, retention: {keep: 30d}", "directory: /r",
        "a.yaml:6:13: where audit.retention removes records, recordings need 'retention', too: "
        "what "
        "proves a recording are records of the log"},
       {"/log, retention: {keep: 30d}", "retention: {keep: 31d}",
        "a.yaml:6:32: recordings are kept 31d, their records only 30d (audit.retention.keep): what "
        "proves a recording are records of the log"}});
  for (const auto& [log, recordings, problems] : bad) {
    INFO(recordings);
    const std::string audit =
        fmt::format("audit: {{signing_key: 'file:/key', directory: {}}}", log);
    const std::string line = fmt::format("recordings: {{{}, recipients: [age1x]}}\n", recordings);
    const std::string found =
        texts(load_text(file_of({5, audit.c_str(), ""}) + line, "a.yaml", world()).problems);
    CHECK_FALSE(found.empty());
    if (*problems != '\0') CHECK(found == problems);
  }
  for (const char* good : {"/var/recordings-of-log", "/var/logs", "/va"}) {
    const std::string line =
        fmt::format("recordings: {{directory: {}, recipients: [age1x]}}\n", good);
    constexpr const char* audit = "audit: {signing_key: 'file:/key', directory: /var/log}";
    CHECK(texts(load_text(file_of({5, audit, ""}) + line, "a.yaml", world()).problems).empty());
  }
}

TEST_CASE("a literal secret is never repeated") {
  for (const char* secret : {"hunter2", "'${env:SECRET}'"}) {
    const std::string text = file_of({6, "", ""}) + "mask_key: " + secret + "\n";
    const std::string problems = texts(load_text(text, "a.yaml", world()).problems);
    CHECK_FALSE(problems.empty());
    CHECK(problems.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("what is too large, too deep or too much is refused before it costs anything") {
  const auto problems = [](const std::string& text) {
    return texts(load_text(text, "a.yaml", world()).problems);
  };
  CHECK(problems(std::string((1 << 20) + 1, '#')) ==
        "a.yaml:1:1: 1048577 bytes; at most 1048576 are read");
  CHECK(problems(std::string(500'000, '[')) == "a.yaml:1:18: nested deeper than 16 levels");
  std::string many = "a: [";
  for (int i = 0; i < 110'000; ++i) many += "1,";
  CHECK(problems(many + "1]") == "a.yaml:1:199999: more than 100000 values");
  std::string keys;
  for (int i = 0; i < 300; ++i) keys += fmt::format("k{}: 1\n", i);
  CHECK(problems(keys) == "a.yaml:257:1: more than 256 keys in one section");
}
