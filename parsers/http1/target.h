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
  bad_form,        // neither origin, absolute (http) nor asterisk form
  bad_escape,      // '%' without two hex digits; escapes in the path that are not UTF-8
  forbidden_byte,  // control (also escaped), space, backslash, non-ASCII, '#', in paths "<>[]^`{|}
  encoded_separator,   // %2F, %5C or %00 in the path
  double_encoding,     // %25 followed by two hex digits, in the path
  above_root,          // ".." climbs over "/"
  ambiguous_segment,   // a dot segment with a parameter, "..;x": some servers climb, some do not
  authority_mismatch,  // absolute form whose authority is not the Host
  too_long,
};

std::string_view text(TargetFault fault) noexcept;
/// 414 for too_long, else 400.
std::uint16_t status_of(TargetFault fault) noexcept;

struct NormalisedTarget {
  TargetFault fault = TargetFault::none;
  Target target;
};

/// Decodes the escapes of unreserved bytes, upper-cases the rest, removes dot
/// segments and merges double slashes (RFC 3986 §6.2.2, §5.2.4), so that each
/// path that servers take for the same has one spelling. Escapes of `:@!$'()*`
/// are decoded too: no server tells them apart within a path, and a rule on
/// "/users:delete" must see "/users%3Adelete". Path parameters (";…") stay, and
/// so do escaped `;=,&+`, which may delimit inside a segment.
/// The query gets escape checks and upper-casing only.
///
/// scratch  at least target.size() + 1 bytes; the result points into it.
/// errors   every TargetFault. Authority-form (CONNECT) is bad_form.
/// source   RFC 9112 §3.2; RFC 3986.
NormalisedTarget normalise_target(std::string_view target, std::string_view host, Method method,
                                  ByteSpan scratch) noexcept;

/// The authority of an absolute-form http target; empty for every other form.
std::string_view authority_of(std::string_view target) noexcept;

}  // namespace sluice::http1
