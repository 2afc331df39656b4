#include "config/model/path_glob.h"

#include <fmt/format.h>

#include <optional>

#include "base/ascii.h"

namespace sluice::config {
namespace {

bool is_unreserved(char c) noexcept {
  return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// What keeps the escape at `glob[at]` from ever occurring in a normalised path.
std::optional<std::string> escape_fault(std::string_view glob, std::size_t at) {
  const int high = at + 1 < glob.size() ? hex_value(glob[at + 1]) : -1;
  const int low = at + 2 < glob.size() ? hex_value(glob[at + 2]) : -1;
  if (high < 0 || low < 0) return "'%' must be followed by two hex digits";
  const std::string_view written = glob.substr(at, 3);
  const int code = high * 16 + low;
  if (const char c = static_cast<char>(code); is_unreserved(c)) {
    return fmt::format("paths are matched after normalisation: write '{}' instead of '{}'", c,
                       written);
  }
  if (code == 0 || code == '/' || code == '\\') {
    return fmt::format("'{}' never reaches a rule: such paths are refused", written);
  }
  if (code == '%' && at + 4 < glob.size() && hex_value(glob[at + 3]) >= 0 &&
      hex_value(glob[at + 4]) >= 0) {
    return fmt::format("'{}' never reaches a rule: double encoding is refused", glob.substr(at, 5));
  }
  const std::string normal = fmt::format("%{:02X}", code);
  if (normal != written) {
    return fmt::format("paths are matched after normalisation: write '{}' instead of '{}'", normal,
                       written);
  }
  return std::nullopt;
}

std::optional<std::string> segment_fault(std::string_view segment) {
  if (segment == "." || segment == "..") return fmt::format("'{}' never reaches a rule", segment);
  if (segment != "**" && segment.find("**") != std::string_view::npos) {
    return "'**' must be a whole segment";
  }
  for (std::size_t at = 0; at < segment.size(); ++at) {
    const char c = segment[at];
    if (c == '%') {
      if (auto fault = escape_fault(segment, at)) return fault;
    } else if (c == '?' || c == '#') {
      return fmt::format("'{}' is not part of a path", c);
    } else if (c <= ' ' || c >= 0x7F || c == '\\') {
      return "a space, control, backslash or non-ASCII character must be percent-encoded";
    }
  }
  return std::nullopt;
}

GlobSegment::Kind kind_of(std::string_view segment) noexcept {
  if (segment == "**") return GlobSegment::Kind::any_path;
  if (segment == "*") return GlobSegment::Kind::any_segment;
  return segment.find('*') != std::string_view::npos ? GlobSegment::Kind::pattern
                                                     : GlobSegment::Kind::literal;
}

}  // namespace

Result<std::vector<GlobSegment>> parse_glob(std::string_view glob) {
  if (glob.empty() || glob.front() != '/') return fail("a path begins with '/'");
  std::vector<GlobSegment> segments;
  for (std::string_view rest = glob.substr(1);;) {
    const std::size_t slash = rest.find('/');
    const bool is_last = slash == std::string_view::npos;
    const std::string_view text = rest.substr(0, slash);
    if (auto fault = segment_fault(text)) return fail(*fault);
    if (text.empty() && !is_last) return fail("'//' never reaches a rule");
    const GlobSegment segment{kind_of(text), text};
    const bool is_repeated = segment.kind == GlobSegment::Kind::any_path && !segments.empty() &&
                             segments.back().kind == GlobSegment::Kind::any_path;
    if (is_repeated) return fail("'**' twice in a row means the same as once");
    segments.push_back(segment);
    if (is_last) return segments;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace sluice::config
