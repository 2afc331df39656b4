// Runs a stream through an HTTP/1.1 decoder and its contract.
#pragma once

#include <string>
#include <string_view>

#include "http1_adapters.h"

namespace sluice::testing {

/// The steps of `stream` in words; "broken: …" where the codec contract does not hold.
template <class MakeAdapter>
std::string steps_of(MakeAdapter make, std::string_view stream) {
  const std::string problem = broken_contract(make, as_bytes(stream), 20);
  if (!problem.empty()) return "broken: " + problem;
  GuardedBytes room(stream.size());
  auto codec = make();
  return transcript(codec, as_bytes(stream), {}, room).steps;
}

inline std::string request_steps(std::string_view stream, const http1::Limits& limits = {}) {
  return steps_of([&] { return RequestAdapter(limits); }, stream);
}

inline std::string response_steps(std::string_view stream,
                                  http1::Method method = http1::Method::get,
                                  const http1::Limits& limits = {}) {
  return steps_of([&] { return ResponseAdapter(limits, method); }, stream);
}

/// The fault that ends `steps`, or all of them if none does.
inline std::string fault_in(const std::string& steps) {
  constexpr std::string_view mark = "malformed ";
  const auto at = steps.find(mark);
  return at == std::string::npos ? steps : steps.substr(at + mark.size());
}

}  // namespace sluice::testing
