#include "saml/judge.h"

#include <algorithm>
#include <optional>

#include "base/timestamp.h"
#include "identity/oidc.h"

namespace sluice::saml {
namespace {

constexpr std::string_view bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
constexpr std::string_view transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// The first of the faults that is one.
Fault first(std::initializer_list<Fault> faults) {
  const auto* const found =
      std::ranges::find_if(faults, [](Fault fault) { return fault != Fault::none; });
  return found == faults.end() ? Fault::none : *found;
}

/// Core §1.3.3: in UTC, and no other zone may be named.
std::optional<WallTime> time_of(const std::string& text) {
  return text.ends_with('Z') ? parse_timestamp(text) : std::nullopt;
}

/// Of a time that need not be there.
Fault check_not_before(const std::string& text, Duration skew, WallTime now) {
  if (text.empty()) return Fault::none;
  const auto time = time_of(text);
  if (!time) return Fault::bad_time;
  return now + skew < *time ? Fault::not_yet_valid : Fault::none;
}
Fault check_end(const std::string& text, Duration skew, WallTime now, Fault over) {
  if (text.empty()) return Fault::none;
  const auto time = time_of(text);
  if (!time) return Fault::bad_time;
  return now >= *time + skew ? over : Fault::none;
}

Fault check_envelope(const Envelope& envelope, bool is_signed, std::string_view request,
                     const config::SamlProvider& settings) {
  if (!envelope.issuer.empty() && envelope.issuer != settings.issuer) return Fault::wrong_issuer;
  // Bindings §3.5.5.2: a signed message says where it is sent.
  const bool is_here = envelope.destination == settings.consumer_url() ||
                       (envelope.destination.empty() && !is_signed);
  if (!is_here) return Fault::wrong_destination;
  if (envelope.in_response_to.empty()) return Fault::unsolicited;
  return envelope.in_response_to == request ? Fault::none : Fault::wrong_request;
}

Fault check_confirmation(const Confirmation& confirmation, std::string_view request,
                         const config::SamlProvider& settings, WallTime now) {
  if (confirmation.recipient != settings.consumer_url()) return Fault::wrong_recipient;
  if (confirmation.in_response_to != request) {
    return confirmation.in_response_to.empty() ? Fault::unsolicited : Fault::wrong_request;
  }
  // Profiles §4.1.4.2: it ends, and it does not begin.
  if (confirmation.not_on_or_after.empty() || !confirmation.not_before.empty()) {
    return Fault::incomplete;
  }
  return check_end(confirmation.not_on_or_after, settings.clock_skew, now, Fault::expired);
}

/// One bearer confirmation must hold; of several that do not, the first says why.
Fault check_confirmations(const Assertion& assertion, std::string_view request,
                          const config::SamlProvider& settings, WallTime now) {
  std::optional<Fault> why;
  for (const Confirmation& one : assertion.confirmations) {
    if (one.method != bearer) continue;
    const Fault fault = check_confirmation(one, request, settings, now);
    if (fault == Fault::none) return Fault::none;
    if (!why) why = fault;
  }
  return why.value_or(Fault::no_bearer);
}

Fault check_conditions(const Assertion& assertion, const config::SamlProvider& settings,
                       WallTime now) {
  const Fault fault =
      first({check_not_before(assertion.not_before, settings.clock_skew, now),
             check_end(assertion.not_on_or_after, settings.clock_skew, now, Fault::expired)});
  if (fault != Fault::none) return fault;
  if (assertion.audiences.empty()) return Fault::no_audience;
  const std::string own = settings.own_entity_id();
  const bool is_for_us = std::ranges::all_of(assertion.audiences, [&own](const auto& restriction) {
    return std::ranges::find(restriction, own) != restriction.end();
  });
  return is_for_us ? Fault::none : Fault::wrong_audience;
}

/// expires  the earliest end of a session, if one ends.
Fault check_sessions(const Assertion& assertion, Duration skew, WallTime now, WallTime& expires) {
  for (const std::string& end : assertion.sessions_end) {
    const Fault fault = check_end(end, skew, now, Fault::session_over);
    if (fault != Fault::none) return fault;
    if (!end.empty()) expires = std::min(expires, *time_of(end));
  }
  return Fault::none;
}

/// As rules and records can hold it.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= identity::claim_bytes_max && text != "*" &&
         std::ranges::none_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7F;
         });
}

Fault read_subject(const Assertion& assertion, const config::SamlProvider& settings,
                   config::Principal& principal) {
  std::string subject = assertion.name_id;
  if (!settings.subject_attribute.empty()) {
    if (!assertion.subject.is_there) return Fault::no_subject;
    if (assertion.subject.values.size() != 1) return Fault::bad_subject;
    subject = assertion.subject.values.front();
  } else if (assertion.name_id_format == transient) {
    return Fault::transient_subject;
  }
  if (subject.empty()) return Fault::no_subject;
  if (!is_name(subject)) return Fault::bad_subject;
  principal.subject = settings.prefix + subject;
  return Fault::none;
}

Fault read_groups(const Assertion& assertion, const config::SamlProvider& settings,
                  config::Principal& principal) {
  if (settings.groups_attribute.empty()) return Fault::none;
  if (!assertion.groups.is_there) return Fault::no_groups;
  if (assertion.groups.values.size() > identity::token_groups_max) return Fault::too_many_groups;
  for (const std::string& group : assertion.groups.values) {
    if (!is_name(group)) return Fault::bad_groups;
    principal.groups.push_back(settings.prefix + group);
  }
  return Fault::none;
}

}  // namespace

Verdict judge(const Statement& statement, const Envelope& unsigned_one, std::string_view request,
              const config::SamlProvider& settings, WallTime now) {
  const Assertion& assertion = statement.assertion;
  const Envelope& envelope = statement.has_envelope ? statement.envelope : unsigned_one;
  Verdict out;
  config::Principal who;
  out.fault =
      first({assertion.issuer == settings.issuer ? Fault::none : Fault::wrong_issuer,
             check_envelope(envelope, statement.has_envelope, request, settings),
             check_confirmations(assertion, request, settings, now),
             check_conditions(assertion, settings, now),
             check_sessions(assertion, settings.clock_skew, now, who.expires),
             read_subject(assertion, settings, who), read_groups(assertion, settings, who)});
  if (out.fault != Fault::none) return out;
  who.issuer = settings.name;
  who.proof = config::Proof::saml;
  who.credential_id = assertion.id;
  out.principal = std::move(who);
  return out;
}

}  // namespace sluice::saml
