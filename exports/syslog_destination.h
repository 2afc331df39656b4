// Syslog over TCP, in clear or TLS.
//
// source   RFC 5425, RFC 6587.
#pragma once

#include <optional>

#include "config/model/settings.h"
#include "exports/destination.h"
#include "exports/stream.h"

namespace sluice::exports {

/// The protocol has no acknowledgement: has arrived what the other host's TCP acknowledged
/// on a connection that was still open then.
class SyslogDestination final : public Destination {
 public:
  /// host  of the messages' headers.
  SyslogDestination(config::SyslogExport settings, std::string host)
      : settings_(std::move(settings)), host_(std::move(host)) {}

  [[nodiscard]] std::string frame(const ExportedRecord& record, std::string line) const override;
  [[nodiscard]] Result<void, SendError> send(const Batch& batch) override;

 private:
  Result<void> connect();

  config::SyslogExport settings_;
  std::string host_;
  std::optional<Stream> stream_;
};

}  // namespace sluice::exports
