#include "config/model/certificate_pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace sluice::config {
namespace {

constexpr std::size_t pattern_bytes_max = 512;
constexpr std::size_t stars_max = 9;

/// What a star does not stand for. Of a distinguished name also what escapes a separator: a value
/// that holds one must not look like two.
std::string_view separators_of(CertificateName kind) noexcept {
  switch (kind) {
    case CertificateName::spiffe:
      return "/";
    case CertificateName::dns:
      return ".";
    case CertificateName::email:
      return "@";
    case CertificateName::subject:
      return ",+\\\"=";
  }
  return {};
}

/// A "{N}" and its place; the number is 0 where braces hold something else.
struct Mark {
  std::size_t begin = std::string_view::npos;
  std::size_t size = 0;
  std::size_t number = 0;
};

Mark find_mark(std::string_view text, std::size_t from) noexcept {
  Mark mark;
  mark.begin = text.find_first_of("{}", from);
  if (mark.begin == std::string_view::npos) return mark;
  mark.size = std::min<std::size_t>(3, text.size() - mark.begin);
  const std::string_view found = text.substr(mark.begin, mark.size);
  const bool is_good =
      found.size() == 3 && found[0] == '{' && is_digit(found[1]) && found[2] == '}';
  if (is_good) mark.number = static_cast<std::size_t>(found[1] - '0');
  return mark;
}

/// What has no case is compared in small letters, so a pattern in capitals would fit nothing.
std::optional<std::string> case_fault(CertificateName kind, std::string_view pattern) {
  const std::size_t from = kind == CertificateName::email ? pattern.find('@') : 0;
  const bool has_case = kind == CertificateName::spiffe || kind == CertificateName::subject;
  if (has_case || from == std::string_view::npos) return std::nullopt;
  const std::string_view part = pattern.substr(from);
  if (in_lower_case(part) == part) return std::nullopt;
  return fmt::format("'{}': names of DNS are written in small letters here", pattern);
}

std::size_t stars_of(std::string_view pattern) noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*' && (i == 0 || pattern[i - 1] != '*')) ++count;
  }
  return count;
}

}  // namespace

std::optional<std::string> certificate_pattern_fault(CertificateName kind,
                                                     std::string_view pattern) {
  if (pattern.size() > pattern_bytes_max) {
    return fmt::format("a pattern of more than {} bytes", pattern_bytes_max);
  }
  if (const auto fault = case_fault(kind, pattern)) return fault;
  if (kind == CertificateName::spiffe && !pattern.starts_with("spiffe://")) {
    return fmt::format("'{}': a SPIFFE ID begins with spiffe://", pattern);
  }
  std::string_view rest = pattern;
  if (kind == CertificateName::spiffe && rest.ends_with("/**")) rest.remove_suffix(2);
  if (rest.find("**") != std::string_view::npos) {
    return fmt::format("'{}': '**' may only end the pattern of a SPIFFE ID, behind a '/'", pattern);
  }
  std::size_t star = rest.find('*');
  while (star != std::string_view::npos) {
    const std::size_t next = rest.find('*', star + 1);
    if (next == std::string_view::npos) break;
    const std::string_view between = rest.substr(star + 1, next - star - 1);
    if (between.find_first_of(separators_of(kind)) == std::string_view::npos) {
      return fmt::format("'{}': there must be a separator between two '*'", pattern);
    }
    star = next;
  }
  if (stars_of(pattern) > stars_max) return fmt::format("'{}': at most {} '*'", pattern, stars_max);
  return std::nullopt;
}

std::optional<Captures> match_certificate_name(CertificateName kind, std::string_view pattern,
                                               std::string_view name) {
  const std::string_view separators = separators_of(kind);
  Captures captures;
  for (;;) {
    const std::size_t star = std::min(pattern.find('*'), pattern.size());
    if (!name.starts_with(pattern.substr(0, star))) return std::nullopt;
    name.remove_prefix(star);
    pattern.remove_prefix(star);
    if (pattern.empty()) return name.empty() ? std::optional(captures) : std::nullopt;
    const bool takes_all = pattern.starts_with("**");
    pattern.remove_prefix(takes_all ? 2 : 1);
    const std::size_t end =
        takes_all ? name.size() : std::min(name.find_first_of(separators), name.size());
    // Of what is up to the separator, the pattern may name the end itself.
    const std::size_t named = std::min(pattern.find_first_of(separators), pattern.size());
    if (end <= named) return std::nullopt;
    captures.push_back(name.substr(0, end - named));
    name.remove_prefix(end - named);
  }
}

std::optional<std::string> template_fault(std::string_view text, std::string_view pattern) {
  for (Mark mark = find_mark(text, 0); mark.begin != std::string_view::npos;
       mark = find_mark(text, mark.begin + mark.size)) {
    if (mark.number == 0) return fmt::format("'{}': braces stand around the number of a '*'", text);
    if (mark.number > stars_of(pattern)) {
      return fmt::format("'{}': the pattern has no '*' of number {}", text, mark.number);
    }
  }
  return std::nullopt;
}

std::string fill_template(std::string_view text, const Captures& captures) {
  std::string filled;
  std::size_t from = 0;
  for (Mark mark = find_mark(text, 0); mark.begin != std::string_view::npos;
       mark = find_mark(text, from)) {
    filled.append(text.substr(from, mark.begin - from)).append(captures.at(mark.number - 1));
    from = mark.begin + mark.size;
  }
  return filled.append(text.substr(from));
}

}  // namespace sluice::config
