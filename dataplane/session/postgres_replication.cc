// Replication connections: let in when a rule allows that, their commands judged and
// recorded, their streams passed on.
//
// source   PostgreSQL manual, "Streaming Replication Protocol".
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "dataplane/session/client_scram.h"
#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {
namespace {

/// By its first word the server knows a command, as it is spelled here. No SQL begins with
/// one of these; SHOW, which is both, is judged as SQL wherever SQL is understood.
constexpr auto commands = std::to_array<std::string_view>(
    {"IDENTIFY_SYSTEM", "CREATE_REPLICATION_SLOT", "ALTER_REPLICATION_SLOT",
     "DROP_REPLICATION_SLOT", "READ_REPLICATION_SLOT", "START_REPLICATION", "TIMELINE_HISTORY",
     "BASE_BACKUP", "UPLOAD_MANIFEST"});

std::string_view first_word(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  const auto is_inside = [](char c) { return is_letter(c) || c == '_'; };
  const auto begin = std::find_if_not(text.begin(), text.end(), is_blank);
  return {begin, std::find_if_not(begin, text.end(), is_inside)};
}

}  // namespace

/// As the server reads it: a truth value, or "database".
std::optional<PostgresSession::Replication> PostgresSession::replication_of(
    std::string_view parameter) {
  const std::string value = in_lower_case(parameter);
  const auto is_one_of = [&](std::initializer_list<std::string_view> values) {
    return std::ranges::find(values, value) != values.end();
  };
  if (value == "database") return Replication::logical;
  if (is_one_of({"true", "on", "yes", "1"})) return Replication::physical;
  if (is_one_of({"false", "off", "no", "0"})) return Replication::none;
  return std::nullopt;
}

bool PostgresSession::is_replication_command(std::string_view text) const {
  switch (replication_) {
    case Replication::none:
      return false;
    case Replication::physical:
      return true;
    case Replication::logical:
      return std::ranges::find(commands, first_word(text)) != commands.end();
  }
  return true;
}

/// A stream is refused to whom a mask applies: nothing would be masked in it.
JudgedStatement PostgresSession::judge_replication(std::string_view command) {
  SnapshotView& view = *worker_.current;
  JudgedStatement judged = StatementJudge::judge_replication(
      command, {&view, listener_, principal_->view(), {}}, worker_.text_scratch);
  const matcher::RuleSet& masks = principal_->view()->response_masks();
  if (masks.any() && judged.ruling.kind == config::Ruling::Kind::allow) {
    std::size_t rule = 0;
    while (!masks.test(rule)) ++rule;
    judged.ruling = {config::Ruling::Kind::deny, view.snapshot().masks->rule_name(rule),
                     "masks cannot follow a replication stream"};
  }
  return judged;
}

/// False when the client was refused.
bool PostgresSession::admit_replication() {
  const JudgedStatement judged = judge_replication({});
  if (judged.ruling.kind == config::Ruling::Kind::allow) return true;
  principal_.reset();
  refuse_login("42501",
               fmt::format("the gateway's policy refused replication by rule {}: {}",
                           judged.ruling.rule, judged.ruling.reason),
               "replication");
  return false;
}

/// A stream may last for days, and must not outlive what let it in.
bool PostgresSession::may_still_replicate() {
  return renew_principal() && judge_replication({}).ruling.kind == config::Ruling::Kind::allow;
}

}  // namespace sluice::dataplane
