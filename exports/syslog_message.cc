#include "exports/syslog_message.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::exports {
namespace {

/// Printable ASCII without blanks, of at most so many characters (RFC 5424 §6).
std::string header_field(std::string_view text, std::size_t size_max) {
  std::string out(text.substr(0, size_max));
  std::ranges::replace_if(
      out, [](char c) { return c <= ' ' || c > '~'; }, '_');
  return out.empty() ? "-" : out;
}

/// At most six digits of a second (RFC 5424 §6.2.3).
std::string timestamp(std::string_view with_nanoseconds) {
  constexpr std::size_t nanoseconds_beyond = 3;
  if (!with_nanoseconds.ends_with('Z') || with_nanoseconds.size() <= nanoseconds_beyond) return "-";
  with_nanoseconds.remove_suffix(1 + nanoseconds_beyond);
  return std::string(with_nanoseconds) + 'Z';
}

}  // namespace

std::string syslog_message(const ExportedRecord& record, std::string_view host,
                           std::string_view line) {
  constexpr int log_audit = 13;
  constexpr int warning = 4;
  constexpr int informational = 6;
  constexpr std::size_t host_max = 255;
  constexpr std::size_t message_id_max = 32;
  const int priority = log_audit * 8 + (record.is_notable() ? warning : informational);
  const std::string message = fmt::format(
      "<{}>1 {} {} sluice - {} - {}", priority, timestamp(record.text("time")),
      header_field(host, host_max), header_field(record.text("phase"), message_id_max), line);
  return fmt::format("{} {}", message.size(), message);
}

}  // namespace sluice::exports
