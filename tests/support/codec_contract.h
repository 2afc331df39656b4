// What every codec must keep to, checked through a small adapter per codec:
//
//  - the same bytes give the same steps wherever reads split them;
//  - it never reads past `in` (each input ends at a guard page);
//  - after a refusal, each further call repeats it;
//  - what is encoded again unedited decodes to the same messages.
//
// An adapter is a value with
//   Step next(ByteView in);        one decode step, described in words
//   std::string close();           what the end of the stream means now
//   std::string encode_again();    everything decoded so far, encoded anew
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "guarded_bytes.h"

namespace sluice::testing {

struct ContractStep {
  enum class Kind : std::uint8_t { needs_more, event, data, malformed };
  Kind kind = Kind::needs_more;
  std::size_t size_bytes = 0;
  std::string what;  ///< Of an event or refusal: all that the step says. Of data: the payload.
};

/// The steps of a whole stream as one text. Pieces of data that follow one
/// another count as one, since where they are cut is the reader's choice.
struct Transcript {
  std::string steps;
  std::string offsets;  ///< Where each event ended.
  std::string problem;  ///< What broke the contract already, if anything.
  bool is_malformed = false;

  friend bool operator==(const Transcript&, const Transcript&) = default;
};

/// Feeds `input` cut at the ascending offsets `cuts`.
template <class Adapter>
Transcript transcript(Adapter& codec, ByteView input, std::span<const std::size_t> cuts,
                      GuardedBytes& room) {
  Transcript out;
  std::size_t used = 0;
  bool in_data = false;
  const auto feed = [&](std::size_t arrived) {
    for (;;) {
      const ContractStep step = codec.next(room.hold(input.subspan(used, arrived - used)));
      used += step.size_bytes;
      if (used > arrived) {
        out.problem = "used bytes that are not there";
        return false;
      }
      if (step.kind == ContractStep::Kind::needs_more) return true;
      if (step.kind == ContractStep::Kind::data) {
        if (!in_data) out.steps += "\ndata ";
        out.steps += step.what;
        in_data = true;
        continue;
      }
      in_data = false;
      out.steps += '\n';
      out.steps += step.what;
      if (step.kind == ContractStep::Kind::malformed) {
        const ContractStep again = codec.next(room.hold(input.subspan(used, arrived - used)));
        if (again.kind != step.kind || again.what != step.what) out.problem = "not repeated";
        out.is_malformed = true;
        return false;
      }
      out.offsets += std::to_string(used) + ' ';
    }
  };
  for (const std::size_t cut : cuts) {
    if (!feed(cut)) return out;
  }
  if (feed(input.size())) out.steps += "\nclose: " + codec.close();
  return out;
}

/// Empty when the contract holds for `input`, else what broke it. `make()` makes
/// a fresh adapter.
template <class MakeAdapter>
std::string broken_contract(MakeAdapter make, ByteView input, unsigned random_splits) {
  GuardedBytes room(input.size());
  const auto run = [&](std::span<const std::size_t> cuts) {
    auto codec = make();
    return transcript(codec, input, cuts, room);
  };
  const Transcript whole = run({});
  const auto differs = [&](std::span<const std::size_t> cuts, const std::string& how) {
    const Transcript split = run(cuts);
    if (split == whole) return std::string{};
    return how + "\n-- whole:" + whole.steps + "\n" + whole.offsets + "\n-- split:" + split.steps +
           "\n" + split.offsets;
  };
  if (!whole.problem.empty()) return whole.problem + whole.steps;

  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    std::string problem = differs(std::span(&cut, 1), "split at " + std::to_string(cut));
    if (!problem.empty()) return problem;
  }
  std::vector<std::size_t> cuts(input.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
  if (std::string problem = differs(cuts, "each byte alone"); !problem.empty()) return problem;

  std::minstd_rand random(static_cast<unsigned>(input.size()) + 1);
  for (unsigned i = 0; i < random_splits; ++i) {
    cuts.assign(random() % 6 + 1, 0);
    for (std::size_t& cut : cuts) cut = random() % (input.size() + 1);
    std::sort(cuts.begin(), cuts.end());
    std::string problem = differs(cuts, "random split " + std::to_string(i));
    if (!problem.empty()) return problem;
  }

  auto codec = make();
  const Transcript decoded = transcript(codec, input, {}, room);
  if (decoded.is_malformed) return {};
  const std::string encoded = codec.encode_again();
  GuardedBytes encoded_room(encoded.size());
  auto second = make();
  const Transcript again = transcript(second, as_bytes(encoded), {}, encoded_room);
  if (again.steps == decoded.steps) return {};
  return "round trip\n-- decoded:" + decoded.steps + "\n-- again:" + again.steps;
}

}  // namespace sluice::testing
