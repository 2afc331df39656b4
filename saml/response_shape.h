// Where response, assertion and signatures are in a document: each in its one place, whatever else
// there is. Private to this room.
#pragma once

#include "saml/facts.h"
#include "saml/xml_document.h"

namespace sluice::saml {

/// Borrowed from the document.
struct ResponseShape {
  xmlNodePtr response = nullptr;  ///< Null: the document is an assertion.
  xmlNodePtr assertion = nullptr;
  /// Of the response when that is signed, which covers the assertion too; else of the assertion.
  /// Null: neither is.
  xmlNodePtr signature = nullptr;
};

/// errors  see Fault, "where things are in it"; not_successful where the response says so.
Result<ResponseShape, Fault> response_shape(const XmlDocument& document);
/// The same of what was signed: a response, or an assertion alone.
Result<ResponseShape, Fault> signed_shape(const XmlDocument& document);

Result<Envelope, Fault> envelope_of(const xmlNode& response);

}  // namespace sluice::saml
