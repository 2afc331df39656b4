// Whether a proof of a token's key names the resource that a request is for.
//
// source   RFC 9449 §4.3, ninth; RFC 3986 §6.2.2 and §6.2.3
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sluice::dataplane {

/// A request's resource, as the listener sees it.
struct Resource {
  std::string_view scheme;  ///< In small letters.
  std::string_view host;    ///< As the client named it, perhaps with a port.
  std::string_view path;    ///< As http1::normalise_target() has it.
};

/// uri      `htu` of a proof. A query or fragment of it says nothing.
/// origins  "https://api.example.com:8443": when there are any, one of them is meant, and not
///          what the listener sees.
/// room     scratch memory, more than `uri` is long.
[[nodiscard]] bool is_about(std::string_view uri, const Resource& resource,
                            std::span<const std::string> origins, ByteSpan room) noexcept;

}  // namespace sluice::dataplane
