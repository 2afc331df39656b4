#include "dataplane/session/statement_judge.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "dataplane/session/server_statements.h"
#include "matcher/body_masker.h"
#include "sql/shape.h"

namespace sluice::dataplane {
namespace {

bool is_utf8(std::string_view encoding) {
  const std::string lower = in_lower_case(encoding);
  return lower == "utf8" || lower == "utf-8" || lower == "unicode";
}

constexpr auto writing = std::to_array<sql::StatementClass>(
    {sql::StatementClass::insert, sql::StatementClass::update, sql::StatementClass::merge,
     sql::StatementClass::create, sql::StatementClass::notify});
constexpr auto defining =
    std::to_array<sql::StatementClass>({sql::StatementClass::create, sql::StatementClass::alter,
                                        sql::StatementClass::drop, sql::StatementClass::refresh});

bool has_any(sql::ClassSet classes, std::span<const sql::StatementClass> of) {
  return std::ranges::any_of(of, [classes](auto one) { return classes.has(one); });
}

/// By SQL: where server connections are shared, other sessions' would be reached too.
bool names_ours(const sql::Statement& statement) {
  return statement.name.starts_with(ServerStatements::name_prefix) ||
         std::ranges::any_of(statement.inner, names_ours) ||
         std::ranges::any_of(
             statement.relations,
             [](const auto& use) { return use.relation.name == "pg_prepared_statements"; }) ||
         std::ranges::any_of(statement.functions, [](const auto& function) {
           return function.name == "pg_prepared_statement";
         });
}

/// What matters for masks by column.
void add_reach(const sql::Statement& statement, StatementInfo& info) {
  info.is_opaque = info.is_opaque || statement.is_opaque();
  info.copies_out = info.copies_out || statement.classes.has(sql::StatementClass::copy_out);
  info.prepares = info.prepares || statement.classes.has(sql::StatementClass::prepare);
  info.executes = info.executes || statement.classes.has(sql::StatementClass::execute);
  info.alters = info.alters || statement.classes.has(sql::StatementClass::alter);
  info.writes = info.writes || has_any(statement.classes, writing);
  info.may_change_schema =
      info.may_change_schema || statement.is_opaque() || has_any(statement.classes, defining);
  for (const auto& function : statement.functions) {
    info.calls_reaching = info.calls_reaching || function.name == "pg_notify" ||
                          config::is_reaching_function(function.name);
  }
  for (const auto& use : statement.relations) {
    info.reads_statistics = info.reads_statistics || use.relation.name.starts_with("pg_stats") ||
                            use.relation.name.starts_with("pg_statistic");
  }
}

bool is_yes(std::string_view value) {
  const std::string lower = in_lower_case(value);
  return lower == "on" || lower == "true" || lower == "yes" || lower == "1";
}

/// Where no column says what happens to a relation, all of them, or none, do.
void add_columns(const sql::Statement& statement, StatementInfo& info) {
  const auto name_of = [](const sql::RelationName& name) {
    return config::SqlName{name.schema, name.name};
  };
  for (const sql::ColumnUse& use : statement.columns) {
    info.columns.push_back({name_of(use.column.relation), use.column.column});
  }
  for (const sql::RelationUse& use : statement.relations) {
    const auto has = [&](auto what) {
      return std::ranges::any_of(statement.columns, [&](const sql::ColumnUse& column) {
        return column.column.relation == use.relation && what(column);
      });
    };
    const bool writes_all =
        use.is_defined ||
        (use.is_written && !has([](const sql::ColumnUse& column) { return column.is_written; }));
    const bool is_bare = !has([](const sql::ColumnUse&) { return true; });
    if (writes_all) {
      info.columns.push_back({name_of(use.relation), "*"});
    } else if (is_bare) {
      info.columns.push_back({name_of(use.relation), ""});
    }
  }
}

void add_facts(const sql::Statement& statement, StatementInfo& info) {
  config::SqlFacts facts;
  for (std::size_t i = 0; i < sql::statement_classes; ++i) {
    const auto one = static_cast<sql::StatementClass>(i);
    if (!statement.classes.has(one)) continue;
    const std::string_view word = sql::text(one);
    facts.classes |= config::sql_classes(word).value_or(0);
    if (info.classes.find(word) == std::string::npos) {
      info.classes += info.classes.empty() ? "" : ", ";
      info.classes += word;
    }
  }
  facts.without_where = statement.without_where;
  // A program of the server's host does what it likes, and a file there is no relation.
  facts.is_opaque = statement.is_opaque() ||
                    (statement.copy && (statement.copy->is_program || statement.copy->is_file));
  facts.takes_data = statement.copy && statement.copy->is_in && !statement.copy->is_program &&
                     !statement.copy->is_file;
  // The spans are set once `names` and `columns` have stopped growing.
  for (const auto& use : statement.relations) {
    info.names.push_back({use.relation.schema, use.relation.name});
  }
  for (const auto& function : statement.functions) {
    info.names.push_back({function.schema, function.name});
  }
  const std::size_t columns_before = info.columns.size();
  add_columns(statement, info);
  facts.columns = std::span(info.columns).subspan(columns_before);
  info.facts.push_back(facts);

  const bool calls_set_config = std::ranges::any_of(
      statement.functions, [](const auto& function) { return function.name == "set_config"; });
  info.may_change_search_path = info.may_change_search_path || statement.is_opaque() ||
                                calls_set_config ||
                                statement.classes.has(sql::StatementClass::discard);
  for (const sql::Setting& setting : statement.settings) {
    const bool may_be_any = setting.name.empty() || !setting.is_known;
    if (may_be_any || setting.name == "search_path") info.may_change_search_path = true;
    if (!setting.value) continue;
    if ((setting.name == "client_encoding" && !is_utf8(*setting.value)) ||
        (setting.name == "standard_conforming_strings" && !is_yes(*setting.value))) {
      info.sets_unreadable = true;
    }
  }
}

std::shared_ptr<const StatementInfo> info_of(std::string_view text) {
  auto info = std::make_shared<StatementInfo>();
  std::array<char, statement_text_bytes_max> room;
  info->text.assign(room.data(), sql::normalise(text, room).size);
  auto analysis = sql::analyse(text);
  if (!analysis) {
    // It may do all that what comes after it is judged by.
    info->may_change_search_path = info->may_change_schema = true;
    info->is_opaque = info->prepares = info->names_ours = true;
    info->trace = sql::SessionTrace::indelible;
    return info;
  }
  info->is_parsed = true;
  info->analysis = std::move(*analysis);
  for (const sql::Statement& statement : info->analysis.statements) {
    add_facts(statement, *info);
    add_reach(statement, *info);
    info->names_ours = info->names_ours || names_ours(statement);
    info->trace = std::max(info->trace, sql::session_trace(statement));
  }
  const config::SqlName* next = info->names.data();
  const config::SqlColumn* next_column = info->columns.data();
  for (std::size_t i = 0; i < info->facts.size(); ++i) {
    const sql::Statement& statement = info->analysis.statements[i];
    info->facts[i].relations = {next, statement.relations.size()};
    next += statement.relations.size();
    info->facts[i].functions = {next, statement.functions.size()};
    next += statement.functions.size();
    const std::size_t columns = info->facts[i].columns.size();
    info->facts[i].columns = {next_column, columns};
    next_column += columns;
  }
  return info;
}

/// A text as this snapshot's masks leave it.
std::string record_text_of(std::string text, const SnapshotView& view, matcher::Scratch& scratch) {
  const Snapshot& snapshot = view.snapshot();
  const std::size_t size = text.size();
  text.resize(size + readable_tail_bytes);  // The scan reads a little behind its subject.
  std::array<std::uint8_t, 4 * statement_text_bytes_max> room;
  const std::size_t masked =
      matcher::mask_text(*snapshot.masks, snapshot.record_masks, matcher::BodyKind::text, {},
                         as_bytes(text).first(size), room, scratch, {});
  return std::string(as_text(ByteView(room).first(masked)));
}

void renew_record_text(KnownStatement& known, const SnapshotView& view, matcher::Scratch& scratch) {
  if (known.recorded_view == &view) return;
  known.record_text = record_text_of(known.info->text, view, scratch);
  known.recorded_view = &view;
}

}  // namespace

JudgedStatement StatementJudge::judge(std::string_view text, const StatementContext& context,
                                      matcher::Scratch& scratch) {
  const ListenerPlan& listener = context.view->snapshot().listeners[context.listener];
  auto [known, hits] = find(text, context, scratch);

  // Within one text, too, a statement may change what the next one's names mean.
  const bool is_path_known = !known.info->may_change_search_path || known.info->facts.size() < 2;
  const std::span<const std::string_view> search_path =
      is_path_known ? context.search_path : std::span<const std::string_view>();
  const std::uint64_t path = print_of(search_path);
  const bool is_plain = hits.empty() && context.parameter_hits.empty();
  if (is_plain && known.view == context.view && known.listener == context.listener &&
      known.principal == context.principal && known.search_path == path) {
    return {known.info, known.ruling, known.record_text};
  }
  const config::SqlAction action{.is_parsed = known.info->is_parsed,
                                 .statements = known.info->facts,
                                 .search_path = search_path,
                                 .pattern_hits = hits,
                                 .parameter_hits = context.parameter_hits};
  const config::Ruling ruling = listener.policy.judge(*context.principal, action);
  if (is_plain) {
    known.view = context.view;
    known.listener = context.listener;
    known.principal = context.principal;
    known.search_path = path;
    known.ruling = ruling;
  }
  return {known.info, ruling, known.record_text};
}

JudgedStatement StatementJudge::judge_replication(std::string_view command,
                                                  const StatementContext& context,
                                                  matcher::Scratch& scratch) {
  constexpr std::string_view word = "replication";
  auto info = std::make_shared<StatementInfo>();
  std::array<char, statement_text_bytes_max> room;
  info->text.assign(room.data(), sql::normalise(command, room).size);
  info->is_parsed = true;
  info->classes = word;
  config::SqlFacts facts;
  facts.classes = config::sql_classes(word).value();
  facts.is_opaque = true;
  info->facts.push_back(facts);

  const ListenerPlan& listener = context.view->snapshot().listeners[context.listener];
  matcher::Hits hits;
  if (listener.statements) hits = listener.statements->scan(as_bytes(command), scratch);
  const config::SqlAction action{
      .is_parsed = true, .statements = info->facts, .pattern_hits = hits};
  const config::Ruling ruling = listener.policy.judge(*context.principal, action);
  info->text = record_text_of(std::move(info->text), *context.view, scratch);
  const std::string_view record_text = info->text;  // Lives as long as the info.
  return {std::move(info), ruling, record_text};
}

void StatementJudge::forget(const SnapshotView& view) {
  cache_.forget(view);
}

StatementJudge::Found StatementJudge::find(std::string_view text, const StatementContext& context,
                                           matcher::Scratch& scratch) {
  const auto& patterns = context.view->snapshot().listeners[context.listener].statements;
  const Fingerprint exact = key_.of(text);
  StatementCache::Text* const seen = cache_.find_text(exact);
  KnownStatement& known = seen != nullptr ? *seen->known : find_by_shape(text, exact);
  if (seen == nullptr) cache_.put_text(exact, known);
  renew_record_text(known, *context.view, scratch);
  const bool is_plain = !patterns || (seen != nullptr && seen->plain_view == context.view &&
                                      seen->plain_listener == context.listener);
  if (is_plain) return {known, {}};
  const matcher::Hits hits = patterns->scan(as_bytes(text), scratch);
  if (seen != nullptr && hits.empty()) {
    seen->plain_view = context.view;
    seen->plain_listener = context.listener;
  }
  return {known, hits};
}

/// exact  stands for a malformed text, which has no shape, and where constants matter.
KnownStatement& StatementJudge::find_by_shape(std::string_view text, const Fingerprint& exact) {
  const sql::Shape shape = sql::shape_of(text, key_);
  if (!shape.is_malformed) {
    if (KnownStatement* const known = cache_.find(shape.shape)) return *known;
  }
  if (KnownStatement* const known = cache_.find(exact)) return *known;
  auto info = info_of(text);
  const bool only_exact = shape.is_malformed || !info->is_parsed || info->analysis.literals_matter;
  return cache_.put(only_exact ? exact : shape.shape, std::move(info));
}

std::uint64_t StatementJudge::print_of(
    std::span<const std::string_view> search_path) const noexcept {
  std::uint64_t print = 0;
  for (const std::string_view schema : search_path) {
    print = (print << 7 | print >> 57) ^ key_.of(schema)[0];
  }
  return print;
}

}  // namespace sluice::dataplane
