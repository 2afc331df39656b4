// What a verdict on a statement costs that was judged before: of the same text, and
// of one with other constants. Each case checks its rulings before it is timed.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "dataplane/session/statement_judge.h"
#include "identity/api_keys.h"
#include "snapshot_of.h"

namespace {

using namespace sluice;
using namespace sluice::dataplane;

constexpr std::string_view configuration = R"(version: 1
listeners:
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: ledger,
     postgres: {passwords_from_loopback: true}}
targets:
  - {name: ledger, addresses: ["127.0.0.1:5433"], credential: {user: app, password: file:secret}}
identity:
  api_keys: file:keys.yaml
audit:
  directory: audit
  signing_key: file:audit.key
masks:
  - {name: card, find: {columns: [customers.card]}, show: {partial: {first: 6, last: 4}}}
  - {name: email, find: {columns: [customers.email]}, show: redact}
policies:
  - name: reads
    operations: {sql: {classes: [select], relations: ["public.*"]}}
    ruling: allow
  - name: no mass changes
    operations: {sql: {without_where: true}}
    ruling: deny
)";

class Scene {
 public:
  Scene() {
    const std::vector<std::uint8_t> random(32, 7);
    const auto key = identity::make_key("ann", {}, WallTime{1'000'000'000}, random);
    const auto snapshot = test::snapshot_of(std::string(configuration), key.yaml_entry);
    if (!scratch_.prepare(*snapshot->masks)) std::abort();
    view_ = std::make_unique<SnapshotView>(snapshot, std::vector<TargetUse>(1));
  }
  JudgedStatement judge(std::string_view text) {
    return judge_.judge(text, {view_.get(), 0, view_->principal(0, 0), path_}, scratch_);
  }

 private:
  StatementJudge judge_{FingerprintKey(1, 2)};
  std::unique_ptr<SnapshotView> view_;
  matcher::Scratch scratch_;
  std::vector<std::string_view> path_ = {"public"};
};

std::vector<std::string> with_constants(const std::string& begin, const std::string& end,
                                        int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(begin + std::to_string(1'000'000 + i) + end);
  return texts;
}

/// Judges one text after the other; all of one shape.
void verdict(benchmark::State& state, const std::vector<std::string>& texts) {
  Scene scene;
  const auto info = scene.judge(texts.front()).info;
  for (const std::string& text : texts) {
    const JudgedStatement judged = scene.judge(text);
    const bool is_right = judged.ruling.kind == config::Ruling::Kind::allow &&
                          judged.ruling.rule == "reads" && judged.info == info;
    if (!is_right) {
      std::fprintf(stderr, "bench reference check failed: %s\n", text.c_str());
      std::abort();
    }
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(scene.judge(texts[next]));
    next = next + 1 == texts.size() ? 0 : next + 1;
  }
  state.counters["bytes"] = static_cast<double>(texts.front().size());
}

const std::string pgbench = "SELECT abalance FROM pgbench_accounts WHERE aid = ";
const std::string customers =
    "SELECT id, name, email FROM customers WHERE region = 'eu-west' AND status IN (1, 2, 3) AND id "
    "> ";

// 50,000 texts: more than are remembered as they are.
BENCHMARK_CAPTURE(verdict, pgbench_same_text, with_constants(pgbench, ";", 1));
BENCHMARK_CAPTURE(verdict, pgbench_other_constants, with_constants(pgbench, ";", 50'000));
BENCHMARK_CAPTURE(verdict, hundred_bytes_same_text, with_constants(customers, "", 1));
BENCHMARK_CAPTURE(verdict, hundred_bytes_other_constants, with_constants(customers, "", 50'000));

}  // namespace

BENCHMARK_MAIN();
