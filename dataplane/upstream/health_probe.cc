#include "dataplane/upstream/health_probe.h"

#include <fmt/format.h>

namespace sluice::dataplane {

HealthProbe::HealthProbe(const std::string& path, const std::string& host)
    : request_(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sluice-health\r\n"
                           "Connection: close\r\n\r\n",
                           path, host)),
      decoder_(limits_) {
  decoder_.expect(http1::Method::get);
}

std::optional<bool> HealthProbe::on_bytes(ByteView bytes, http1::FieldTable& scratch) noexcept {
  const http1::Step step = decoder_.decode(bytes, scratch);
  if (step.kind != http1::Step::Kind::head) return false;
  const std::uint16_t status = decoder_.response().status;
  return status >= 200 && status < 400;
}

}  // namespace sluice::dataplane
