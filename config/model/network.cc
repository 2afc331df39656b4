#include "config/model/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace sluice::config {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// Whether the first `bits` are the same.
bool is_alike(ByteView a, ByteView b, unsigned bits) noexcept {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
    return false;
  }
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  if (::inet_pton(AF_INET, host.c_str(), network.first_.data()) == 1) {
    network.address_bytes_ = 4;
  } else if (::inet_pton(AF_INET6, host.c_str(), network.first_.data()) == 1) {
    network.address_bytes_ = 16;
  }
  const auto bits_max = static_cast<unsigned>(8 * network.address_bytes_);
  if (bits_max == 0 || host.find('\0') != std::string::npos) {
    return fail(fmt::format("'{}' is not a network like 10.0.0.0/8 or 2001:db8::/32", text));
  }
  network.prefix_bits_ = bits_max;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(prefix.data(), prefix.data() + prefix.size(), network.prefix_bits_);
    if (error != std::errc{} || end != prefix.data() + prefix.size() ||
        network.prefix_bits_ > bits_max) {
      return fail(fmt::format("'{}': the prefix must be 0 to {}", text, bits_max));
    }
  }
  for (unsigned bit = network.prefix_bits_; bit < bits_max; ++bit) {
    if ((network.first_[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      return fail(fmt::format("'{}': the address has bits behind its prefix", text));
    }
  }
  return network;
}

bool Network::contains(ByteView address) const noexcept {
  if (address.size() == 16 && std::ranges::equal(address.first(12), mapped_prefix)) {
    address = address.subspan(12);
  }
  return address.size() == address_bytes_ && is_alike(first_, address, prefix_bits_);
}

}  // namespace sluice::config
