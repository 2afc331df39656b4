#include "cli/audit_filter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace sluice::cli {
namespace {

std::string text_of(const nlohmann::json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const nlohmann::json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool is_or_any(const std::string& wanted, const nlohmann::json& record, const char* key) {
  return wanted.empty() || text_of(record, key) == wanted;
}

/// As refusals write it.
std::string id_of(const nlohmann::json& record) {
  return fmt::format("{}-{}-{}", text_of(record, "epoch"), number_of(record, "worker"),
                     number_of(record, "sequence"));
}

}  // namespace

bool AuditFilter::wants(const nlohmann::json& candidate) {
  const std::string time = text_of(candidate, "time");
  if (!since.empty() && time < since) return false;
  if (!until.empty() && time >= until) return false;
  if (!asks_about_operations()) return true;

  const OperationName name{text_of(candidate, "epoch"), number_of(candidate, "worker"),
                           number_of(candidate, "session"), number_of(candidate, "operation")};
  const std::string phase = text_of(candidate, "phase");
  if (phase == "outcome") return taken_.erase(name) != 0;
  if (phase != "intent" || (!record.empty() && id_of(candidate) != record) ||
      !is_or_any(principal, candidate, "subject") || !is_or_any(target, candidate, "target") ||
      !is_or_any(ruling, candidate, "ruling")) {
    return false;
  }
  taken_.insert(name);
  return true;
}

}  // namespace sluice::cli
