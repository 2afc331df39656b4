// What no single key of `identity` shows.
#pragma once

#include <vector>

#include "config/load/load.h"
#include "config/load/reader.h"

namespace sluice::config {

void check_identity(const Settings& settings, const Places& places, std::vector<Problem>& problems);

/// Whether clients of a listener are to show certificates.
[[nodiscard]] inline bool asks_for_certificate(const Listener& listener) noexcept {
  return listener.tls && listener.tls->client_certificate != ClientCertificate::off;
}

}  // namespace sluice::config
