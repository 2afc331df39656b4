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
  select,          ///< Rows with a masked column.
  derived,         ///< Rows with something computed from it.
  big,             ///< Rows with one long value.
  card,            ///< A row with a card's number.
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
  secrets,      ///< Denied to everybody.
  reports,      ///< Denied by every second configuration.
  mass_delete,  ///< Denied to everybody.
  broken,       ///< No SQL.
  path_question,
  catalog_question,
  reset,  ///< Between two clients of a pooled connection.
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

bool returns_rows(Kind kind);
/// Ends a transaction: what alone runs in one that has failed.
bool is_transaction_exit(Kind kind);

}  // namespace sluice::dataplane::postgres_sim
