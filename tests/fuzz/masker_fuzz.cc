// Any body in any pieces, with all instructions that this machine has, against the naive
// masker. Three bytes choose the kind, the pieces' sizes and the rules; the rest is the body.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "matcher/body_masker.h"
#include "naive_masker.h"

namespace {

using namespace sluice;
using namespace sluice::matcher;

const std::string key = "0123456789abcdef0123456789abcdef";

const std::vector<MaskRule>& rules() {
  using Kind = Finder::Kind;
  static const std::vector<MaskRule> list = {
      {"pan",
       {{Kind::builtin, "payment-card"}, {Kind::json_path, "$..pan"}, {Kind::form_field, "pan"}},
       {Show::Kind::partial, 6, 4}},
      {"path",
       {{Kind::json_path, "$.a[*].b"},
        {Kind::json_path, "$.a[1]"},
        {Kind::json_path, "$['c d']..e"}},
       {Show::Kind::redact, 0, 0}},
      {"numbers",
       {{Kind::builtin, "iban"}, {Kind::builtin, "us-ssn"}, {Kind::builtin, "phone"}},
       {Show::Kind::hash, 0, 0}},
      {"mail", {{Kind::builtin, "email"}, {Kind::builtin, "ip"}}, {Show::Kind::partial, 1, 1}},
      {"tokens",
       {{Kind::builtin, "jwt"}, {Kind::builtin, "bearer-token"}, {Kind::builtin, "aws-key"}},
       {Show::Kind::redact, 0, 0}},
      {"own",
       {{Kind::regex, "^a.{0,9}b"}, {Kind::regex, "x{2,40}"}, {Kind::regex, "..end$"}},
       {Show::Kind::partial, 2, 0}},
  };
  return list;
}

struct Pieces {
  std::uint8_t seed;
  std::size_t next() {
    seed = static_cast<std::uint8_t>(seed * 77 + 31);
    return seed < 200 ? 1U + seed % 16U : 64U * (seed - 199U);
  }
};

const MaskProgram& program() {
  static const auto compiled = MaskProgram::compile(rules(), as_bytes(key)).value();
  return *compiled;
}

void check(Scratch& scratch, BodyKind kind, const RuleSet& active, Pieces pieces,
           std::string_view rest, const sluice::testing::NaiveResult& wanted) {
  static BodyMasker masker;
  masker.start(program(), active, kind);
  std::string output;
  std::string unsettled;
  bool is_last = false;
  while (!is_last || !unsettled.empty()) {
    const std::size_t taken = std::min(rest.size(), pieces.next());
    unsettled += rest.substr(0, taken);
    rest.remove_prefix(taken);
    is_last = rest.empty();
    std::vector<std::uint8_t> buffer(unsettled.begin(), unsettled.end());
    buffer.resize(unsettled.size() + readable_tail_bytes);
    const MaskStep step = masker.mask(ByteSpan(buffer).first(unsettled.size()), is_last, scratch);
    if (step.is_malformed) {
      if (!wanted.is_malformed) std::abort();
      return;
    }
    std::size_t at = 0;
    const std::string_view masked = as_text(ByteView(buffer).first(step.settled_bytes));
    for (const Edit& edit : step.edits) {
      output += masked.substr(at, edit.offset - at);
      output += edit.text;
      at = edit.offset + edit.size_bytes;
    }
    output += masked.substr(at);
    unsettled.erase(0, step.settled_bytes);
    if (!step.is_full && unsettled.size() > withheld_bytes_max) std::abort();
  }
  if (wanted.is_malformed || output != wanted.output) std::abort();
  for (std::size_t i = 0; i < wanted.counts.size(); ++i) {
    if (masker.counts()[i] != wanted.counts[i]) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > 8000) return 0;
  static std::vector<Scratch> scratches = [] {
    std::vector<Scratch> made;
    for (const Isa isa : usable_isas()) {
      if (!made.emplace_back(isa).prepare(program())) std::abort();
    }
    return made;
  }();
  const auto kind = static_cast<BodyKind>(data[0] % 3);
  const RuleSet active(data[2] == 0 ? 0xFFU : data[2]);
  const std::string_view body(reinterpret_cast<const char*>(data) + 3, size - 3);
  const auto wanted = sluice::testing::naive_mask(rules(), active, kind, body, key);
  for (Scratch& scratch : scratches) check(scratch, kind, active, Pieces{data[1]}, body, wanted);
  return 0;
}
