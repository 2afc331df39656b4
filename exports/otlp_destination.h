// Logs to an OpenTelemetry collector: OTLP/HTTP with JSON.
#pragma once

#include <string>
#include <utility>

#include "config/model/settings.h"
#include "exports/destination.h"
#include "exports/http_client.h"
#include "exports/projection.h"

namespace sluice::exports {

/// Has arrived what was answered with success, none of it rejected.
class OtlpDestination final : public Destination {
 public:
  /// product  its texts outlive the destination.
  OtlpDestination(config::OtlpExport settings, const Product& product)
      : settings_(std::move(settings)), product_(product) {}

  [[nodiscard]] Batching batching() const override;
  [[nodiscard]] std::string frame(const ExportedRecord& record, std::string line) const override;
  [[nodiscard]] Result<void, SendError> send(const Batch& batch) override;

 private:
  config::OtlpExport settings_;
  Product product_;
  HttpClient client_;
};

}  // namespace sluice::exports
