// What the configuration's values are made of.
#pragma once

#include <cstdint>
#include <string>

#include "base/instant.h"

namespace sluice::config {

/// Where in the configuration something was said, for errors found later.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

struct SocketAddress {
  std::string host;  ///< Numeric IPv4 or IPv6.
  std::uint16_t port = 0;
  std::string name = {};  ///< That it was written as (targets only, resolved at load), or empty.
  /// The same place, however it was written.
  friend bool operator==(const SocketAddress& one, const SocketAddress& other) {
    return one.host == other.host && one.port == other.port;
  }
};

/// A secret that was resolved from file:, env: or cred:. Never printed.
struct Secret {
  std::string reference;  ///< As written, for messages.
  std::string value;
  friend bool operator==(const Secret&, const Secret&) = default;
};

/// So many in a second, a minute or an hour.
struct Rate {
  std::uint64_t count = 0;  ///< 0: no limit.
  Duration period = seconds(1);
};

/// A file that was read with the configuration. Its text is never printed.
struct FileText {
  std::string path;
  std::string text;
  Place place;  ///< Where the configuration names it.
};

}  // namespace sluice::config
