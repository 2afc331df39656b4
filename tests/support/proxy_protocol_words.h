// PROXY headers in words.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <string>

#include "parsers/proxy_protocol/header.h"

namespace sluice::testing {

inline std::string describe(const proxy_protocol::Address& address) {
  std::array<char, INET6_ADDRSTRLEN> name{};
  ::inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), name.data(), name.size());
  return std::string(name.data()) + " " + std::to_string(address.port);
}

inline std::string describe(const proxy_protocol::HeaderStep& step) {
  using Kind = proxy_protocol::HeaderStep::Kind;
  if (step.kind == Kind::needs_more) return "needs more";
  if (step.kind == Kind::malformed) return std::string(text(step.fault));
  const std::string size = std::to_string(step.size_bytes) + " bytes: ";
  if (!step.has_addresses) return size + "for itself";
  return size + describe(step.source) + " to " + describe(step.destination);
}

}  // namespace sluice::testing
