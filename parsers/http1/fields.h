// Field names and list values: recognising, comparing, splitting.
#pragma once

#include <string_view>

#include "parsers/http1/message.h"

namespace sluice::http1 {

FieldName field_name_of(std::string_view name) noexcept;
Method method_of(std::string_view text) noexcept;

/// ASCII case-insensitive equality (RFC 9110 §5.1).
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// The same, and '_' for '-' as well: what a target that reads fields as CGI
/// variables (RFC 3875 §4.1.18) cannot tell apart.
bool equal_as_variables(std::string_view a, std::string_view b) noexcept;

/// RFC 9110 §5.6.2 token: at least one tchar, nothing else.
bool is_token(std::string_view text) noexcept;

/// Takes the next element off a comma-separated list; false at its end.
/// Empty elements are skipped (RFC 9110 §5.6.1).
bool next_list_element(std::string_view& list, std::string_view& element) noexcept;

/// Fields that never cross a hop (RFC 9110 §7.6.1), besides those a Connection
/// field names: Connection, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade.
bool is_always_hop_by_hop(FieldName name) noexcept;

/// Fields that frame, route, authenticate, modify or describe the message as a
/// whole: they belong in a head. Digests are among them, as a digest of the content
/// before it was masked must not follow the masked content. None may be a trailer (RFC 9110
/// §6.5.1), and none that is end-to-end may be named by a Connection option (§7.6.1).
bool has_fixed_role(std::string_view name) noexcept;

}  // namespace sluice::http1
