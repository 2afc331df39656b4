#include "parsers/http1/section_reader.h"

#include <cstring>

#include "parsers/http1/fields.h"
#include "parsers/http1/known_names.h"
#include "parsers/http1/scan.h"

namespace sluice::http1 {
namespace {

constexpr std::size_t version_bytes = 8;  // "HTTP/1.1"

constexpr bool is_whitespace(char c) noexcept {
  return c == ' ' || c == '\t';
}

constexpr bool is_visible(char c) noexcept {
  return static_cast<unsigned char>(c) > ' ';
}

constexpr bool has_lower_case(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// The fault for a byte that ends a run too early; a bare LF keeps its own name.
constexpr Fault fault_at(char c, Fault otherwise) noexcept {
  return c == '\n' ? Fault::bare_line_feed : otherwise;
}

/// RFC 9110 §8.6: digits only; no sign, no list, no value that does not fit.
bool parse_length(std::string_view text, std::uint64_t& value) noexcept {
  if (text.empty()) return false;
  value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  return true;
}

bool is_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

/// "[" IPv6 address "]", by its alphabet only; whether it is an address matters to no one here.
std::size_t size_of_ip_literal(std::string_view host) noexcept {
  std::size_t at = 1;
  while (at < host.size()) {
    const char c = host[at];
    if (hex_value(c) < 0 && c != ':' && c != '.') break;
    ++at;
  }
  const bool is_closed = at < host.size() && host[at] == ']' && at > 2;
  return is_closed ? at + 1 : 0;
}

/// RFC 9110 §7.6.1: an option may name a field of this hop, never one that the
/// gateway or the target relies on; else a client could strike it out.
bool may_name(std::string_view option) noexcept {
  const FieldName id = field_name_of(option);
  if (id == FieldName::other) return !has_fixed_role(option);
  return is_always_hop_by_hop(id) && id != FieldName::transfer_encoding;
}

Fault note_connection(std::string_view list, FieldFacts& facts) noexcept {
  std::string_view option;
  while (next_list_element(list, option)) {
    if (++facts.connection_options > connection_options_max) return Fault::bad_connection_option;
    if (equal_ignoring_case(option, "close")) {
      facts.asks_close = true;
    } else if (equal_ignoring_case(option, "keep-alive")) {
      facts.asks_keep_alive = true;
    } else if (equal_ignoring_case(option, "upgrade")) {
      facts.asks_upgrade = true;
    } else if (is_token(option) && may_name(option)) {
      facts.names_fields = true;
    } else {
      return Fault::bad_connection_option;
    }
  }
  return Fault::none;
}

/// The fields that note() and note_in_request() look at.
constexpr bool is_noted(FieldName id) noexcept {
  constexpr auto bit = [](FieldName one) { return std::uint64_t{1} << static_cast<unsigned>(one); };
  constexpr std::uint64_t noted = bit(FieldName::connection) | bit(FieldName::content_length) |
                                  bit(FieldName::disguised) | bit(FieldName::expect) |
                                  bit(FieldName::host) | bit(FieldName::overriding) |
                                  bit(FieldName::transfer_encoding) | bit(FieldName::upgrade);
  return (noted >> static_cast<unsigned>(id) & 1U) != 0;
}

/// What only a request's head may say.
Fault note_in_request(const Field& field, const char* readable, FieldFacts& facts) noexcept {
  switch (field.id) {
    case FieldName::host:
      if (facts.has_host) return Fault::repeated_host;
      if (!is_valid_host(field.value, readable)) return Fault::bad_host;
      facts.has_host = true;
      facts.host = field.value;
      return Fault::none;
    case FieldName::expect:
      // RFC 9110 §10.1.1: no other expectation is defined.
      if (facts.has_expect || !equal_ignoring_case(field.value, "100-continue")) {
        return Fault::bad_expectation;
      }
      facts.has_expect = true;
      return Fault::none;
    case FieldName::disguised:
      return Fault::disguised_field;
    case FieldName::overriding:
      return Fault::overridden_request;
    default:
      return Fault::none;
  }
}

/// What either head may say about framing and the connection.
Fault note(const Field& field, FieldFacts& facts) noexcept {
  switch (field.id) {
    case FieldName::content_length:
      // RFC 9112 §6.3 lets equal copies pass; whoever sends them is not trusted with framing.
      if (facts.has_content_length) return Fault::repeated_content_length;
      if (!parse_length(field.value, facts.content_length)) return Fault::bad_content_length;
      facts.has_content_length = true;
      return Fault::none;
    case FieldName::transfer_encoding:
      if (facts.has_transfer_encoding || !equal_ignoring_case(field.value, "chunked")) {
        return Fault::unsupported_transfer_encoding;
      }
      facts.has_transfer_encoding = true;
      return Fault::none;
    case FieldName::connection:
      return note_connection(field.value, facts);
    case FieldName::upgrade:
      facts.has_upgrade = true;
      return Fault::none;
    default:
      return Fault::none;
  }
}

void mark_hop_by_hop(FieldTable& table) noexcept {
  for (const Field& connection : table.view()) {
    if (connection.id != FieldName::connection) continue;
    std::string_view list = connection.value;
    std::string_view option;
    while (next_list_element(list, option)) {
      for (std::size_t i = 0; i < table.count; ++i) {
        Field& field = table.fields[i];
        if (equal_ignoring_case(field.name, option)) field.is_hop_by_hop = true;
      }
    }
  }
}

}  // namespace

SectionReader::Outcome SectionReader::line_end(Fault otherwise) noexcept {
  if (at_ == end_) return Outcome::incomplete;
  if (*at_ != '\r') return refuse(fault_at(*at_, otherwise));
  if (at_ + 1 == end_) return Outcome::incomplete;
  if (at_[1] != '\n') return refuse(otherwise);
  at_ += 2;
  return Outcome::complete;
}

// RFC 9112 §2.3. The name is case-sensitive, and only 1.0 and 1.1 are this protocol.
SectionReader::Outcome SectionReader::version(std::uint8_t& minor, Fault otherwise) noexcept {
  constexpr std::string_view pattern = "HTTP/0.0";  // '0' stands for any digit
  if (end_ - at_ >= static_cast<std::ptrdiff_t>(version_bytes)) {
    const std::string_view text(at_, version_bytes);
    if (text == "HTTP/1.1" || text == "HTTP/1.0") {
      minor = static_cast<std::uint8_t>(text.back() - '0');
      at_ += version_bytes;
      return Outcome::complete;
    }
  }
  for (std::size_t i = 0; i < version_bytes; ++i) {
    if (at_ + i == end_) return Outcome::incomplete;
    const bool fits = pattern[i] == '0' ? is_digit(at_[i]) : at_[i] == pattern[i];
    if (!fits) return refuse(fault_at(at_[i], otherwise));
  }
  return refuse(Fault::bad_version);
}

// RFC 9112 §3: exactly one space between the parts. Nothing is repaired.
SectionReader::Outcome SectionReader::request_line(RequestHead& head,
                                                   const Limits& limits) noexcept {
  const char* const method_end = scan::end_of_run<scan::Token>(at_, begin_, end_);
  head.method_text = {at_, static_cast<std::size_t>(method_end - at_)};
  if (head.method_text.size() > method_bytes_max) return refuse(Fault::bad_method);
  if (method_end == end_) return Outcome::incomplete;
  if (*method_end == '\r') return refuse(Fault::bad_request_line);
  if (*method_end != ' ' || head.method_text.empty()) {
    return refuse(fault_at(*method_end, Fault::bad_method));
  }
  head.method = method_of(head.method_text);
  // RFC 9110 §9.1 has methods case-sensitive, but some servers raise them: to
  // those "delete" is what a rule on DELETE forbids.
  if (head.method == Method::other && has_lower_case(head.method_text)) {
    return refuse(Fault::bad_method);
  }
  at_ = method_end + 1;

  const char* const target_end = scan::end_of_run<scan::Visible>(at_, begin_, end_);
  head.target = {at_, static_cast<std::size_t>(target_end - at_)};
  if (head.target.size() > limits.target_bytes_max) return refuse(Fault::target_too_long);
  if (target_end == end_) return Outcome::incomplete;
  if (*target_end == '\r') return refuse(Fault::bad_request_line);  // HTTP/0.9 has no version
  if (*target_end != ' ') return refuse(fault_at(*target_end, Fault::bad_target));
  if (head.target.empty()) return refuse(Fault::bad_request_line);
  at_ = target_end + 1;

  const Outcome outcome = version(head.version_minor, Fault::bad_request_line);
  return outcome == Outcome::complete ? line_end(Fault::bad_request_line) : outcome;
}

// RFC 9112 §4. A missing space before an empty reason is common and harmless.
SectionReader::Outcome SectionReader::status_line(ResponseHead& head) noexcept {
  const Outcome outcome = version(head.version_minor, Fault::bad_status_line);
  if (outcome != Outcome::complete) return outcome;

  constexpr std::size_t status_bytes = 4;  // a space and three digits
  unsigned status = 0;
  for (std::size_t i = 0; i < status_bytes; ++i) {
    if (at_ + i == end_) return Outcome::incomplete;
    const bool fits = i == 0 ? at_[i] == ' ' : is_digit(at_[i]);
    if (!fits) return refuse(fault_at(at_[i], Fault::bad_status_line));
    if (i > 0) status = status * 10 + static_cast<unsigned>(at_[i] - '0');
  }
  // RFC 9110 §15: no other class has a meaning that we could keep to.
  if (status < 100 || status > 599) return refuse(Fault::bad_status_line);
  head.status = static_cast<std::uint16_t>(status);
  at_ += status_bytes;

  head.reason = {};
  if (at_ != end_ && *at_ == ' ') {
    ++at_;
    const char* const reason_end = scan::end_of_run<scan::Value>(at_, begin_, end_);
    head.reason = {at_, static_cast<std::size_t>(reason_end - at_)};
    at_ = reason_end;
  }
  return line_end(Fault::bad_status_line);
}

template <SectionReader::Section section>
SectionReader::Outcome SectionReader::fields(const Limits& limits, FieldTable& table,
                                             FieldFacts& facts) noexcept {
  const std::size_t count_max = std::min(limits.fields_max, fields_max);
  const char* const end = end_;
  scan::LineScanner scanner(begin_, at_, end);
  std::size_t count = 0;
  for (const char* at = at_;;) {
    const char* const name_end = scanner.end_of_token(at);
    const std::string_view name(at, static_cast<std::size_t>(name_end - at));
    const bool is_field =
        name_end != end && *name_end == ':' && !name.empty() && name.size() <= field_name_bytes_max;
    if (!is_field) [[unlikely]] {
      at_ = at;
      table.count = count;
      const Outcome outcome = line_without_field(name);
      return outcome == Outcome::complete ? end_of_fields(table, facts) : outcome;
    }

    const char* value = name_end + 1;
    if (end - value >= 2 && value[0] == ' ' && is_visible(value[1])) {
      ++value;  // nearly always just this
    } else {
      while (value != end && is_whitespace(*value)) ++value;
    }
    const char* const line = scanner.end_of_value(value);
    if (end - line < 2 || line[0] != '\r' || line[1] != '\n') [[unlikely]] {
      at_ = line;
      return line_end(Fault::bad_field_value);
    }
    at = line + 2;
    const char* value_end = line;
    if (!is_visible(line[-1])) {  // at the earliest the colon
      while (value_end != value && is_whitespace(value_end[-1])) --value_end;
    }

    if (count == count_max) return refuse(Fault::too_many_fields);
    Field& field = table.fields[count++];
    // Member by member: a temporary would be read back in wider pieces than it
    // was written in, which stalls for longer than the rest of the loop takes.
    field.name = name;
    field.value = {value, static_cast<std::size_t>(value_end - value)};
    field.id = known_name(name);
    field.is_hop_by_hop = false;
    if constexpr (section == Section::trailers) {
      if (has_fixed_role(name)) return refuse(Fault::bad_trailer);
    } else if (is_noted(field.id)) {
      Fault fault = note(field, facts);
      if (section == Section::request && fault == Fault::none) {
        fault = note_in_request(field, begin_, facts);
      }
      if (fault != Fault::none) return refuse(fault);
    }
  }
}

template SectionReader::Outcome SectionReader::fields<SectionReader::Section::request>(
    const Limits&, FieldTable&, FieldFacts&) noexcept;
template SectionReader::Outcome SectionReader::fields<SectionReader::Section::response>(
    const Limits&, FieldTable&, FieldFacts&) noexcept;
template SectionReader::Outcome SectionReader::fields<SectionReader::Section::trailers>(
    const Limits&, FieldTable&, FieldFacts&) noexcept;

/// At a line that is no whole field: the empty line (complete), one that is not
/// all there yet, or a bad one. `name` are the tchars it begins with.
SectionReader::Outcome SectionReader::line_without_field(std::string_view name) noexcept {
  const char* const stop = name.data() + name.size();
  if (name.size() > field_name_bytes_max) return refuse(Fault::bad_field_name);
  if (stop == end_) return Outcome::incomplete;
  if (name.empty() && *stop == '\r') return line_end(Fault::bad_field_name);
  // RFC 9112 §5.1, §5.2.
  if (is_whitespace(*stop)) {
    return refuse(name.empty() ? Fault::obsolete_fold : Fault::space_before_colon);
  }
  return refuse(fault_at(*stop, Fault::bad_field_name));
}

SectionReader::Outcome SectionReader::end_of_fields(FieldTable& table,
                                                    const FieldFacts& facts) noexcept {
  // RFC 9112 §6.1: the two together are how requests are smuggled.
  if (facts.has_content_length && facts.has_transfer_encoding) {
    return refuse(Fault::length_with_transfer_encoding);
  }
  if (facts.names_fields) mark_hop_by_hop(table);
  return Outcome::complete;
}

bool is_valid_host(std::string_view host, const char* readable) noexcept {
  if (host.empty() || host.size() > host_bytes_max) return false;
  const char* const begin = host.data();
  const char* const end = begin + host.size();
  const std::size_t name_size =
      host.front() == '[' ? size_of_ip_literal(host)
                          : static_cast<std::size_t>(
                                scan::end_of_run<scan::HostName>(begin, readable, end) - begin);
  if (name_size == 0) return false;
  if (name_size == host.size()) return true;
  return host[name_size] == ':' && is_port(host.substr(name_size + 1));
}

bool has_news(ByteView in, std::size_t seen) noexcept {
  if (seen > in.size()) return true;  // not what was shown before: read it all
  const char* const begin = as_text(in).data();
  const char* const end = begin + in.size();
  return scan::end_of_run<scan::Value>(begin + seen, begin, end) != end;
}

ByteView through_last_control(ByteView in) noexcept {
  while (!in.empty() && scan::Value::contains(in.back())) in = in.first(in.size() - 1);
  return in;
}

}  // namespace sluice::http1
