// What a statement leaves behind in its server session once its transaction is over:
// whether another session may get that connection, and in which state.
#pragma once

#include <cstdint>

#include "sql/analysis.h"

namespace sluice::sql {

/// The later, the more.
enum class SessionTrace : std::uint8_t {
  none,
  sequences,  ///< What currval() and lastval() tell.
  unknown,    ///< Perhaps something, by a function that is not known here.
  state,      ///< What later statements rely on. DISCARD ALL undoes it.
  indelible,  ///< Likewise, and DISCARD ALL may not undo it.
};

/// Names of functions are taken for the server's own (pg_catalog). Not seen: what
/// triggers, defaults, rules, operators and casts of the database's own run.
[[nodiscard]] SessionTrace session_trace(const Statement& statement);

}  // namespace sluice::sql
