// What a token costs: the first time it is shown, by its algorithm, and each time after.
// Each case checks its output first.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "dataplane/replay_filter.h"
#include "dataplane/session/token_proofs.h"
#include "dpop_maker.h"
#include "identity/dpop.h"
#include "snapshot_of.h"
#include "token_bench.h"

namespace {

using namespace sluice;
using namespace sluice::test;
using config::JwsAlgorithm;

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8080", protocol: http, target: api}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  oidc:
    - {name: corp, issuer: "https://id.example.com", audience: sluice, groups_claim: groups}
policies:
  - {name: staff may all, principals: {groups: [staff]}, ruling: allow}
audit: {directory: audit, signing_key: file:audit.key}
)";

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench reference check failed: %s\n", what);
  std::abort();
}

std::string token_of(const ProviderKey& key, JwsAlgorithm algorithm, const char* id,
                     std::string_view subject = "ann") {
  const auto name = config::jws_algorithm_names[static_cast<std::size_t>(algorithm)];
  return make_token(key, algorithm,
                    fmt::format(R"({{"alg":"{}","typ":"at+jwt","kid":"{}"}})", name, id),
                    with(good_claims, "ann", subject));
}

void verify(benchmark::State& state, const ProviderKey& key, JwsAlgorithm algorithm,
            const char* id) {
  const TokenBench bench;
  const std::string token = token_of(key, algorithm, id);
  expect(bench.verify(token).principal.subject == "ann", "the token is good");
  for (auto _ : state) benchmark::DoNotOptimize(bench.verify(token));
  state.counters["bytes"] = static_cast<double>(token.size());
}

/// With each request: the proof that its sender has the token's key, and that it is the first.
void proof(benchmark::State& state) {
  const ProviderKey& key = provider_keys().other;
  const std::string token = bound_token(key);
  std::vector<std::string> proofs;
  for (int i = 0; i < 1'000; ++i)
    proofs.push_back(dpop(key, dpop_claims(token, fmt::format("{}", i))));
  dataplane::ReplayFilter filter(FingerprintKey(1, 2), token_now + seconds(-60));
  // The same ones are shown as other ones: the filter has a minute for each.
  std::uint64_t shown = 0;
  const auto take = [&] {
    const auto read = identity::read_dpop(proofs[shown % proofs.size()]);
    const bool holds = read && identity::verify_dpop(*read, {"POST", token}, token_now,
                                                     seconds(60)) == identity::TokenFault::none;
    const std::string name = fmt::format("{}{}", as_text(read->thumbprint), ++shown);
    return holds && filter.show(name, token_now, token_now, token_now) ==
                        dataplane::ReplayFilter::Verdict::fresh;
  };
  expect(take(), "the proof is good");
  for (auto _ : state) benchmark::DoNotOptimize(take());
}

/// As a session does it: the fingerprint, the lookup, the view of its rules.
void known(benchmark::State& state, std::size_t tokens, std::size_t more_bytes) {
  const auto snapshot = snapshot_of(configuration, "[]");
  dataplane::TokenProofs proofs;
  proofs.take_up(std::make_shared<const identity::TokenKeys>(TokenBench().keys));
  const FingerprintKey print_key(1, 2);
  const Now now{{1}, token_now};
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < tokens; ++i) {
    const std::string claims =
        with(good_claims, "ann",
             fmt::format("user-{}\",\"more\":\"{}", i, std::string(more_bytes, 'x')));
    shown.push_back(make_token(provider_keys().p256, JwsAlgorithm::es256, good_header, claims));
  }
  const auto ask = [&](const std::string& token) {
    const auto answer = proofs.prove(token, print_key.of(token), *snapshot, 0, {}, now);
    return answer.proof == nullptr ? nullptr : answer.proof->view(*snapshot, 0).get();
  };
  for (const std::string& token : shown) expect(ask(token) != nullptr, "the token is good");
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ask(shown[next]));
    next = next + 1 == shown.size() ? 0 : next + 1;
  }
  state.counters["bytes"] = static_cast<double>(shown.front().size());
}

const ProviderKeys& made = provider_keys();
BENCHMARK_CAPTURE(verify, rs256, made.rsa, JwsAlgorithm::rs256, "rsa");
BENCHMARK_CAPTURE(verify, ps256, made.rsa, JwsAlgorithm::ps256, "rsa");
BENCHMARK_CAPTURE(verify, es256, made.p256, JwsAlgorithm::es256, "p256");
BENCHMARK_CAPTURE(verify, es384, made.p384, JwsAlgorithm::es384, "p384");
BENCHMARK_CAPTURE(verify, es512, made.p521, JwsAlgorithm::es512, "p521");
BENCHMARK_CAPTURE(verify, eddsa, made.ed25519, JwsAlgorithm::eddsa, "ed");
BENCHMARK(proof);
BENCHMARK_CAPTURE(known, one_short, 1, 0);
BENCHMARK_CAPTURE(known, one_of_1_kib, 1, 450);
BENCHMARK_CAPTURE(known, thousand_of_1_kib, 1000, 450);

}  // namespace

BENCHMARK_MAIN();
