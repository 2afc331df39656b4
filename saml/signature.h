// What a signature in a document covers, checked by xmlsec1 and cut out. Only in the reader
// process; private to this room.
//
// source   XML Signature 1.1, SAML Core §5.4, RFC 6931 §2.3 (names of algorithms)
#pragma once

#include <string>
#include <vector>

#include "saml/facts.h"
#include "saml/xml_document.h"

namespace sluice::saml {

/// Once, before the first document: libraries look things up, and what they look up is not there
/// in the sandbox. errors  what does not work.
Result<void> prepare_signatures();

/// signature  directly in the element that it is to cover, and borrowed from the document.
/// keys       one of them must have made it; what the signature says of keys is not looked at.
/// returns    all but the envelope.
/// errors     see Fault, "its signature".
Result<SignedElement, Fault> verify_signature(const XmlDocument& document, xmlNodePtr signature,
                                              const std::vector<std::string>& keys);

}  // namespace sluice::saml
