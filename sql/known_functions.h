// Functions of PostgreSQL and its contrib modules that do more than their arguments
// show. Internal to sql.
#pragma once

#include <string_view>

namespace sluice::sql {

/// Runs SQL that it is given as text, or reads relations that it is given by name.
bool runs_text(std::string_view function) noexcept;

/// Takes a whole row of any type, so `t.f` may mean f(t).
bool takes_whole_row(std::string_view function) noexcept;

}  // namespace sluice::sql
