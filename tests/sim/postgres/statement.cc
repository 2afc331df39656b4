#include "statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace sluice::dataplane::postgres_sim {
namespace {

struct Form {
  std::string_view begin;
  Kind kind;
};

/// By how a text begins; the first that fits.
constexpr auto forms = std::to_array<Form>({
    {"select id, ssn", Kind::select},
    {"select upper(ssn)", Kind::derived},
    {"select line as", Kind::limited},
    {"select weight as", Kind::weighed},
    {"select rate as", Kind::rated},
    {"select trust as", Kind::held},
    {"select repeat(", Kind::big},
    {"select '4111", Kind::card},
    {"select 'common'", Kind::common},
    {"select current_setting('search_path')", Kind::show_path},
    {"select current_setting('application_name')", Kind::show_name},
    {"select count(*)", Kind::count_temporary},
    {"select pg_advisory_unlock(", Kind::unlock},
    {"select pg_advisory_lock(", Kind::lock},
    {"select leave_something(", Kind::leave},
    {"select lastval(", Kind::last_value},
    {"select length(", Kind::length},
    {"select 1/0", Kind::division},
    {"select nothing", Kind::missing_column},
    {"select secret", Kind::secrets},
    {"select report", Kind::reports},
    {"insert into entries", Kind::insert},
    {"delete from customers", Kind::mass_delete},
    {"copy customers", Kind::copy_customers},
    {"copy entries", Kind::copy_out},
    {"copy c", Kind::copy_in},
    {"set search_path", Kind::set_path},
    {"set application_name", Kind::set_name},
    {"begin", Kind::begin},
    {"commit", Kind::commit},
    {"rollback to", Kind::rollback_to},
    {"rollback", Kind::rollback},
    {"savepoint", Kind::savepoint},
    {"drop table", Kind::drop},
    {"listen", Kind::listen},
    {"notify", Kind::notify},
    {"prepare", Kind::prepare},
    {"execute", Kind::execute},
    {"deallocate", Kind::deallocate},
    {"fetch", Kind::fetch},
    {"close", Kind::close},
    {"create temporary table", Kind::create_temporary},
    {"discard all", Kind::discard},
    {"selec ", Kind::broken},
    {"SELECT pg_catalog.unnest(", Kind::path_question},
    {"WITH RECURSIVE heir", Kind::catalog_question},
    {"SET application_name", Kind::introduction},
    {"DISCARD SEQUENCES", Kind::forget_sequences},
    {"DISCARD ALL", Kind::reset},
});

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::size_t number_at(std::string_view text, std::size_t at) {
  std::size_t number = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    number = 10 * number + static_cast<std::size_t>(text[at] - '0');
  }
  return number;
}

std::size_t count_in(std::string_view text) {
  for (const std::string_view word : {"limit ", "repeat('x', ", "fetch "}) {
    const std::size_t at = text.find(word);
    if (at != text.npos) return number_at(text, at + word.size());
  }
  return 1;
}

Statement read(std::string_view text) {
  Statement statement;
  statement.text = text;
  const auto* const form = std::ranges::find_if(
      forms, [text](const Form& candidate) { return text.starts_with(candidate.begin); });
  if (form != forms.end()) statement.kind = form->kind;
  if (text.starts_with("declare")) {
    statement.kind = text.find(" with hold ") == text.npos ? Kind::declare : Kind::declare_held;
  }
  // The gateway's own questions are not any client's.
  if (statement.kind < Kind::path_question) {
    const auto tags = tags_in(text);
    if (!tags.empty()) statement.tag = tags.front();
    statement.count = count_in(text);
  }
  return statement;
}

}  // namespace

/// Each "c<digits>_<digits>".
std::vector<std::string> tags_in(std::string_view text) {
  std::vector<std::string> tags;
  for (std::size_t at = text.find('c'); at != text.npos; at = text.find('c', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '_')) ++end;
    const std::string_view name = text.substr(at, end - at);
    if (name.size() > 3 && name.find('_') != name.npos) tags.emplace_back(name);
  }
  return tags;
}

std::size_t client_of(const std::string& tag) {
  return std::stoul(tag.substr(1)) - 1;
}

std::vector<Statement> statements_of(std::string_view text) {
  std::vector<Statement> statements;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (!one.empty() && !one.starts_with("--")) statements.push_back(read(one));
  }
  return statements;
}

