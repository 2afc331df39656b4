// The tokenizer's verdict on any bytes, in any pieces, against the naive reader's
// and, for texts of one value, against a library's.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "matcher/body_masker.h"
#include "naive_masker.h"

namespace {

using namespace sluice;
using namespace sluice::matcher;

bool is_json(std::string_view text, std::size_t piece) {
  static const auto program = MaskProgram::compile({}, {}).value();
  static Scratch scratch;
  static BodyMasker masker;
  masker.start(*program, {}, BodyKind::json);
  std::string output;
  std::string unsettled;
  std::string_view rest = text;
  do {
    const std::size_t size = std::min(rest.size(), piece);
    unsettled += rest.substr(0, size);
    rest.remove_prefix(size);
    std::vector<std::uint8_t> buffer(unsettled.begin(), unsettled.end());
    buffer.resize(unsettled.size() + readable_tail_bytes);
    const MaskStep step =
        masker.mask(ByteSpan(buffer).first(unsettled.size()), rest.empty(), scratch);
    if (step.is_malformed) return false;
    if (!step.edits.empty() || step.is_full) std::abort();
    output += unsettled.substr(0, step.settled_bytes);
    unsettled.erase(0, step.settled_bytes);
  } while (!rest.empty());
  if (output != text) std::abort();  // Without rules nothing changes.
  return true;
}

/// How many values follow one another is ours to allow; the library wants one.
/// Lone surrogates, long numbers and deep nesting are judged differently by
/// design, and the library takes a NUL for the end of the text.
bool library_differs_by_design(std::string_view text) {
  return text.find("\\ud") != text.npos || text.find("\\uD") != text.npos || text.size() > 1000 ||
         text.find('\0') != text.npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool ours = is_json(text, 1 + data[0]);
  if (ours != sluice::testing::naive_is_json(text)) std::abort();
  if (is_json(text, text.size() + 1) != ours) std::abort();
  if (!ours && !library_differs_by_design(text) && nlohmann::json::accept(text) &&
      !text.starts_with("\xef\xbb\xbf")) {
    std::abort();
  }
  return 0;
}
