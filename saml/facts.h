// What a response says, as texts: the reader process finds them, the gateway judges them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model/jws_algorithm.h"

namespace sluice::saml {

// Empty texts stand for what is not there: SAML has no empty ones (Core §1.3.1).

/// samlp:Response without what it holds (Core §3.2.2).
struct Envelope {
  std::string destination;
  std::string in_response_to;
  std::string issuer;
};

/// saml:SubjectConfirmation (Core §2.4.1.1).
struct Confirmation {
  std::string method;
  std::string recipient;
  std::string in_response_to;
  std::string not_before;
  std::string not_on_or_after;
};

/// Values of one attribute that was asked for.
struct Attribute {
  bool is_there = false;
  std::vector<std::string> values;
};

/// saml:Assertion (Core §2.3.3).
struct Assertion {
  std::string id;
  std::string issuer;
  std::string name_id;
  std::string name_id_format;
  std::vector<Confirmation> confirmations;
  std::string not_before;
  std::string not_on_or_after;
  /// Each restriction must be met by one of its audiences (Core §2.5.1.4).
  std::vector<std::vector<std::string>> audiences;
  std::vector<std::string> sessions_end;  ///< SessionNotOnOrAfter of its statements.
  Attribute subject;
  Attribute groups;
};

/// The octets that a signature is over, and that it is over: enough to check it without XML.
struct SignedElement {
  config::JwsAlgorithm algorithm = config::JwsAlgorithm::rs256;
  std::string signed_info;  ///< Canonical.
  std::string signature;    ///< ECDSA: r and s side by side (RFC 6931 §2.3.6).
  std::string element;      ///< Canonical, without the signature itself.
  Envelope envelope;        ///< As it came: nobody signed it when the element is an assertion.
};

/// What stands in a signed element.
struct Statement {
  bool has_envelope = false;  ///< The element is a response.
  Envelope envelope;
  Assertion assertion;
};

}  // namespace sluice::saml
