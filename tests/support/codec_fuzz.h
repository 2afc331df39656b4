// The codec contract for a fuzzer: a few splits that its input chooses, and the
// round trip; what breaks it ends the program.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "codec_contract.h"

namespace sluice::testing {

inline constexpr std::size_t fuzz_input_bytes_max = 4096;

[[noreturn]] inline void fail_fuzz(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

/// `make()` makes a fresh adapter (see codec_contract.h). `may_differ(again)` says
/// whether the transcript of what was encoded again may be another.
template <class MakeAdapter, class MayDiffer>
void check_stream(MakeAdapter make, ByteView input, unsigned seed, MayDiffer may_differ) {
  static GuardedBytes room(fuzz_input_bytes_max);
  static GuardedBytes encoded_room(8 * fuzz_input_bytes_max);
  const auto run = [&](std::span<const std::size_t> cuts) {
    auto codec = make();
    return transcript(codec, input, cuts, room);
  };
  const Transcript whole = run({});
  if (!whole.problem.empty()) fail_fuzz(whole.problem + whole.steps);

  std::minstd_rand random(seed + 1);
  for (unsigned round = 0; round < 3; ++round) {
    // The last round gives each byte alone.
    std::vector<std::size_t> cuts(round < 2 ? random() % 8 + 1 : input.size());
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      cuts[i] = round < 2 ? random() % (input.size() + 1) : i;
    }
    std::sort(cuts.begin(), cuts.end());
    const Transcript split = run(cuts);
    if (!(split == whole)) {
      fail_fuzz("split changes steps\n" + whole.steps + "\n--" + split.steps);
    }
  }
  if (whole.is_malformed) return;

  auto codec = make();
  transcript(codec, input, {}, room);
  const std::string encoded = codec.encode_again();
  auto second = make();
  const Transcript again = transcript(second, as_bytes(encoded), {}, encoded_room);
  if (again.steps != whole.steps && !may_differ(again)) {
    fail_fuzz("round trip differs\n" + whole.steps + "\n--" + again.steps);
  }
}

}  // namespace sluice::testing
