// One active health check: a GET on a connection of its own. Sans-IO.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "parsers/http1/decoder.h"

namespace sluice::dataplane {

class HealthProbe {
 public:
  HealthProbe(const std::string& path, const std::string& host);
  HealthProbe(const HealthProbe&) = delete;
  HealthProbe& operator=(const HealthProbe&) = delete;

  /// What to send; lives with the probe.
  [[nodiscard]] ByteView request() const noexcept { return as_bytes(request_); }

  /// The verdict once the status is known: 2xx and 3xx are healthy. The head
  /// must come in one piece, as a health answer's does; else it is unhealthy.
  [[nodiscard]] std::optional<bool> on_bytes(ByteView bytes, http1::FieldTable& scratch) noexcept;

 private:
  std::string request_;
  http1::Limits limits_;
  http1::ResponseDecoder decoder_;
};

}  // namespace sluice::dataplane
