// Makes bodies and says, by the naive masker, how a gateway with the masks of a
// configuration must show them.
//
//   masking_reference CONFIGURATION
//
// Reads lines "KIND SIZE SEED MASKS" (KIND: json, form, text; MASKS: 1 when all of
// them apply, 0 when none does) from stdin. Answers each with a line
// "BODY_BYTES MASKED_BYTES", the body and the masked body.
#include <cstdio>
#include <iostream>
#include <string>

#include "bodies.h"
#include "config/load/load.h"
#include "naive_masker.h"

using namespace sluice;

namespace {

/// Written here again, and not shared with the gateway, on purpose.
std::vector<matcher::MaskRule> rules_of(const config::Settings& settings) {
  std::vector<matcher::MaskRule> rules;
  for (const auto& mask : settings.masks) {
    matcher::MaskRule rule;
    rule.name = mask.name;
    using Kind = matcher::Finder::Kind;
    for (const auto& name : mask.find.builtins) rule.finders.push_back({Kind::builtin, name});
    for (const auto& text : mask.find.patterns) rule.finders.push_back({Kind::regex, text});
    for (const auto& path : mask.find.json) rule.finders.push_back({Kind::json_path, path});
    for (const auto& name : mask.find.form) rule.finders.push_back({Kind::form_field, name});
    rule.show.first = mask.show.first;
    rule.show.last = mask.show.last;
    if (mask.show.kind == config::MaskShowKind::hash) rule.show.kind = matcher::Show::Kind::hash;
    if (mask.show.kind == config::MaskShowKind::partial) {
      rule.show.kind = matcher::Show::Kind::partial;
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto loaded = config::load(argv[1], config::World::real());
  for (const auto& problem : loaded.problems) std::cerr << problem.text() << '\n';
  if (!loaded.problems.empty()) return 3;
  const auto rules = rules_of(loaded.settings);
  matcher::RuleSet all;
  for (std::size_t i = 0; i < rules.size(); ++i) all.set(i);
  const std::string key = loaded.settings.mask_hash_key ? loaded.settings.mask_hash_key->value : "";

  std::string kind_name;
  std::size_t size = 0;
  std::uint64_t seed = 0;
  bool is_masked = false;
  while (std::cin >> kind_name >> size >> seed >> is_masked) {
    const matcher::RuleSet active = is_masked ? all : matcher::RuleSet{};
    const bool is_json = kind_name == "json";
    const bool is_form = kind_name == "form";
    const auto kind = is_json   ? matcher::BodyKind::json
                      : is_form ? matcher::BodyKind::form
                                : matcher::BodyKind::text;
    std::string body;
    testing::NaiveResult masked;
    do {  // the maker now and then makes JSON that is none: take the next
      testing::BodyMaker maker(seed++);
      body = size == 0                ? std::string()
             : is_json && size > 2000 ? maker.long_json(size)
             : is_json                ? maker.json(size)
             : is_form                ? maker.form(size)
                                      : maker.text(size);
      masked = testing::naive_mask(rules, active, kind, body, key);
    } while (masked.is_malformed && size != 0);
    std::cout << body.size() << ' ' << masked.output.size() << '\n' << body << masked.output;
    std::cout.flush();
  }
  return 0;
}
