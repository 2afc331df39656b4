#include "matcher/mask_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "matcher/compiled_program.h"

namespace sluice::matcher {
namespace {

constexpr unsigned expression_flags = HS_FLAG_DOTALL;

struct CompileErrorDeleter {
  void operator()(hs_compile_error_t* error) const noexcept { hs_free_compile_error(error); }
};

/// An account number is the same however it is grouped.
bool is_account_number(Builtin builtin) noexcept {
  return builtin == Builtin::payment_card || builtin == Builtin::iban ||
         builtin == Builtin::us_ssn || builtin == Builtin::phone;
}

Result<void> check_expression(const std::string& text) {
  hs_expr_info_t* info = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_expression_info(text.c_str(), expression_flags, &info, &error) != HS_SUCCESS) {
    const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> owned(error);
    return fail(owned->message);
  }
  const std::unique_ptr<hs_expr_info_t, decltype(&std::free)> owned(info, &std::free);
  if (info->min_width == 0) return fail("it matches the empty text");
  if (info->max_width > expression_width_max) {
    return fail(fmt::format(
        "its matches may be longer than {} bytes; give its repeats a bound, such as {{1,64}} "
        "in place of + or *",
        expression_width_max));
  }
  return {};
}

/// Whether an expression may mean the value's edges. One that does not matches in
/// a text wherever it matches in a part of it. Escapes are
/// taken for more than they may be, which costs speed only.
bool may_ask_for_edges(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_class = at > 0 && text[at - 1] == '[';
    if (text[at] == '$' || (text[at] == '^' && !begins_class)) return true;
    const bool is_named_edge =
        text[at] == '\\' && at + 1 < text.size() &&
        std::string_view("AGZzbB").find(text[at + 1]) != std::string_view::npos;
    if (is_named_edge) return true;
  }
  return text.starts_with("(*");  // Settings that may change what all else means.
}

Result<Database> compile_with_starts(const std::string& text) {
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile(text.c_str(), expression_flags | HS_FLAG_SOM_LEFTMOST, HS_MODE_BLOCK, nullptr,
                 &database, &error) != HS_SUCCESS) {
    const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> owned(error);
    return fail(fmt::format(
        "{} To find where its matches begin, repeats of more than about 100 are too many.",
        owned->message));
  }
  return Database(database);
}

Result<Database> compile_ends(const std::vector<std::string>& texts) {
  std::vector<const char*> expressions;
  std::vector<unsigned> flags(texts.size(), expression_flags | HS_FLAG_SINGLEMATCH);
  std::vector<unsigned> ids;
  for (const std::string& text : texts) {
    expressions.push_back(text.c_str());
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                       static_cast<unsigned>(ids.size()), HS_MODE_BLOCK, nullptr, &database,
                       &error) != HS_SUCCESS) {
    const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> owned(error);
    return fail(fmt::format("the mask expressions do not compile together: {}", owned->message));
  }
  return Database(database);
}

