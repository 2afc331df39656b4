#include "matcher/self_test.h"
#include "matcher/self_test_cases.h"

#include <fmt/format.h>

#include <array>

#include "matcher/body_masker.h"
#include "matcher/pattern_set.h"

namespace sluice::matcher {
namespace {

// All offsets of the widest vector register, and some behind it.
constexpr std::size_t offsets = 2 * 64 + 1;

Result<void> expect_mask(const SelfTestCase& known, const MaskProgram& program, Scratch& scratch) {
  RuleSet active;
  active.set();
  const auto expect = [&](BodyKind kind, std::size_t offset, const std::string& text,
                          const std::string& wanted) -> Result<void> {
    std::array<std::uint8_t, 1024> out;
    const std::size_t size = mask_text(program, active, kind, {}, as_bytes(text), out, scratch, {});
    const std::string_view got = as_text({out.data(), size});
    if (got == wanted) return {};
    return fail(
        fmt::format("the matcher's self-test failed: {} at offset {} gave \"{}\", not \"{}\"",
                    known.finder.text, offset, got, wanted));
  };
  for (std::size_t offset = 0; offset < offsets; ++offset) {
    const std::string before(offset, '.');
    const std::string text = before + ' ' + std::string(known.text) + " . ";
    const std::string wanted = before + ' ' + std::string(known.masked) + " . ";
    const std::string rest = "\",\"" + std::string(2 * 64, 'x') + "\"]";
    auto passed = expect(BodyKind::text, offset, text, wanted);
    if (passed) passed = expect(BodyKind::json, offset, "[\"" + text + rest, "[\"" + wanted + rest);
    if (!passed) return passed;
  }
  return {};
}

Result<void> expect_hits(Scratch& scratch) {
  const std::array patterns = {
      Pattern{"literal", "needle", false},          Pattern{"any case", "select\\s+\\*", true},
      Pattern{"class", "[0-9]{4}-[a-f]{3}", false}, Pattern{"anchored", "^/v1/[^/]*/x$", false},
      Pattern{"absent", "absent[0-9]+", false},
  };
  const auto set = PatternSet::compile(patterns);
  if (!set) return tl::unexpected(set.error());
  if (auto ready = scratch.prepare(**set); !ready) return ready;
  for (std::size_t offset = 0; offset < offsets; ++offset) {
    std::string text =
        std::string(offset, 'x') + "needle SeLeCt  * 1234-abc" + std::string(64, '\0');
    const Hits hits = (*set)->scan(as_bytes(text).first(text.size() - 64), scratch);
    const std::array<std::uint32_t, 3> wanted = {0, 1, 2};
    if (!std::equal(hits.begin(), hits.end(), wanted.begin(), wanted.end())) {
      return fail(fmt::format("the matcher's self-test failed: patterns at offset {} gave [{}]",
                              offset, fmt::join(hits, ", ")));
    }
  }
  return {};
}

}  // namespace

Result<void> run_self_test(std::span<const SelfTestCase> cases, Isa isa) {
  Scratch scratch(isa);
  for (const SelfTestCase& known : cases) {
    const std::array rules = {MaskRule{"self-test", {known.finder}, {Show::Kind::redact, 0, 0}}};
    const auto program = MaskProgram::compile(rules, {});
    if (!program) return tl::unexpected(program.error());
    if (auto ready = scratch.prepare(**program); !ready) return ready;
    if (auto passed = expect_mask(known, **program, scratch); !passed) return passed;
  }
  return expect_hits(scratch);
}

Result<void> self_test() {
  for (const Isa isa : usable_isas()) {
    if (auto passed = run_self_test(self_test_cases(), isa); !passed) return passed;
  }
  return {};
}

}  // namespace sluice::matcher
