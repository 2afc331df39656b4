// HTTP/1.1: requests, responses and targets, from bytes of anyone's choosing.
//
// The first byte picks what the rest is, the second seeds the splits. Oracles:
// steps do not depend on splits; what is encoded again decodes to the same;
// a normalised target is its own normal form; vector and scalar code agree.
#include "codec_fuzz.h"
#include "http1_adapters.h"
#include "parsers/http1/fields.h"
#include "parsers/http1/scan.h"
#include "parsers/http1/target.h"

namespace {

using namespace sluice;
using namespace sluice::testing;

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

/// Encoding adds whitespace and chunk framing, which may exceed the small limits.
bool meets_limit(const Transcript& again) {
  return again.steps.find("too_large") != std::string::npos;
}

void check_target(std::string_view text) {
  static GuardedBytes input(fuzz_input_bytes_max);
  static GuardedBytes scratch(fuzz_input_bytes_max + 1);
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
    if (has_dots || path.find("//") != std::string::npos) fail_fuzz("not normal: " + path);
    if (first.size() > target.size() + 1) fail_fuzz("normalising made it longer");
    const auto twice = http1::normalise_target(first, host, method, scratch.hold(blank));
    if (twice.fault != http1::TargetFault::none || twice.target.whole != first) {
      fail_fuzz("not its own normal form: " + first);
    }
  }
}

template <class Class>
void check_twins(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  for (const char* at = begin; at != end; ++at) {
    const char* const found = http1::scan::end_of_run<Class>(at, begin, end);
    if (found != http1::scan::end_of_run_scalar<Class>(at, end)) fail_fuzz("twins differ");
    if (found != end) at = found;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > fuzz_input_bytes_max) return 0;
  static const http1::Limits small = small_limits();
  static const http1::Limits usual;
  const http1::Limits& limits = data[0] & 16U ? small : usual;
  const ByteView input(data + 2, size - 2);
  const auto response = [&](http1::Method method) {
    check_stream([&] { return ResponseAdapter(limits, method); }, input, data[1], meets_limit);
  };
  switch (data[0] % 8) {
    case 0:
    case 1:
    case 2:
      check_stream([&] { return RequestAdapter(limits); }, input, data[1], meets_limit);
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
