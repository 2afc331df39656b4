#include "parsers/http1/target.h"

#include <algorithm>

#include "base/ascii.h"
#include "parsers/http1/fields.h"
#include "parsers/http1/scan.h"

namespace sluice::http1 {
namespace {

constexpr std::string_view http_scheme = "http://";

constexpr bool is_one_of(unsigned char c, std::string_view bytes) noexcept {
  return bytes.find(static_cast<char>(c)) != std::string_view::npos;
}

/// RFC 3986 §3.3: what may stand unescaped in a path.
constexpr bool is_path_byte(unsigned char c) noexcept {
  return scan::is_unreserved(c) || is_one_of(c, "!$&'()*+,;=:@/");
}
using PathByte = scan::AsciiClass<is_path_byte>;

/// More than RFC 3986 §3.4 has: clients send brackets, braces and quotes in
/// queries, and no one resolves them.
constexpr bool is_query_byte(unsigned char c) noexcept {
  return c > 0x20 && c < 0x7F && !is_one_of(c, "#%\\");
}
using QueryByte = scan::AsciiClass<is_query_byte>;

/// Escapes with only one meaning inside a path segment; see the header.
constexpr bool is_decoded(unsigned char c) noexcept {
  return scan::is_unreserved(c) || is_one_of(c, ":@!$'()*");
}

/// The byte that "%hh" at the front of `text` stands for, or -1.
int escaped_byte(std::string_view text) noexcept {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Follows escaped bytes of a path: overlong forms, surrogates and anything else
/// that is not UTF-8 (RFC 3629 §4) is read differently by different servers.
class Utf8Check {
 public:
  bool take(unsigned char c) noexcept {
    if (missing_ > 0) {
      const bool fits = c >= low_ && c <= high_;
      low_ = 0x80;
      high_ = 0xBF;
      --missing_;
      return fits;
    }
    low_ = 0x80;
    high_ = 0xBF;
    if (c < 0x80) return true;
    if (c >= 0xC2 && c <= 0xDF) {
      missing_ = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
      missing_ = 2;
      if (c == 0xE0) low_ = 0xA0;
      if (c == 0xED) high_ = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
      missing_ = 3;
      if (c == 0xF0) low_ = 0x90;
      if (c == 0xF4) high_ = 0x8F;
    } else {
      return false;
    }
    return true;
  }
  [[nodiscard]] bool is_between() const noexcept { return missing_ == 0; }

 private:
  unsigned char low_ = 0x80;
  unsigned char high_ = 0xBF;
  unsigned missing_ = 0;
};

/// Writes a path's one spelling. Never writes more bytes than it has read.
class PathWriter {
 public:
  explicit PathWriter(char* room) noexcept : room_(room) {}

  TargetFault write(std::string_view path) noexcept;
  [[nodiscard]] std::string_view written() const noexcept { return {room_, size_}; }

 private:
  TargetFault escape(std::string_view rest) noexcept;
  TargetFault end_segment() noexcept;
  [[nodiscard]] bool has_double_encoding() const noexcept;
  void put(char c) noexcept { room_[size_++] = c; }

  char* room_;
  std::size_t size_ = 0;
  std::size_t segment_ = 0;  ///< Where the current segment begins, behind its '/'.
  Utf8Check utf8_;
};

TargetFault PathWriter::write(std::string_view path) noexcept {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%') {
      const TargetFault fault = escape(path.substr(i));
      if (fault != TargetFault::none) return fault;
      i += 2;
      continue;
    }
    if (!PathByte::contains(static_cast<unsigned char>(c))) return TargetFault::forbidden_byte;
    if (!utf8_.is_between()) return TargetFault::bad_escape;
    if (c != '/') {
      put(c);
      continue;
    }
    const TargetFault fault = end_segment();
    if (fault != TargetFault::none) return fault;
    if (size_ == 0 || room_[size_ - 1] != '/') put('/');
    segment_ = size_;
  }
  if (!utf8_.is_between()) return TargetFault::bad_escape;
  const TargetFault fault = end_segment();
  if (fault != TargetFault::none) return fault;
  return has_double_encoding() ? TargetFault::double_encoding : TargetFault::none;
}

TargetFault PathWriter::escape(std::string_view rest) noexcept {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const int value = escaped_byte(rest);
  if (value < 0) return TargetFault::bad_escape;
  const auto byte = static_cast<unsigned char>(value);
  if (byte == '/' || byte == '\\' || byte == 0) return TargetFault::encoded_separator;
  if (byte < 0x20 || byte == 0x7F) return TargetFault::forbidden_byte;
  if (!utf8_.take(byte)) return TargetFault::bad_escape;
  if (is_decoded(byte)) {
    put(static_cast<char>(byte));
    return TargetFault::none;
  }
  put('%');
  put(digits[byte >> 4]);
  put(digits[byte & 15U]);
  return TargetFault::none;
}

// RFC 3986 §5.2.4, on segments that are already decoded.
TargetFault PathWriter::end_segment() noexcept {
  const std::string_view segment = written().substr(segment_);
  if (segment.empty() || segment.front() != '.') return TargetFault::none;
  const std::size_t dots = segment.starts_with("..") ? 2 : 1;
  const std::string_view rest = segment.substr(dots);
  if (rest.starts_with(';') || rest.starts_with("%3B")) return TargetFault::ambiguous_segment;
  if (!rest.empty()) return TargetFault::none;

  size_ = segment_;
  if (dots == 1) return TargetFault::none;
  if (size_ == 1) return TargetFault::above_root;
  --size_;  // the '/' before ".."
  while (room_[size_ - 1] != '/') --size_;
  return TargetFault::none;
}

bool PathWriter::has_double_encoding() const noexcept {
  const std::string_view path = written();
  for (auto at = path.find("%25"); at != std::string_view::npos; at = path.find("%25", at + 3)) {
    if (at + 5 <= path.size() && hex_value(path[at + 3]) >= 0 && hex_value(path[at + 4]) >= 0) {
      return true;
    }
  }
  return false;
}

/// No empty segment and none that begins with a dot: nothing there to remove.
bool has_plain_segments(std::string_view path) noexcept {
  unsigned found = 0;
  for (std::size_t i = 1; i < path.size(); ++i) {  // without an early exit it becomes vector code
    const unsigned begins_segment = path[i - 1] == '/' ? 1 : 0;
    const unsigned is_special = path[i] == '/' || path[i] == '.' ? 1 : 0;
    found |= begins_segment & is_special;
  }
  return found == 0;
}

TargetFault write_query(std::string_view query, char* room) noexcept {
  const char* const begin = query.data();
  const char* const end = begin + query.size();
  const char* at = begin;
  while (at != end) {
    const char* const stop = scan::end_of_run<QueryByte>(at, begin, end);
    room = std::copy(at, stop, room);
    at = stop;
    if (at == end) break;
    if (*at != '%') return TargetFault::forbidden_byte;
    if (escaped_byte({at, static_cast<std::size_t>(end - at)}) < 0) return TargetFault::bad_escape;
    for (std::size_t i = 0; i < 3; ++i) {
      const char c = at[i];
      *room++ = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    at += 3;
  }
  return TargetFault::none;
}

NormalisedTarget refused(TargetFault fault) noexcept {
  return {.fault = fault, .target = {}};
}

/// `path_and_query` is empty or begins with '/' or '?'.
NormalisedTarget write(std::string_view path_and_query, ByteSpan scratch) noexcept {
  char* const room = reinterpret_cast<char*>(scratch.data());
  const char* const begin = path_and_query.data();
  const char* const end = begin + path_and_query.size();
  const char* path_end = scan::end_of_run<PathByte>(begin, begin, end);
  const bool is_plain = (path_end == end || *path_end == '?') &&
                        has_plain_segments({begin, static_cast<std::size_t>(path_end - begin)});
  if (!is_plain) path_end = std::find(path_end, end, '?');

  std::size_t size = static_cast<std::size_t>(path_end - begin);
  if (size == 0) {
    room[size++] = '/';  // RFC 3986 §6.2.3: an empty path of an http URI
  } else if (is_plain) {
    std::copy(begin, path_end, room);
  } else {
    PathWriter writer(room);
    const TargetFault fault = writer.write({begin, size});
    if (fault != TargetFault::none) return refused(fault);
    size = writer.written().size();
  }
  NormalisedTarget result;
  result.target.path = {room, size};
  if (path_end != end) {
    const std::string_view query(path_end + 1, static_cast<std::size_t>(end - path_end) - 1);
    room[size++] = '?';
    const TargetFault fault = write_query(query, room + size);
    if (fault != TargetFault::none) return refused(fault);
    result.target.query = {room + size, query.size()};
    size += query.size();
  }
  result.target.whole = {room, size};
  return result;
}

}  // namespace

std::string_view authority_of(std::string_view target) noexcept {
  const std::size_t scheme_size = http_scheme.size();
  if (!equal_ignoring_case(target.substr(0, scheme_size), http_scheme)) return {};
  const std::string_view rest = target.substr(scheme_size);
  return rest.substr(0, rest.find_first_of("/?#"));
}

NormalisedTarget normalise_target(std::string_view target, std::string_view host, Method method,
                                  ByteSpan scratch) noexcept {
  if (scratch.size() <= target.size()) return refused(TargetFault::too_long);
  const bool is_options = method == Method::options;
  if (target.starts_with('/') && method != Method::connect) return write(target, scratch);

  // RFC 9112 §3.2.2, §3.2.4: a proxy's absolute form without a path is "*" for OPTIONS.
  const std::string_view authority = authority_of(target);
  const bool is_absolute = !authority.empty() && method != Method::connect;
  const std::string_view rest =
      is_absolute ? target.substr(http_scheme.size() + authority.size()) : std::string_view{};
  if (is_absolute && !equal_ignoring_case(authority, host)) {
    return refused(TargetFault::authority_mismatch);
  }
  if (is_options && (target == "*" || (is_absolute && rest.empty()))) {
    scratch[0] = '*';
    const std::string_view asterisk = as_text(scratch.first(1));
    return {.fault = TargetFault::none,
            .target = {.path = asterisk, .query = {}, .whole = asterisk}};
  }
  if (!is_absolute) return refused(TargetFault::bad_form);
  if (rest.starts_with('#')) return refused(TargetFault::forbidden_byte);
  return write(rest, scratch);
}

std::string_view text(TargetFault fault) noexcept {
  switch (fault) {
    case TargetFault::none:
      return "none";
    case TargetFault::bad_form:
      return "bad_form";
    case TargetFault::bad_escape:
      return "bad_escape";
    case TargetFault::forbidden_byte:
      return "forbidden_byte";
    case TargetFault::encoded_separator:
      return "encoded_separator";
    case TargetFault::double_encoding:
      return "double_encoding";
    case TargetFault::above_root:
      return "above_root";
    case TargetFault::ambiguous_segment:
      return "ambiguous_segment";
    case TargetFault::authority_mismatch:
      return "authority_mismatch";
    case TargetFault::too_long:
      return "too_long";
  }
  return "unknown";
}

std::uint16_t status_of(TargetFault fault) noexcept {
  return fault == TargetFault::too_long ? 414 : 400;
}

}  // namespace sluice::http1
