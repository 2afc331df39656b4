// HTTP/1.1: requests, responses and targets, from bytes of anyone's choosing.
//
// The first byte picks what the rest is, the second seeds the splits. Oracles:
// steps do not depend on splits; what is encoded again decodes to the same;
// a normalised target is its own normal form; vector and scalar code agree.
#include <cstdio>
#include <cstdlib>

#include "http1_adapters.h"
#include "parsers/http1/fields.h"
#include "parsers/http1/scan.h"
#include "parsers/http1/target.h"

namespace {

using namespace sluice;
using namespace sluice::testing;

constexpr std::size_t input_bytes_max = 4096;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

/// Small enough that inputs of a few bytes reach every limit.
http1::Limits small_limits() {
  http1::Limits limits;
  limits.head_bytes_max = 512;
  limits.target_bytes_max = 128;
  limits.fields_max = 12;
  limits.trailer_bytes_max = 128;
  limits.chunk_extension_bytes_max = 16;
  limits.body_bytes_max = 1024;
  return limits;
}

template <class MakeAdapter>
void check_stream(MakeAdapter make, ByteView input, unsigned seed) {
  static GuardedBytes room(input_bytes_max);
  static GuardedBytes encoded_room(8 * input_bytes_max);
  const auto run = [&](std::span<const std::size_t> cuts) {
    auto codec = make();
    return transcript(codec, input, cuts, room);
  };
  const Transcript whole = run({});
  if (!whole.problem.empty()) fail(whole.problem + whole.steps);

  std::minstd_rand random(seed + 1);
  for (unsigned round = 0; round < 3; ++round) {
    // The last round gives each byte alone.
    std::vector<std::size_t> cuts(round < 2 ? random() % 8 + 1 : input.size());
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      cuts[i] = round < 2 ? random() % (input.size() + 1) : i;
    }
    std::sort(cuts.begin(), cuts.end());
    const Transcript split = run(cuts);
    if (!(split == whole)) fail("split changes steps\n" + whole.steps + "\n--" + split.steps);
  }
  if (whole.is_malformed) return;

  auto codec = make();
  transcript(codec, input, {}, room);
  const std::string encoded = codec.encode_again();
  // Encoding adds whitespace and chunk framing, which may exceed the small limits.
  const Transcript again = [&] {
    auto second = make();
    return transcript(second, as_bytes(encoded), {}, encoded_room);
  }();
  const bool meets_limit = again.steps.find("too_large") != std::string::npos;
  if (!meets_limit && again.steps != whole.steps) {
    fail("round trip differs\n" + whole.steps + "\n--" + again.steps);
  }
}

void check_target(std::string_view text) {
  static GuardedBytes input(input_bytes_max);
  static GuardedBytes scratch(input_bytes_max + 1);
  const std::vector<std::uint8_t> blank(text.size() + 1);
  const std::string_view target = as_text(input.hold(as_bytes(text)));
  const std::string_view host = http1::authority_of(target);
  for (const http1::Method method : {http1::Method::get, http1::Method::options}) {
    const auto once = http1::normalise_target(target, host, method, scratch.hold(blank));
    if (once.fault != http1::TargetFault::none) continue;
    const std::string first(once.target.whole);
    const std::string path(once.target.path);
    const bool has_dots = path.find("/./") != std::string::npos ||
                          path.find("/../") != std::string::npos || path.ends_with("/.") ||
                          path.ends_with("/..");
    if (has_dots || path.find("//") != std::string::npos) fail("not normal: " + path);
    if (first.size() > target.size() + 1) fail("normalising made it longer");
    const auto twice = http1::normalise_target(first, host, method, scratch.hold(blank));
    if (twice.fault != http1::TargetFault::none || twice.target.whole != first) {
      fail("not its own normal form: " + first);
    }
  }
}

template <class Class>
void check_twins(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  for (const char* at = begin; at != end; ++at) {
    const char* const found = http1::scan::end_of_run<Class>(at, begin, end);
    if (found != http1::scan::end_of_run_scalar<Class>(at, end)) fail("twins differ");
    if (found != end) at = found;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > input_bytes_max) return 0;
  static const http1::Limits small = small_limits();
  static const http1::Limits usual;
  const http1::Limits& limits = data[0] & 16U ? small : usual;
  const ByteView input(data + 2, size - 2);
  const auto response = [&](http1::Method method) {
    check_stream([&] { return ResponseAdapter(limits, method); }, input, data[1]);
  };
  switch (data[0] % 8) {
    case 0:
    case 1:
    case 2:
      check_stream([&] { return RequestAdapter(limits); }, input, data[1]);
      break;
    case 3:
      response(http1::Method::get);
      break;
    case 4:
      response(http1::Method::head);
      break;
    case 5:
      check_target(as_text(input));
      break;
    case 6:
      check_target(std::string(1, '/').append(as_text(input)));
      break;
    default:
      check_twins<http1::scan::Token>(as_text(input));
      check_twins<http1::scan::Value>(as_text(input));
      check_twins<http1::scan::Visible>(as_text(input));
      check_twins<http1::scan::HostName>(as_text(input));
      break;
  }
  return 0;
}
