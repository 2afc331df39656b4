// The statements that simulated clients send, and what they mean to the simulated
// server. Real SQL, but only these few forms of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dataplane::postgres_sim {

enum class Kind : std::uint8_t {
  select,   ///< Rows with a masked column.
  derived,  ///< Rows with something computed from it.
  big,      ///< Rows with one long value.
  card,     ///< A row with a card's number.
  common,   ///< The same text of all clients.
  show_path,
  show_name,
  count_temporary,
  unlock,
  lock,
  leave,       ///< A function that leaves something in its session.
  last_value,  ///< Of what the session inserted last.
  fetch,
  limited,         ///< Of which a rule allows few rows.
  weighed,         ///< Of which it allows few bytes.
  rated,           ///< Which it allows now and then.
  held,            ///< Which waits for people.
  length,          ///< Of its one parameter.
  division,        ///< Fails when it is executed.
  missing_column,  ///< Fails when it is prepared.
  insert,
  copy_in,
  copy_out,
  copy_customers,  ///< With a masked column.
  set_path,
  set_name,
  begin,
  commit,
  rollback,
  savepoint,
  rollback_to,
  drop,  ///< Notices that there is nothing to drop.
  listen,
  notify,
  prepare,
  execute,
  deallocate,
  declare,
  declare_held,  ///< A cursor that outlives its transaction.
  close,
  create_temporary,
  discard,
  secrets,      ///< Denied to everybody.
  reports,      ///< Denied by every second configuration.
  mass_delete,  ///< Denied to everybody.
  broken,       ///< No SQL.
  path_question,
  catalog_question,
  // Of the gateway, where server connections are shared.
  introduction,
  forget_sequences,
  reset,
  unknown,
};

struct Statement {
  Kind kind = Kind::unknown;
  std::string tag{};      ///< "c3_17": a name that no other text holds; empty for some kinds.
  std::size_t count = 0;  ///< Of rows, or bytes.
  std::string text{};
};

/// The statements of a text, which the server takes apart.
std::vector<Statement> statements_of(std::string_view text);
/// A statement of this kind, as a client writes it.
std::string text_of(Kind kind, const std::string& tag, std::size_t count);

/// The tags of all statements in a text, also of a normalised one.
std::vector<std::string> tags_in(std::string_view text);
/// Of "c3_17" the client, from 0 on.
std::size_t client_of(const std::string& tag);

bool returns_rows(Kind kind);
/// A rule bounds what it brings.
bool has_limit(Kind kind);
/// Of a row with one value that the session's state decides.
bool tells_of_session(Kind kind);
/// Ends a transaction: what alone runs in one that has failed.
bool is_transaction_exit(Kind kind);

}  // namespace sluice::dataplane::postgres_sim
