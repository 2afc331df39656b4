#include "masking.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

namespace sluice::testing {

using namespace matcher;

Cut whole() {
  return [](std::size_t left) { return left; };
}
Cut pieces_of(std::size_t size) {
  return [size](std::size_t) { return size; };
}
Cut in_two(std::size_t first) {
  return [first, is_first = true](std::size_t left) mutable {
    return std::exchange(is_first, false) && first > 0 ? first : left;
  };
}
Cut random_pieces(std::uint64_t seed, std::size_t most) {
  return [random = std::mt19937_64(seed), most](std::size_t) mutable {
    return std::uniform_int_distribution<std::size_t>(1, most)(random);
  };
}

Setup::Setup(std::vector<MaskRule> with_rules)
    : rules(std::move(with_rules)), key("0123456789abcdef0123456789abcdef") {
  active.set();
  auto compiled = MaskProgram::compile(rules, as_bytes(key));
  INFO((compiled ? std::string() : compiled.error().message));
  REQUIRE(compiled.has_value());
  program = *compiled;
  for (const Isa isa : usable_isas()) {
    REQUIRE(scratches.emplace_back(isa).prepare(*program).has_value());
  }
}

namespace {

Masked mask_with(Scratch& scratch, const Setup& setup, BodyKind kind, std::string_view body,
                 const Cut& cut) {
  Masked result;
  auto masker = std::make_unique<BodyMasker>();
  masker->start(*setup.program, setup.active, kind);
  std::string unsettled;
  bool is_last = false;
  while (!is_last || !unsettled.empty()) {
    const std::size_t size = std::min(body.size(), std::max<std::size_t>(1, cut(body.size())));
    unsettled += body.substr(0, size);
    body.remove_prefix(size);
    is_last = body.empty();
    for (bool is_full = true; is_full;) {
      // A fresh buffer each time, so that a sanitizer sees every byte too far.
      const std::size_t length = unsettled.size();
      std::vector<std::uint8_t> buffer(length + readable_tail_bytes, 0xEE);
      std::copy(unsettled.begin(), unsettled.end(), buffer.begin());
      const MaskStep step = masker->mask(ByteSpan(buffer).first(length), is_last, scratch);
      if (step.is_malformed) {
        result = {};
        result.is_malformed = true;
        return result;
      }
      std::size_t at = 0;
      const std::string_view text = as_text(ByteView(buffer).first(length));
      for (const Edit& edit : step.edits) {
        REQUIRE(edit.offset >= at);
        REQUIRE(edit.offset + edit.size_bytes <= step.settled_bytes);
        result.output += text.substr(at, edit.offset - at);
        result.output += edit.text;
        at = edit.offset + edit.size_bytes;
      }
      result.output += text.substr(at, step.settled_bytes - at);
      unsettled.erase(0, step.settled_bytes);
      is_full = step.is_full;
      if (!is_full) {
        REQUIRE(unsettled.size() <= withheld_bytes_max);
        result.withheld_max = std::max(result.withheld_max, unsettled.size());
        if (is_last) REQUIRE(unsettled.empty());
      }
    }
  }
  const auto counts = masker->counts();
  result.counts.assign(counts.begin(), counts.end());
  return result;
}

}  // namespace

Masked mask_in_pieces(Setup& setup, BodyKind kind, std::string_view body, const Cut& cut) {
  // Each with a cut of its own, as that may count.
  Masked first = mask_with(setup.scratches[0], setup, kind, body, Cut(cut));
  for (std::size_t i = 1; i < setup.scratches.size(); ++i) {
    const Masked other = mask_with(setup.scratches[i], setup, kind, body, Cut(cut));
    INFO("instructions " << i << " of usable_isas()");
    REQUIRE(first == other);
  }
  return first;
}

MaskRule builtin_rule(std::string_view builtin, Show show) {
  return rule(std::string(builtin), Finder::Kind::builtin, std::string(builtin), show);
}

MaskRule rule(std::string name, Finder::Kind kind, std::string text, Show show) {
  return {std::move(name), {{kind, std::move(text)}}, show};
}

std::vector<MaskRule> all_builtins() {
  return {builtin_rule("payment-card", partial(6, 4)),
          builtin_rule("iban", partial(4, 2)),
          builtin_rule("us-ssn", hash),
          builtin_rule("email", redact),
          builtin_rule("phone", partial(0, 2)),
          builtin_rule("jwt", hash),
          builtin_rule("aws-key", partial(4, 0)),
          builtin_rule("bearer-token", redact),
          builtin_rule("ip", partial(3, 3))};
}

}  // namespace sluice::testing
