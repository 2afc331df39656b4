#include "saml/response_shape.h"

#include <libxml/tree.h>

#include <algorithm>
#include <set>

#include "base/ascii.h"

namespace sluice::saml {
namespace {

constexpr std::string_view success = "urn:oasis:names:tc:SAML:2.0:status:Success";
constexpr std::size_t id_bytes_max = 256;

/// An NCName (Namespaces in XML §3) in ASCII.
bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= id_bytes_max &&
         (is_letter(text.front()) || text.front() == '_') && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
         });
}

/// Some processors take any attribute of such a name for one.
bool is_id_name(const xmlAttr& attribute) {
  return in_lower_case(reinterpret_cast<const char*>(attribute.name)) == "id";
}

struct Found {
  std::vector<xmlNodePtr> assertions;
  std::vector<xmlNodePtr> signatures;
};

/// Looks at every element: what is hidden in an extension or a signature counts as well.
Result<Found, Fault> look_through(xmlNodePtr root) {
  Found found;
  std::set<std::string, std::less<>> ids;
  for (xmlNodePtr element = root; element != nullptr; element = next_element(element)) {
    if (is_element(*element, ns::protocol, "Response") && element != root) {
      return tl::unexpected(Fault::several_responses);
    }
    for (const char* name : {"EncryptedAssertion", "EncryptedID", "EncryptedAttribute"}) {
      if (is_element(*element, ns::assertion, name)) return tl::unexpected(Fault::encrypted);
    }
    if (is_element(*element, ns::assertion, "Assertion")) found.assertions.push_back(element);
    if (is_element(*element, ns::signature, "Signature")) found.signatures.push_back(element);
    for (const xmlAttr* one = element->properties; one != nullptr; one = one->next) {
      if (!is_id_name(*one)) continue;
      const xmlNode* value = one->children;
      const auto* text = value == nullptr ? "" : reinterpret_cast<const char*>(value->content);
      if (!ids.emplace(text == nullptr ? "" : text).second) {
        return tl::unexpected(Fault::repeated_id);
      }
    }
  }
  return found;
}

Fault check_status(const xmlNode& response) {
  const auto statuses = children(response, ns::protocol, "Status");
  if (statuses.size() != 1) return Fault::incomplete;
  const auto codes = children(*statuses.front(), ns::protocol, "StatusCode");
  if (codes.size() != 1) return Fault::incomplete;
  return attribute(*codes.front(), "Value") == success ? Fault::none : Fault::not_successful;
}

Fault check_head(const xmlNode& element) {
  if (attribute(element, "Version") != "2.0") return Fault::wrong_version;
  return is_id(attribute(element, "ID")) ? Fault::none : Fault::bad_id;
}

/// The one assertion, directly in `parent`.
Fault place_assertion(const Found& found, const xmlNode* parent, ResponseShape& shape) {
  for (const xmlNode* assertion : found.assertions) {
    if (assertion->parent != parent) return Fault::misplaced_assertion;
  }
  if (found.assertions.empty()) return Fault::no_assertion;
  if (found.assertions.size() > 1) return Fault::several_assertions;
  shape.assertion = found.assertions.front();
  return check_head(*shape.assertion);
}

Fault place_signatures(const Found& found, ResponseShape& shape) {
  xmlNodePtr of_assertion = nullptr;
  for (xmlNodePtr signature : found.signatures) {
    const bool is_of_response = shape.response != nullptr && signature->parent == shape.response;
    if (!is_of_response && signature->parent != shape.assertion) return Fault::misplaced_signature;
    xmlNodePtr& place = is_of_response ? shape.signature : of_assertion;
    if (place != nullptr) return Fault::several_signatures;
    place = signature;
  }
  if (shape.signature == nullptr) shape.signature = of_assertion;
  return Fault::none;
}

Result<ResponseShape, Fault> shape_of(const XmlDocument& document, bool is_response) {
  ResponseShape shape;
  const auto found = look_through(document.root());
  if (!found) return tl::unexpected(found.error());
  Fault fault = Fault::none;
  if (is_response) {
    shape.response = document.root();
    fault = check_head(*shape.response);
    // One that says that it failed has no assertion, and is not signed everywhere.
    if (fault == Fault::none) fault = check_status(*shape.response);
  }
  const xmlNode* const parent =
      is_response ? shape.response : reinterpret_cast<const xmlNode*>(document.get());
  if (fault == Fault::none) fault = place_assertion(*found, parent, shape);
  if (fault == Fault::none) fault = place_signatures(*found, shape);
  if (fault != Fault::none) return tl::unexpected(fault);
  return shape;
}

}  // namespace

Result<ResponseShape, Fault> response_shape(const XmlDocument& document) {
  if (!is_element(*document.root(), ns::protocol, "Response")) {
    return tl::unexpected(Fault::not_a_response);
  }
  return shape_of(document, true);
}

Result<ResponseShape, Fault> signed_shape(const XmlDocument& document) {
  if (is_element(*document.root(), ns::protocol, "Response")) return shape_of(document, true);
  if (is_element(*document.root(), ns::assertion, "Assertion")) return shape_of(document, false);
  return tl::unexpected(Fault::not_a_response);
}

Result<Envelope, Fault> envelope_of(const xmlNode& response) {
  Envelope out;
  out.destination = attribute(response, "Destination");
  out.in_response_to = attribute(response, "InResponseTo");
  const auto issuers = children(response, ns::assertion, "Issuer");
  if (issuers.size() > 1) return tl::unexpected(Fault::incomplete);
  if (!issuers.empty()) {
    auto issuer = text_of(*issuers.front());
    if (!issuer) return tl::unexpected(issuer.error());
    out.issuer = std::move(*issuer);
  }
  return out;
}

}  // namespace sluice::saml
