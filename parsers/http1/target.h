// The request target, normalised once: policy and the target see the same thing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "parsers/http1/message.h"

namespace sluice::http1 {

/// Path and query after normalisation, as views into the caller's scratch.
struct Target {
  std::string_view path;   ///< "/v1/payments"; always begins with '/', or is "*".
  std::string_view query;  ///< Without '?'; empty when there is none.
  std::string_view whole;  ///< Path, and '?' with the query when there was a '?'.
};

enum class TargetFault : std::uint8_t {
  none,
  bad_form,          // neither origin, absolute (http) nor asterisk form
  bad_escape,        // '%' without two hex digits
  forbidden_byte,    // control, space, backslash, non-ASCII, '#'
  encoded_separator, // %2F, %5C or %00 in the path
  double_encoding,   // %25 followed by two hex digits
  above_root,        // ".." climbs over "/"
  authority_mismatch,  // absolute form whose authority is not the Host
  too_long,
};

std::string_view text(TargetFault fault) noexcept;

struct NormalisedTarget {
  TargetFault fault = TargetFault::none;
  Target target;
};

/// Decodes unreserved escapes, upper-cases the rest, removes dot segments and
/// merges double slashes (RFC 3986 §6.2.2, §5.2.4). Path parameters (";…") stay.
/// The query gets escape checks and upper-casing only.
///
/// scratch  at least target.size() + 1 bytes; the result points into it.
NormalisedTarget normalise_target(std::string_view target, std::string_view host, Method method,
                                  ByteSpan scratch) noexcept;

}  // namespace sluice::http1
