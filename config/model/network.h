// A range of IP addresses, "10.0.0.0/8" or one address (RFC 4632 §3.1, RFC 4291 §2.3). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::config {

class Network {
 public:
  /// errors  no address, a prefix longer than the address, bits set behind the prefix.
  static Result<Network> parse(std::string_view text);

  /// address  4 or 16 bytes in network order. IPv4 that is mapped into IPv6
  ///          (RFC 4291 §2.5.5.2) counts as IPv4.
  [[nodiscard]] bool contains(ByteView address) const noexcept;

 private:
  std::array<std::uint8_t, 16> first_{};
  std::size_t address_bytes_ = 0;
  unsigned prefix_bits_ = 0;
};

}  // namespace sluice::config