std::string text_of(Kind kind, const std::string& tag, std::size_t count) {
  switch (kind) {
    case Kind::select:
      return fmt::format("select id, ssn, note as {} from customers limit {}", tag, count);
    case Kind::derived:
      return fmt::format("select upper(ssn) as {} from customers limit {}", tag, count);
    case Kind::big:
      return fmt::format("select repeat('x', {}) as {}", count, tag);
    case Kind::card:
      return fmt::format("select '4111111111111111' as {}", tag);
    case Kind::length:
      return fmt::format("select length($1::text) as {}", tag);
    case Kind::common:
      return "select 'common' as word";
    case Kind::show_path:
      return fmt::format("select current_setting('search_path') as {}", tag);
    case Kind::show_name:
      return fmt::format("select current_setting('application_name') as {}", tag);
    case Kind::count_temporary:
      return fmt::format("select count(*) as {} from mine", tag);
    case Kind::unlock:
      return fmt::format("select pg_advisory_unlock(7) as {}", tag);
    case Kind::lock:
      return fmt::format("select pg_advisory_lock(7) as {}", tag);
    case Kind::leave:
      return fmt::format("select leave_something() as {}", tag);
    case Kind::last_value:
      return fmt::format("select lastval() as {}", tag);
    case Kind::limited:
      return fmt::format("select line as {} from limited limit {}", tag, count);
    case Kind::weighed:
      return fmt::format("select weight as {} from weighed limit {}", tag, count);
    case Kind::rated:
      return fmt::format("select rate as {} from rated", tag);
    case Kind::held:
      return fmt::format("select trust as {} from held", tag);
    case Kind::division:
      return fmt::format("select 1/0 as {}", tag);
    case Kind::missing_column:
      return fmt::format("select nothing as {} from customers", tag);
    case Kind::insert:
      return fmt::format("insert into entries ({}) values (1)", tag);
    case Kind::copy_in:
      return fmt::format("copy {} from stdin", tag);
    case Kind::copy_out:
      return fmt::format("copy entries ({}) to stdout", tag);
    case Kind::copy_customers:
      return fmt::format("copy customers (ssn, {}) to stdout", tag);
    case Kind::set_path:
      return fmt::format("set search_path = {}, public", tag);
    case Kind::set_name:
      return fmt::format("set application_name = {}", tag);
    case Kind::begin:
      return "begin";
    case Kind::commit:
      return "commit";
    case Kind::rollback:
      return "rollback";
    case Kind::savepoint:
      return "savepoint a";
    case Kind::rollback_to:
      return "rollback to a";
    case Kind::drop:
      return fmt::format("drop table if exists {}", tag);
    case Kind::listen:
      return "listen channel";
    case Kind::notify:
      return "notify channel, 'card 4111111111111111'";
    case Kind::prepare:
      return fmt::format("prepare {} as select id, ssn, note from customers limit {}", tag, count);
    case Kind::execute:
      return fmt::format("execute {}", tag);
    case Kind::deallocate:
      return fmt::format("deallocate {}", tag);
    case Kind::declare:
    case Kind::declare_held:
      return fmt::format(
          "declare {} cursor {} hold for select id, ssn, note from customers limit {}", tag,
          kind == Kind::declare ? "without" : "with", count);
    case Kind::fetch:
      return fmt::format("fetch {} from {}", count, tag);
    case Kind::close:
      return fmt::format("close {}", tag);
    case Kind::create_temporary:
      return fmt::format("create temporary table mine ({} int)", tag);
    case Kind::discard:
      return "discard all";
    case Kind::secrets:
      return fmt::format("select secret as {} from secrets", tag);
    case Kind::reports:
      return fmt::format("select report as {} from reports", tag);
    case Kind::mass_delete:
      return fmt::format("delete from customers as {}", tag);
    case Kind::broken:
      return fmt::format("selec {}", tag);
    case Kind::path_question:
    case Kind::catalog_question:
    case Kind::introduction:
    case Kind::forget_sequences:
    case Kind::reset:
    case Kind::unknown:
      break;
  }
  return {};
}

bool has_limit(Kind kind) {
  return kind == Kind::limited || kind == Kind::weighed;
}

bool returns_rows(Kind kind) {
  return kind <= Kind::division || kind == Kind::execute || kind == Kind::reports ||
         kind == Kind::path_question || kind == Kind::catalog_question;
}

bool tells_of_session(Kind kind) {
  return kind >= Kind::show_path && kind <= Kind::last_value;
}

bool is_transaction_exit(Kind kind) {
  return kind == Kind::commit || kind == Kind::rollback || kind == Kind::rollback_to;
}

}  // namespace sluice::dataplane::postgres_sim
