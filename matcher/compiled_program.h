// What MaskProgram::compile makes of the rules. For matcher/ only.
#pragma once

#include <hs.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "matcher/builtin_finders.h"
#include "matcher/keyed_hash.h"
#include "matcher/mask_program.h"
#include "matcher/name_hash.h"
#include "matcher/path_tree.h"
#include "matcher/triggers.h"

namespace sluice::matcher {

struct DatabaseDeleter {
  void operator()(hs_database_t* database) const noexcept { hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, DatabaseDeleter>;

struct CompiledRule {
  std::string name;
  Show show;
  /// Hashed after everything but letters and digits is dropped, in upper case,
  /// so that one account number has one hash however it is grouped.
  bool hashes_normalised = false;
  std::vector<Builtin> builtins;
  BuiltinSet builtin_set = 0;            ///< The same as bits.
  std::vector<std::size_t> expressions;  ///< Into MaskProgram::Compiled::expressions.
  std::vector<std::string> headers;      ///< In lower case.
};

struct Expression {
  Database with_starts;  ///< Reports where matches begin: run on the window of a hit only.
};

struct MaskProgram::Compiled {
  std::vector<CompiledRule> rules;
  std::vector<Expression> expressions;
  Database expression_ends;     ///< All expressions together; null when there are none.
  bool asks_for_edges = false;  ///< An expression may ask where its value begins or ends.
  PathTree paths;
  ByteClasses ahead_classes = matcher::ahead_classes;  ///< With what names of paths have.
  NameMap<RuleSet> form_fields;
  RuleSet rules_with_headers;
  RuleSet rules_with_expressions;
  RuleSet rules_that_search;                      ///< In bodies, for what their finders find.
  std::array<RuleSet, builtin_count> rules_with;  ///< By built-in.
  BuiltinSet builtins = 0;                        ///< Of all rules.
  KeyedHash hash;

  explicit Compiled(ByteView hash_key) : hash(hash_key) {}
};

}  // namespace sluice::matcher
