// An operation of a session that waits for people.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/worker_log.h"
#include "base/bytes.h"
#include "base/fingerprint.h"
#include "base/instant.h"
#include "config/model/held_operation.h"

namespace sluice::dataplane {

struct PendingHold {
  std::string request;
  config::HeldOperation::Errand errand = config::HeldOperation::Errand::ask;
  std::string detail;  ///< Who may decide, and until when, for the client.
  config::Binding binding{};
  std::uint64_t configuration = 0;  ///< That held it: under another one it does not run.
  Instant deadline;                 ///< Whoever answers does so before; then nobody will.
  std::unique_ptr<config::HeldOperation> wish;  ///< Until the loop has taken it.
  std::optional<config::HoldAnswer> answer;     ///< The last one.
  config::HoldEnd refused_as = config::HoldEnd::refused;
  bool is_notice_due = false;
  bool comes_back = false;          ///< The client does not wait here for people.
  std::vector<std::uint8_t> aside;  ///< An HTTP request, out of the way of others' buffers:
  std::size_t head_bytes = 0;       ///< so much of it is the head, the rest the decoded body.
};

/// One that is over here, for whoever keeps the requests.
struct EndedHold {
  std::string request;
  config::HoldEnd how = config::HoldEnd::refused;
};

/// The rules of a policy whose bits are set.
std::vector<config::HoldRule> hold_rules(const config::Policy& policy, std::uint64_t bits);

/// The first of `expires`, of rules that are at least one.
Duration earliest_expiry(const std::vector<config::HoldRule>& rules);

/// "rule bulk deletes: 2 of dba; within 10m".
std::string hold_detail(const std::vector<config::HoldRule>& rules, Duration wait);

/// Who asks, and in whose name, behind what else a binding is about.
void add_asker(const config::Principal& who, std::vector<std::string_view>& pieces);

/// What people agree to. Each piece counts with its length, and the body as a whole with
/// its, so that nothing else gives the same digest.
config::Binding binding_of(const audit::WorkerLog& log, const std::vector<std::string_view>& pieces,
                           std::span<const ByteView> body = {});

/// What people type to decide: eight characters of Crockford's base 32, which has no
/// letters that look like digits. Unique for each pair of numbers of one key.
std::string request_name(const FingerprintKey& key, std::uint64_t session, std::uint64_t operation);

}  // namespace sluice::dataplane
