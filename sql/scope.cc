#include "sql/scope.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluice::sql {
namespace {

Origin origin_of(const RelationName& relation, std::string column) {
  return {.column = {relation, std::move(column), true}};
}

/// What one source has to say about a name.
struct Found {
  bool is_candidate = false;
  bool is_sure = false;  ///< The source has a column of this name.
};

Found look_up(const Source& source, const std::string& name, Resolved& into) {
  if (source.relation) {
    const bool is_renamed =
        std::find(source.renamed.begin(), source.renamed.end(), name) != source.renamed.end();
    into.origins.insert(origin_of(*source.relation, is_renamed ? "*" : name));
    return {.is_candidate = true, .is_sure = is_renamed};
  }
  Found found;
  for (const Field& field : source.fields) {
    if (!field.is_star && field.name != name) continue;
    found.is_candidate = true;
    found.is_sure = found.is_sure || !field.is_star;
    into.is_direct = into.is_direct && field.is_direct;
    for (Origin origin : field.origins) {
      // Of all columns of a relation, unchanged, it is the one of that name.
      const bool is_one = field.is_star && field.is_direct && origin.column.column == "*";
      if (is_one) origin.column.column = name;
      into.origins.insert(std::move(origin));
    }
  }
  return found;
}

void add_whole_row(const Source& source, Resolved& into) {
  into.is_direct = false;
  if (source.relation) {
    into.origins.insert(origin_of(*source.relation, "*"));
  } else {
    into.origins.merge(all_origins(source.fields));
  }
}

Origins made_uncertain(const Origins& origins) {
  Origins result;
  for (Origin origin : origins) {
    origin.column.is_certain = false;
    result.insert(std::move(origin));
  }
  return result;
}

}  // namespace

bool has_star(const Fields& fields) {
  return std::any_of(fields.begin(), fields.end(),
                     [](const Field& field) { return field.is_star; });
}

Origins all_origins(const Fields& fields) {
  Origins all;
  for (const Field& field : fields) all.insert(field.origins.begin(), field.origins.end());
  return all;
}

Resolved resolve(const Scope& scope, const std::string& name) {
  Resolved result;
  std::size_t candidates = 0;
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    // A query whose columns are all known either has the name, and then nobody else at
    // its level has it (or it is merged with theirs), or is out of the question.
    Resolved sure;
    std::size_t sure_candidates = 0;
    Resolved all;
    for (const Source& source : level->sources) {
      Resolved one;
      const Found found = look_up(source, name, one);
      if (!found.is_candidate) continue;
      ++candidates;
      all.origins.insert(one.origins.begin(), one.origins.end());
      all.is_direct = all.is_direct && one.is_direct;
      if (found.is_sure) {
        ++sure_candidates;
        sure = std::move(one);
      }
    }
    if (sure_candidates == 1 && !level->has_merged_columns) {
      if (level == &scope) return sure;
      all = std::move(sure);
    }
    // A name that is an alias may mean the row.
    for (const Source& source : level->sources) {
      if (source.alias != name) continue;
      ++candidates;
      add_whole_row(source, all);
    }
    result.origins.insert(all.origins.begin(), all.origins.end());
    result.is_direct = result.is_direct && all.is_direct;
    if (sure_candidates != 0) break;
  }
  if (candidates > 1) result.origins = made_uncertain(result.origins);
  return result;
}

Resolved resolve(const Scope& scope, const std::string& schema, const std::string& qualifier,
                 const std::string& name) {
  Resolved result;
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    std::size_t found = 0;
    for (const Source& source : level->sources) {
      const bool is_meant =
          source.alias == qualifier &&
          (schema.empty() || (source.relation && source.relation->schema == schema));
      if (!is_meant) continue;
      ++found;
      // What is no column is a function on the row, if it is anything.
      if (name == "*" || !look_up(source, name, result).is_candidate) add_whole_row(source, result);
    }
    if (found > 1) result.origins = made_uncertain(result.origins);
    if (found != 0) break;
  }
  return result;
}

RelationName relation_name(const nlohmann::json& range) {
  return {range.value("schemaname", ""), range.value("relname", "")};
}

}  // namespace sluice::sql
