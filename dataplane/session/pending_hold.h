// An operation of a session that waits for people.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/fingerprint.h"
#include "base/instant.h"
#include "config/model/held_operation.h"

namespace sluice::dataplane {

struct PendingHold {
  std::string request;
  std::string detail;  ///< Who may decide, and until when, for the client.
  config::Binding binding{};
  std::uint64_t configuration = 0;  ///< That held it: under another one it does not run.
  Instant deadline;                 ///< Whoever answers does so before; then nobody will.
  std::unique_ptr<config::HeldOperation> wish;  ///< Until the loop has taken it.
  std::optional<config::HoldAnswer> answer;     ///< The last one.
  config::HoldEnd refused_as = config::HoldEnd::refused;
  bool is_notice_due = false;
};

/// One that is over here, for whoever keeps the requests.
struct EndedHold {
  std::string request;
  config::HoldEnd how = config::HoldEnd::refused;
};

/// What people type to decide: eight characters of Crockford's base 32, which has no
/// letters that look like digits. Unique for each pair of numbers of one key.
std::string request_name(const FingerprintKey& key, std::uint64_t session, std::uint64_t operation);

}  // namespace sluice::dataplane