Result<void> add_finder(const Finder& finder, std::size_t rule_index, MaskProgram::Compiled& into,
                        std::vector<std::string>& expression_texts) {
  CompiledRule& rule = into.rules[rule_index];
  switch (finder.kind) {
    case Finder::Kind::builtin: {
      const auto builtin = builtin_of(finder.text);
      if (!builtin) {
        return fail(fmt::format("there is no builtin \"{}\"; there are: {}", finder.text,
                                fmt::join(builtin_names_table, ", ")));
      }
      rule.builtins.push_back(*builtin);
      into.rules_that_search.set(rule_index);
      rule.builtin_set = static_cast<BuiltinSet>(rule.builtin_set | bit_of(*builtin));
      into.builtins = static_cast<BuiltinSet>(into.builtins | bit_of(*builtin));
      into.rules_with[static_cast<std::size_t>(*builtin)].set(rule_index);
      rule.hashes_normalised = rule.hashes_normalised || is_account_number(*builtin);
      return {};
    }
    case Finder::Kind::regex: {
      if (auto checked = check_expression(finder.text); !checked) {
        return fail(fmt::format("expression \"{}\": {}", finder.text, checked.error().message));
      }
      auto with_starts = compile_with_starts(finder.text);
      if (!with_starts) {
        return fail(fmt::format("expression \"{}\": {}", finder.text, with_starts.error().message));
      }
      rule.expressions.push_back(into.expressions.size());
      into.rules_with_expressions.set(rule_index);
      into.rules_that_search.set(rule_index);
      into.asks_for_edges = into.asks_for_edges || may_ask_for_edges(finder.text);
      into.expressions.push_back({std::move(*with_starts)});
      expression_texts.push_back(finder.text);
      return {};
    }
    case Finder::Kind::json_path:
      if (auto added = into.paths.add(finder.text, rule_index); !added) {
        return fail(fmt::format("JSON path \"{}\": {}", finder.text, added.error().message));
      }
      into.rules_that_search.set(rule_index);
      return {};
    case Finder::Kind::form_field:
      if (finder.text.size() > name_bytes_max) {
        return fail(fmt::format("a form field's name may have {} bytes", name_bytes_max));
      }
      into.form_fields[finder.text].set(rule_index);
      into.rules_that_search.set(rule_index);
      return {};
    case Finder::Kind::header:
      if (finder.text.empty()) return fail("a header's name is empty");
      rule.headers.push_back(in_lower_case(finder.text));
      into.rules_with_headers.set(rule_index);
      return {};
    case Finder::Kind::told:
      return {};
  }
  return fail("unknown kind of finder");
}

}  // namespace

MaskProgram::MaskProgram(std::unique_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}
MaskProgram::~MaskProgram() = default;

Result<std::shared_ptr<const MaskProgram>> MaskProgram::compile(std::span<const MaskRule> rules,
                                                                ByteView hash_key) {
  constexpr std::size_t hash_key_bytes_min = 32;
  if (rules.size() > rules_max) {
    return fail(fmt::format("{} mask rules; there may be {}", rules.size(), rules_max));
  }
  auto compiled = std::make_unique<Compiled>(hash_key);
  compiled->rules.resize(rules.size());
  std::vector<std::string> expression_texts;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const MaskRule& rule = rules[i];
    compiled->rules[i].name = rule.name;
    compiled->rules[i].show = rule.show;
    if (rule.finders.empty()) return fail(fmt::format("mask \"{}\" finds nothing", rule.name));
    if (rule.show.kind == Show::Kind::hash && hash_key.size() < hash_key_bytes_min) {
      return fail(fmt::format("mask \"{}\" shows hashes, which need a key of at least {} bytes",
                              rule.name, hash_key_bytes_min));
    }
    for (const Finder& finder : rule.finders) {
      if (auto added = add_finder(finder, i, *compiled, expression_texts); !added) {
        return fail(fmt::format("mask \"{}\": {}", rule.name, added.error().message));
      }
    }
  }
  compiled->paths.add_second_bytes(compiled->ahead_classes, trigger_class::quote);
  if (!expression_texts.empty()) {
    auto ends = compile_ends(expression_texts);
    if (!ends) return tl::unexpected(ends.error());
    compiled->expression_ends = std::move(*ends);
  }
  return std::shared_ptr<const MaskProgram>(new MaskProgram(std::move(compiled)));
}

std::size_t MaskProgram::size() const noexcept {
  return compiled_->rules.size();
}

std::string_view MaskProgram::rule_name(std::size_t rule) const noexcept {
  return compiled_->rules[rule].name;
}

bool MaskProgram::searches(const RuleSet& rules) const noexcept {
  return (compiled_->rules_that_search & rules).any();
}

std::span<const std::string_view> builtin_names() noexcept {
  return builtin_names_table;
}

}  // namespace sluice::matcher
