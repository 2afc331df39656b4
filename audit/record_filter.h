// Which records a search wants.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "audit/record.h"
#include "audit/record_fields.h"

namespace sluice::audit {

/// Names an operation in the whole log: epoch, worker, session, number.
using OperationName = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>;

/// As refusals show it: EPOCH-WORKER-SEQUENCE.
struct RecordId {
  std::uint64_t epoch = 0;
  std::uint64_t worker = 0;
  std::uint64_t sequence = 0;
  static std::optional<RecordId> parse(std::string_view text) noexcept;
};

/// "allow", "deny" or "hold".
std::optional<RulingKind> ruling_of(std::string_view word) noexcept;

/// What is empty or absent does not restrict.
struct RecordQuery {
  std::uint64_t from_ns = 0;
  std::uint64_t until_ns = std::numeric_limits<std::uint64_t>::max();  ///< Not included.
  std::optional<RecordId> record;
  std::string subject;
  std::string target;
  std::string rule;
  std::optional<RulingKind> ruling;
  std::optional<std::uint64_t> session;

  /// Whether it asks for more than a time.
  [[nodiscard]] bool is_selective() const noexcept;
};

/// Who, where and how an operation was ruled stands in its intent; its outcome only
/// names the operation. So the filter remembers which operations it took, and takes
/// their outcomes too. Records come in the order of the log.
class RecordFilter {
 public:
  explicit RecordFilter(RecordQuery query) : query_(std::move(query)) {}

  [[nodiscard]] bool wants(const RecordFields& record);
  [[nodiscard]] const RecordQuery& query() const noexcept { return query_; }
  /// Taken, and their outcome has not come yet.
  [[nodiscard]] const std::set<OperationName>& open() const noexcept { return open_; }

 private:
  [[nodiscard]] bool matches(const RecordFields& record) const noexcept;

  RecordQuery query_;
  std::set<OperationName> open_;
};

inline OperationName operation_of(const RecordFields& record) noexcept {
  return {record.epoch, record.worker, record.session, record.operation};
}
inline bool is_phase(const RecordFields& record, Phase phase) noexcept {
  return record.phase == static_cast<std::uint64_t>(phase);
}

}  // namespace sluice::audit
