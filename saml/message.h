// What the gateway and a reader process say to each other: one request, one answer.
//
//   'S'  gateway → reader   the provider's public keys ‖ a response, as it came
//   'E'  gateway → reader   names of the attributes of subject and groups ‖ a signed element
//   'R'  reader → gateway   a fault
//   'S'  reader → gateway   SignedElement
//   'E'  reader → gateway   Statement
//
// Texts have their length before them (4 bytes, little-endian), lists the number of their items.
// Pure; each message has one spelling.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "saml/facts.h"
#include "saml/fault.h"

namespace sluice::saml {

inline constexpr std::size_t response_bytes_max = std::size_t{256} << 10;
/// Canonical XML writes references out: `"` is six bytes in a value of an attribute.
inline constexpr std::size_t element_bytes_max = 6 * response_bytes_max;
/// Of requests and of answers.
inline constexpr std::size_t message_bytes_max = element_bytes_max + (std::size_t{256} << 10);

/// Which element of a response is signed, and is it by one of these keys?
struct SignedElementRequest {
  std::vector<std::string> keys;  ///< SubjectPublicKeyInfo, in DER.
  std::string response;
};
/// What does a signed element say?
struct StatementRequest {
  std::string subject_attribute;  ///< Empty: none is asked for.
  std::string groups_attribute;   ///< Likewise.
  std::string element;
};

std::string encode(const SignedElementRequest& request);
std::string encode(const StatementRequest& request);
std::string encode(Fault fault);
std::string encode(const SignedElement& element);
std::string encode(const Statement& statement);

enum class RequestKind : char { signed_element = 'S', statement = 'E' };
/// errors  it is no such request, or there is something behind it.
Result<SignedElementRequest> parse_signed_element_request(std::string_view message);
Result<StatementRequest> parse_statement_request(std::string_view message);
/// errors  the reader's fault; reader_failed where it is no answer at all.
Result<SignedElement, Fault> parse_signed_element(std::string_view message);
Result<Statement, Fault> parse_statement(std::string_view message);

}  // namespace sluice::saml
