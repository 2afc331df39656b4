// The keys of `tls`, towards clients and towards targets.
#pragma once

#include "config/load/schema.h"

namespace sluice::config {

extern const Table listener_tls_table;
extern const Table target_tls_table;
/// What may stand in the section's place.
inline constexpr std::array<Choice, 1> target_tls_words{{{"verify-full", 0, ""}}};

}  // namespace sluice::config
