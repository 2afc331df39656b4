#include "base/fingerprint.h"

#include <sys/random.h>

#include "base/assert.h"

namespace sluice {

FingerprintKey FingerprintKey::random() noexcept {
  std::array<std::uint64_t, 2> key{};
  ASSERT(::getrandom(key.data(), sizeof key, 0) == static_cast<ssize_t>(sizeof key));
  return {key[0], key[1]};
}

Fingerprint FingerprintKey::of(std::string_view text) const noexcept {
  FingerprintStream stream(*this);
  stream.append(text);
  return stream.finish();
}

}  // namespace sluice
