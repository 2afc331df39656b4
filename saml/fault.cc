#include "saml/fault.h"

#include <array>

namespace sluice::saml {
namespace {

struct Words {
  std::string_view name;
  std::string_view text;
};

/// In the order of the enum.
constexpr std::array<Words, faults> words{{
    {"none", "the response is good"},
    {"bad_form", "the form lacks a response or what it answers, or has one twice"},
    {"too_large", "the response is too large"},
    {"bad_base64", "the response is not base64"},
    {"unknown_request", "the response answers no request of this gateway's since it started"},
    {"request_expired", "the sign-in took too long"},
    {"request_spent", "the request was answered before"},
    {"other_browser", "the response came from another browser than the one that asked"},
    {"too_many_sign_ins", "too many sign-ins are being read or remembered: try again"},
    {"reader_failed", "the reader of responses ended without an answer"},
    {"reader_contradicted", "what the reader of responses gave as signed is not what was signed"},
    {"bad_xml", "the response is not well-formed XML in UTF-8 with namespaces"},
    {"document_type", "the response has a document type declaration"},
    {"processing_instruction", "the response has a processing instruction"},
    {"comment", "the response has a comment"},
    {"character_data", "the response has a CDATA section"},
    {"too_deep", "the response's elements are nested too deep"},
    {"too_complex", "the response has too many elements or attributes"},
    {"not_a_response", "the document is not a SAML response"},
    {"wrong_version", "the response or its assertion is not of SAML 2.0"},
    {"several_responses", "the response holds another response"},
    {"encrypted",
     "the response is encrypted, which is not supported: have it signed and sent in "
     "clear over TLS"},
    {"not_successful", "the identity provider says that the sign-in failed"},
    {"no_assertion", "the response has no assertion"},
    {"several_assertions", "the response has several assertions"},
    {"misplaced_assertion", "an assertion is elsewhere than directly in the response"},
    {"bad_id", "the response or its assertion has no ID, or one that is no name"},
    {"repeated_id", "two elements of the response have the same ID"},
    {"mixed_content", "a value of the response is not plain text"},
    {"not_signed", "neither the response nor its assertion is signed"},
    {"several_signatures", "an element of the response has several signatures"},
    {"misplaced_signature",
     "a signature is elsewhere than directly in the response or its "
     "assertion"},
    {"bad_signature_form", "the signature is not built as XML Signature has it"},
    {"signed_object", "the signature brings an object of its own"},
    {"several_references", "the signature covers several things"},
    {"other_reference", "the signature covers another element than the one that it is in"},
    {"weak_algorithm", "the signature uses SHA-1 or MD5"},
    {"unknown_algorithm", "the signature's algorithm is not one that is taken"},
    {"forbidden_canonicalization",
     "the signature is not canonicalized by exclusive "
     "canonicalization"},
    {"forbidden_transform", "the signature transforms what it covers otherwise than is taken"},
    {"wrong_digest", "the element was changed after it was signed"},
    {"wrong_signature", "the signature was made by no key of the identity provider's"},
    {"incomplete", "the response or its assertion lacks what SAML requires"},
    {"wrong_destination", "the response was sent to another address"},
    {"unsolicited", "the response answers no request"},
    {"wrong_request", "the response answers another request"},
    {"wrong_issuer", "the response is of another identity provider"},
    {"no_bearer", "the assertion has no bearer confirmation"},
    {"wrong_recipient", "the assertion is for another recipient"},
    {"bad_time", "a time in the assertion is not one in UTC"},
    {"expired", "the assertion has expired"},
    {"not_yet_valid", "the assertion is not valid yet"},
    {"session_over", "the session at the identity provider is over"},
    {"no_audience", "the assertion names no audience"},
    {"wrong_audience", "the assertion is for another audience"},
    {"unknown_condition", "the assertion has a condition that is not known"},
    {"no_subject", "the assertion names no subject"},
    {"bad_subject", "the assertion's subject is not one short text"},
    {"transient_subject",
     "the assertion's subject is another at each sign-in: have the provider "
     "send a lasting one, or name an attribute"},
    {"no_groups", "the assertion has no attribute of groups where the configuration expects one"},
    {"bad_groups", "the assertion's groups are not short texts"},
    {"too_many_groups", "the assertion has too many groups"},
    {"repeated_attribute", "the assertion has the attribute twice"},
    {"replayed", "the assertion was shown before"},
}};

}  // namespace

std::string_view name(Fault fault) noexcept {
  return words[static_cast<std::size_t>(fault)].name;
}

std::string_view text(Fault fault) noexcept {
  return words[static_cast<std::size_t>(fault)].text;
}

}  // namespace sluice::saml
