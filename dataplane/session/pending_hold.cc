#include "dataplane/session/pending_hold.h"

#include <fmt/format.h>

namespace sluice::dataplane {

std::string request_name(const FingerprintKey& key, std::uint64_t session,
                         std::uint64_t operation) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  constexpr std::size_t characters = 8;
  std::uint64_t bits = key.of(fmt::format("request {} {}", session, operation))[0];
  std::string name(characters, '\0');
  for (char& c : name) {
    c = alphabet[bits % alphabet.size()];
    bits /= alphabet.size();
  }
  return name;
}

}  // namespace sluice::dataplane
