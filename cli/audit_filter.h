// Which records a search wants.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <tuple>

namespace sluice::cli {

/// Who, where and how an operation was ruled stands in its intent; its outcome
/// only names the operation. So the filter remembers which operations it took
/// and takes their outcomes too.
class AuditFilter {
 public:
  std::string since;  ///< RFC 3339 in UTC, compared as text; empty: no bound.
  std::string until;
  std::string record;  ///< The id that a refusal shows: EPOCH-WORKER-SEQUENCE.
  std::string principal;
  std::string target;
  std::string ruling;

  [[nodiscard]] bool wants(const nlohmann::json& candidate);
  [[nodiscard]] bool asks_about_operations() const noexcept {
    return !record.empty() || !principal.empty() || !target.empty() || !ruling.empty();
  }

 private:
  using OperationName = std::tuple<std::string, std::uint64_t, std::uint64_t, std::uint64_t>;
  std::set<OperationName> taken_;
};

}  // namespace sluice::cli
