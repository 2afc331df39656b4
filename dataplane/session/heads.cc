#include "dataplane/session/heads.h"

#include <algorithm>
#include <array>

#include "matcher/body_masker.h"
#include "parsers/http1/fields.h"

namespace sluice::dataplane {
namespace {

using http1::Field;
using http1::FieldName;

constexpr std::string_view via_value = "1.1 sluice";

void write_framing(http1::HeadWriter& out, const BodyFraming& body) noexcept {
  if (body.framing == OutFraming::length) {
    out.field("Content-Length", body.content_length);
  } else if (body.framing == OutFraming::chunked) {
    out.field("Transfer-Encoding", "chunked");
  }
}

/// Writes a field, its value masked when there is something to mask.
void write_masked(http1::HeadWriter& out, const Field& field, const matcher::MaskProgram& program,
                  const matcher::RuleSet& active, WorkerContext& worker,
                  std::span<std::uint32_t> counts) noexcept {
  // The matcher reads past its input, so the value is scanned where it lies: in a
  // pool buffer, which has a readable tail.
  const std::size_t size =
      matcher::mask_text(program, active, matcher::BodyKind::text, field.name,
                         as_bytes(field.value), worker.text_room, worker.text_scratch, counts);
  out.field(field.name, as_text({worker.text_room.data(), size}));
}

/// Client fields that never reach a target: credentials and what is written anew.
bool is_dropped_from_request(const Field& field, const RequestHeadRules& rules) noexcept {
  if (is_without_standing(field, rules.listener->settings)) return true;
  switch (field.id) {
    case FieldName::authorization:
    case FieldName::dpop:
    case FieldName::x_api_key:
    case FieldName::host:
    case FieldName::content_length:
      return true;
    case FieldName::expect:
      return rules.continue_answered;
    case FieldName::accept_encoding:
    case FieldName::range:
    case FieldName::if_range:
      // A coded or partial representation would pass the masks by.
      return rules.response_is_masked;
    default:
      break;
  }
  return is_targets_credential(field, rules.target->settings);
}

/// Fields that let somebody in, here, at the target, or at a proxy.
bool is_secret(const Field& field, const config::Target& target) noexcept {
  switch (field.id) {
    case FieldName::authorization:
    case FieldName::dpop:
    case FieldName::x_api_key:
    case FieldName::proxy_authorization:
      return true;
    default:
      break;
  }
  constexpr auto names = std::to_array<std::string_view>(
      {"cookie", "set-cookie", "cookie2", "set-cookie2", "authentication-info",
       "proxy-authentication-info", "x-auth-token", "x-csrf-token", "x-xsrf-token"});
  return is_targets_credential(field, target) ||
         std::ranges::any_of(names, [&field](std::string_view name) {
           return http1::equal_as_variables(field.name, name);
         });
}

bool is_dropped_from_response(const Field& field, const ResponseHeadRules& rules) noexcept {
  if (field.is_hop_by_hop || http1::is_always_hop_by_hop(field.id)) return true;
  if (field.id == FieldName::content_length) return true;
  return rules.body_is_masked &&
         (field.id == FieldName::content_md5 || field.id == FieldName::digest ||
          field.id == FieldName::content_digest || field.id == FieldName::repr_digest ||
          field.id == FieldName::accept_ranges);
}

/// Response fields whose values the gateway depends on or that carry no data of the target.
bool is_structural(FieldName name) noexcept {
  return name == FieldName::content_type || name == FieldName::content_encoding ||
         name == FieldName::date;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() &&
         http1::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool contains_ignoring_case(std::string_view text, std::string_view part) noexcept {
  for (; text.size() >= part.size(); text.remove_prefix(1)) {
    if (starts_with_ignoring_case(text, part)) return true;
  }
  return false;
}

/// What earlier hops say of the client: for the target to believe only when an operator says so.
bool is_forwarding_field(const Field& field) noexcept {
  constexpr std::string_view prefix = "x-forwarded-";
  return field.id == FieldName::forwarded || field.id == FieldName::x_real_ip ||
         http1::equal_as_variables(field.name.substr(0, prefix.size()), prefix);
}

/// What a proxy says of the client's certificate (RFC 9440, and as Envoy writes it). Only this
/// gateway knows that, so a client's own is removed whatever else is passed on.
bool is_about_client_certificate(const Field& field) noexcept {
  constexpr auto names = std::to_array<std::string_view>(
      {"x-forwarded-client-cert", "client-cert", "client-cert-chain"});
  return std::ranges::any_of(names, [&field](std::string_view name) {
    return field.name.size() == name.size() && http1::equal_as_variables(field.name, name);
  });
}

/// Whether ASCII characters are single ASCII bytes in this charset.
bool is_ascii_superset(std::string_view charset) noexcept {
  for (const std::string_view prefix :
       {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-", "windows-125", "latin1"}) {
    if (starts_with_ignoring_case(charset, prefix)) return true;
  }
  return false;
}

void read_media_type(std::string_view content_type, BodyReading& reading) noexcept {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  // "+json", "x-ndjson", "jsonl" and whatever else is made of JSON; what turns
  // out to be none is refused.
  if (contains_ignoring_case(type.substr(std::min(type.find('/'), type.size())), "json")) {
    reading.kind = matcher::BodyKind::json;
  } else if (http1::equal_ignoring_case(type, "application/x-www-form-urlencoded")) {
    reading.kind = matcher::BodyKind::form;
  } else if (http1::equal_ignoring_case(type, "multipart/byteranges")) {
    reading.is_readable = false;
  }
  reading.is_multipart = starts_with_ignoring_case(type, "multipart/");
  reading.is_textual = reading.kind != matcher::BodyKind::text ||
                       starts_with_ignoring_case(type, "text/") ||
                       contains_ignoring_case(type, "xml");
  for (std::size_t cut = content_type.find(';'); cut != std::string_view::npos;
       cut = content_type.find(';')) {
    content_type.remove_prefix(cut + 1);
    std::string_view parameter = trimmed(content_type.substr(0, content_type.find(';')));
    if (!starts_with_ignoring_case(parameter, "charset")) continue;
    // Blanks around '=' are not RFC 9110's, but some readers skip them; what else
    // may stand there (RFC 8187's '*') is not readable.
    parameter = trimmed(parameter.substr(std::string_view("charset").size()));
    const bool is_given = parameter.starts_with('=');
    if (is_given) parameter = trimmed(parameter.substr(1));
    if (parameter.starts_with('"')) parameter.remove_prefix(1);
    if (!is_given || !is_ascii_superset(parameter)) reading.is_readable = false;
  }
}

}  // namespace

bool is_targets_credential(const Field& field, const config::Target& target) noexcept {
  return target.credential && http1::equal_as_variables(field.name, target.credential->header);
}

bool is_without_standing(const Field& field, const config::Listener& listener) noexcept {
  if (field.is_hop_by_hop || http1::is_always_hop_by_hop(field.id)) return true;
  if (field.id == FieldName::sluice_request) return true;
  if (listener.forwarded != config::ForwardedFields::append && is_forwarding_field(field)) {
    return true;
  }
  if (is_about_client_certificate(field)) return true;
  // RFC 3875 §4.1.18: to a CGI program it is HTTP_PROXY, which clients of its own obey.
  return http1::equal_ignoring_case(field.name, "proxy");
}

void write_request_head(http1::HeadWriter& out, const http1::RequestHead& request,
                        const http1::Target& target, const BodyFraming& body,
                        const RequestHeadRules& rules, WorkerContext& worker) noexcept {
  const bool masked = rules.request_masks.any();
  out.request_line(request.method_text, target.whole);
  out.field("Host", request.host);
  for (const Field& field : request.fields) {
    if (is_dropped_from_request(field, rules)) continue;
    if (masked && !is_structural(field.id)) {
      write_masked(out, field, *rules.masks, rules.request_masks, worker, rules.mask_counts);
    } else {
      out.field(field.name, field.value);
    }
  }
  if (rules.response_is_masked) out.field("Accept-Encoding", "identity");
  if (rules.listener->settings.forwarded != config::ForwardedFields::off) {
    out.field("X-Forwarded-For", rules.peer_host);
    out.field("X-Forwarded-Host", request.host);
    out.field("X-Forwarded-Proto", rules.listener->tls ? "https" : "http");
  }
  if (!rules.client_certificate.empty()) {
    out.field("X-Forwarded-Client-Cert", rules.client_certificate);
  }
  if (rules.listener->settings.via) out.field("Via", via_value);
  if (const auto& credential = rules.target->settings.credential) {
    out.field(credential->header, credential->value->value);
  }
  write_framing(out, body);
  out.finish();
}

void write_response_head(http1::HeadWriter& out, const http1::ResponseHead& response,
                         const BodyFraming& body, const ResponseHeadRules& rules,
                         WorkerContext& worker) noexcept {
  const bool masked =
      rules.response_masks.any() && matcher::may_match_in_head(*rules.masks, rules.response_masks,
                                                               rules.received, worker.text_scratch);
  out.status_line(response.status, http1::reason_phrase(response.status));
  for (const Field& field : response.fields) {
    if (is_dropped_from_response(field, rules)) continue;
    if (masked && !is_structural(field.id)) {
      write_masked(out, field, *rules.masks, rules.response_masks, worker, rules.mask_counts);
    } else {
      out.field(field.name, field.value);
    }
  }
  if (rules.listener->settings.via) out.field("Via", via_value);
  write_framing(out, body);
  if (!response.is_interim()) {
    if (!rules.keep_alive) {
      out.field("Connection", "close");
    } else if (rules.client_minor == 0) {
      out.field("Connection", "keep-alive");
    }
  }
  out.finish();
}

void write_recorded_fields(http1::HeadWriter& out, std::span<const Field> fields,
                           const RecordedMasks& masks, const config::Listener& listener,
                           const config::Target& target, WorkerContext& worker) noexcept {
  for (const Field& field : fields) {
    if (field.id == FieldName::host || is_without_standing(field, listener)) continue;
    if (is_secret(field, target)) continue;
    write_masked(out, field, *masks.program, masks.active, worker, {});
  }
}

BodyReading body_reading(std::span<const Field> fields) noexcept {
  BodyReading reading;
  bool typed = false;
  for (const Field& field : fields) {
    if (field.id == FieldName::content_encoding) {
      // Whatever it says in whichever list: only identity is readable.
      if (!http1::equal_ignoring_case(field.value, "identity")) reading.is_readable = false;
    } else if (field.id == FieldName::content_type) {
      if (typed) reading.is_readable = false;  // two types: readers may disagree
      typed = true;
      read_media_type(field.value, reading);
    }
  }
  // Without a type the peer may guess JSON where masks and patterns read text.
  if (!typed) reading.is_readable = false;
  return reading;
}

}  // namespace sluice::dataplane
