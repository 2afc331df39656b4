// The operations of a simulated payment API: what is asked, what is answered,
// and what of it may be seen. Written from the rules, not with the gateway's code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/transport/sim_random.h"

namespace sluice::dataplane {

/// A text as the target knows it, and as the client may see it.
struct Sight {
  std::string plain;
  std::string masked;
};

enum class Wire : std::uint8_t { length, chunked, until_close };

/// One request with everything that is expected of it.
struct Operation {
  std::string id;  ///< In the path, so that it can be followed.
  std::string method;
  std::string target;
  bool allowed = true;
  bool authenticated = true;
  bool is_json = true;
  bool expects_continue = false;
  bool inspected = false;  ///< Its body passes a policy pattern first.
  bool held = false;       ///< People decide on it.
  bool approved = false;   ///< As they do, of what is held.
  Wire request_wire = Wire::length;
  Wire response_wire = Wire::length;
  Sight request_body;  ///< masked: what the target may see.
  Sight response_body;
  std::size_t chunk_bytes = 1000;  ///< Of chunked bodies, both ways.

  [[nodiscard]] bool response_has_body() const { return method != "HEAD"; }
};

/// An operation of random shape; `number` makes its id.
Operation random_operation(SimRandom& random, std::uint64_t number);

/// One whose bodies are long, and that no rule looks at.
Operation long_operation(SimRandom& random, std::uint64_t number);

/// The request as a client sends it.
std::string request_bytes(const Operation& operation, const std::string& key);
/// The response as the target sends it; `close` when the connection ends with it.
std::string response_bytes(const Operation& operation, bool& close);

/// A body in chunks of `chunk_bytes`.
std::string in_chunks(const std::string& body, std::size_t chunk_bytes);

}  // namespace sluice::dataplane
