// Where an issuer publishes its keys, and what is there; where it is asked about tokens. Pure, but
// for the question it is given.
//
// source   OpenID Connect Discovery 1.0 §4; RFC 8414 §2 (introspection_endpoint)
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model/settings.h"

namespace sluice::control {

/// What a URL gives: a body of at most so many bytes, or why there is none.
using GetUrl = std::function<Result<std::string>(const std::string& url, std::size_t bytes_max)>;

/// The text of the issuer's set of keys, by its discovery document.
/// errors   one of the two cannot be had; the document is of another issuer; it sends us to
///          a place that is not secure.
Result<std::string> discover_keys(const config::OidcIssuer& issuer, const GetUrl& get);

/// The URL at which the issuer says what a token proves, by the same document.
/// errors   likewise.
Result<std::string> discover_introspection(const config::OidcIssuer& issuer, const GetUrl& get);

}  // namespace sluice::control
