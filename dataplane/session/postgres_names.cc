// What the names of prepared statements and portals stand for, as far as the target has come.
#include <algorithm>

#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {

/// What a name will stand for when the target has come so far; null: nothing that is known.
PostgresSession::Meaning* PostgresSession::find_meaning(bool is_portal, std::string_view name) {
  for (auto pending = pending_.rbegin(); pending != pending_.rend(); ++pending) {
    if (pending->is_portal != is_portal || pending->name != name) continue;
    return pending->meaning.prepared == nullptr ? nullptr : &pending->meaning;
  }
  return (is_portal ? portals_ : statements_).find(name);
}

std::shared_ptr<const PostgresSession::Prepared> PostgresSession::find_name(bool is_portal,
                                                                            std::string_view name) {
  const Meaning* meaning = find_meaning(is_portal, name);
  return meaning == nullptr ? nullptr : meaning->prepared;
}

/// The name was changed before the last Sync, and the target has not said whether that
/// came true: what is asked of it now cannot be judged yet. Within one pipeline it can,
/// because what fails there takes what follows with it.
bool PostgresSession::is_undecided(bool is_portal, std::string_view name) const noexcept {
  return std::ranges::any_of(pending_, [&](const Pending& pending) {
    return pending.is_portal == is_portal && pending.name == name && pending.pipeline != pipeline_;
  });
}

/// SQL has names for statements and portals too, and they are the same names: what it
/// may have changed is no longer known here.
void PostgresSession::forget_names(const StatementInfo& info) {
  if (!info.is_parsed) {
    forget_names(false);
    forget_names(true);
  }
  for (const sql::Statement& statement : info.analysis.statements) {
    switch (statement.kind) {
      case sql::StatementClass::prepare:
      case sql::StatementClass::deallocate:
        statement.name.empty() ? forget_names(false) : forget_name(false, statement.name);
        break;
      case sql::StatementClass::declare:
      case sql::StatementClass::close:
        statement.name.empty() ? forget_names(true) : forget_name(true, statement.name);
        break;
      case sql::StatementClass::discard:
        forget_names(false);
        forget_names(true);
        break;
      default:
        break;
    }
  }
}

/// Also where the change that made it is not confirmed yet.
void PostgresSession::forget_name(bool is_portal, std::string_view name) {
  (is_portal ? portals_ : statements_).erase(name);
  for (Pending& pending : pending_) {
    if (pending.is_portal == is_portal && pending.name == name) pending.meaning = {};
  }
}

void PostgresSession::forget_names(bool is_portal) {
  (is_portal ? portals_ : statements_).clear();
  for (Pending& pending : pending_) {
    if (pending.is_portal == is_portal) pending.meaning = {};
  }
}

}  // namespace sluice::dataplane
