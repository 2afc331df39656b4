// What signatures cost: of a key in this process, in the signer's, and in a token; and a seal.
#include <benchmark/benchmark.h>

#include <stdexcept>

#include "audit/checkpoint.h"
#include "audit/consistency.h"
#include "audit/seal.h"
#include "audit/signer_state.h"
#include "audit/token_key.h"
#include "log_folder.h"
#include "soft_token.h"

namespace sluice::audit {
namespace {

Signer load_key(const LogFolder& folder) {
  auto signer = Signer::load(folder.options.signing_key);
  if (!signer) throw std::runtime_error(signer.error().message);
  return std::move(*signer);
}

void checkpoint_is_signed(benchmark::State& state) {
  const LogFolder folder("/dev/shm");
  Signer signer = load_key(folder);
  for (auto _ : state) benchmark::DoNotOptimize(sign_checkpoint(signer, 1'000'000, Hash{}));
}
BENCHMARK(checkpoint_is_signed);

/// A batch of one record: its proof, there, checked, remembered, signed, and back.
void checkpoint_is_signed_by_process(benchmark::State& state) {
  const LogFolder folder("/dev/shm");
  const auto signer = start_signer(folder);
  Tree tree;
  for (auto _ : state) {
    TreeGrowth growth(tree);
    growth.append(tree, as_bytes("a record"));
    const auto note =
        sign_checkpoint(*signer, {growth.before(), TreeHead::of(tree), growth.proof(tree)});
    if (!note) throw std::runtime_error(note.error().message);
  }
}
BENCHMARK(checkpoint_is_signed_by_process)->UseRealTime();

/// SoftHSM, in this process: what the way through PKCS#11 costs, not what a device does.
void checkpoint_is_signed_in_token(benchmark::State& state) {
  const LogFolder folder("/dev/shm");
  const SoftToken token(folder.path);
  auto signer = open_token_key(token.settings);
  if (!signer) return state.SkipWithError(signer.error().message.c_str());
  for (auto _ : state) benchmark::DoNotOptimize(sign_checkpoint(*signer, 1'000'000, Hash{}));
}
BENCHMARK(checkpoint_is_signed_in_token);

/// A new sealing key, two signatures, and the key before overwritten by two syncs: what a
/// batch waits for once an hour.
void log_is_sealed(benchmark::State& state) {
  const LogFolder folder("/tmp");
  Signer key = load_key(folder);
  auto remembered = SignerState::open(folder.path / "signed");
  if (!remembered || !remembered->recall(key.verifier())) throw std::runtime_error("no state file");
  for (auto _ : state) {
    const auto& last = remembered->sealing();
    auto next = next_seal(key, last ? &*last : nullptr, TreeHead::of(Tree{}), 1'790'000'000,
                          seconds(3'600));
    if (!next || !remembered->keep(std::move(*next))) throw std::runtime_error("no seal");
  }
}
BENCHMARK(log_is_sealed)->UseRealTime();

}  // namespace
}  // namespace sluice::audit
