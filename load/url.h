// Where load goes: http://HOST[:PORT][/PATH][?QUERY].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::load {

struct Url {
  std::string host;  ///< Without brackets.
  std::uint16_t port = 80;
  std::string authority;  ///< As written: what the Host field says.
  std::string target = "/";
};

Result<Url> parse_url(std::string_view text);

/// The first numeric address of a host name.
Result<std::string> resolve(const std::string& host);

}  // namespace sluice::load
