// Why a SAML response was refused: each reason has a name of its own, for records and metrics.
// The browser is told none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::saml {

enum class Fault : std::uint8_t {
  none,
  // The form that the browser posts, and the request that it is to answer.
  bad_form,
  too_large,
  bad_base64,
  unknown_request,
  request_expired,
  request_spent,
  other_browser,
  too_many_sign_ins,
  // The reader, and what it must not be believed.
  reader_failed,
  reader_contradicted,
  // Its XML.
  bad_xml,
  document_type,
  processing_instruction,
  comment,
  character_data,
  too_deep,
  too_complex,
  // Where things are in it.
  not_a_response,
  wrong_version,
  several_responses,
  encrypted,
  not_successful,
  no_assertion,
  several_assertions,
  misplaced_assertion,
  bad_id,
  repeated_id,
  mixed_content,
  // Its signature.
  not_signed,
  several_signatures,
  misplaced_signature,
  bad_signature_form,
  signed_object,
  several_references,
  other_reference,
  weak_algorithm,
  unknown_algorithm,
  forbidden_canonicalization,
  forbidden_transform,
  wrong_digest,
  wrong_signature,
  // What it says.
  incomplete,
  wrong_destination,
  unsolicited,
  wrong_request,
  wrong_issuer,
  no_bearer,
  wrong_recipient,
  bad_time,
  expired,
  not_yet_valid,
  session_over,
  no_audience,
  wrong_audience,
  unknown_condition,
  no_subject,
  bad_subject,
  transient_subject,
  no_groups,
  bad_groups,
  too_many_groups,
  repeated_attribute,
  replayed,
};
inline constexpr std::size_t faults = static_cast<std::size_t>(Fault::replayed) + 1;

/// A word: the label of the metric.
std::string_view name(Fault fault) noexcept;
/// A sentence for the record: says what is wrong, and nothing that stood in the response.
std::string_view text(Fault fault) noexcept;

}  // namespace sluice::saml
