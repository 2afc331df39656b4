// Any bytes as a record: to_json accepts or refuses, and what it accepts is one
// line without control characters; the writer's quick look agrees with it.
#include <cstdint>
#include <cstdlib>

#include "audit/record_view.h"
#include "audit/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sluice::ByteView record(data, size);
  const auto origin = sluice::audit::origin_of(record);
  const auto json = sluice::audit::to_json(record);
  if (!json) return 0;
  if (!origin) std::abort();
  for (const char c : *json) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
  }
  return 0;
}
