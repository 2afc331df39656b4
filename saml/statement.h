// What a signed element says. Only in the reader process; private to this room.
//
// source   SAML Core §2
#pragma once

#include <string>

#include "saml/facts.h"
#include "saml/message.h"

namespace sluice::saml {

/// errors  see Fault: "its XML", "where things are in it", and what cannot be said as Statement.
Result<Statement, Fault> read_statement(const StatementRequest& request);

}  // namespace sluice::saml
