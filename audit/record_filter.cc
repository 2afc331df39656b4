#include "audit/record_filter.h"

#include <charconv>

namespace sluice::audit {
namespace {

bool is_or_any(const std::string& wanted, std::string_view found) noexcept {
  return wanted.empty() || wanted == found;
}

}  // namespace

std::optional<RecordId> RecordId::parse(std::string_view text) noexcept {
  const auto number = [&text](int base, char end) -> std::optional<std::uint64_t> {
    const std::string_view digits = text.substr(0, text.find(end));
    std::uint64_t value = 0;
    const auto [stop, bad] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (bad != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;
    text.remove_prefix(std::min(text.size(), digits.size() + 1));
    return value;
  };
  const auto epoch = number(16, '-');
  const auto worker = epoch ? number(10, '-') : std::nullopt;
  const auto sequence = worker ? number(10, '\0') : std::nullopt;
  if (!sequence || !text.empty()) return std::nullopt;
  return RecordId{*epoch, *worker, *sequence};
}

std::optional<RulingKind> ruling_of(std::string_view word) noexcept {
  if (word == "allow") return RulingKind::allow;
  if (word == "deny") return RulingKind::deny;
  if (word == "hold") return RulingKind::hold;
  return std::nullopt;
}

bool RecordQuery::is_selective() const noexcept {
  return record || !subject.empty() || !target.empty() || !rule.empty() || ruling || session;
}

bool RecordFilter::matches(const RecordFields& record) const noexcept {
  if (query_.record &&
      (record.epoch != query_.record->epoch || record.worker != query_.record->worker ||
       record.sequence != query_.record->sequence)) {
    return false;
  }
  return is_or_any(query_.subject, record.subject) && is_or_any(query_.target, record.target) &&
         is_or_any(query_.rule, record.rule) &&
         (!query_.ruling || record.ruling == static_cast<std::uint64_t>(*query_.ruling)) &&
         (!query_.session || record.session == *query_.session);
}

bool RecordFilter::wants(const RecordFields& record) {
  if (record.time_ns < query_.from_ns || record.time_ns >= query_.until_ns) return false;
  if (!query_.is_selective()) return true;
  if (is_phase(record, Phase::outcome)) return open_.erase(operation_of(record)) != 0;
  if (!matches(record)) return false;
  const bool is_refused = record.ruling == static_cast<std::uint64_t>(RulingKind::deny);
  if (is_phase(record, Phase::intent) && !is_refused) open_.insert(operation_of(record));
  return true;
}

}  // namespace sluice::audit
