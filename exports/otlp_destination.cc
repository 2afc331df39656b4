#include "exports/otlp_destination.h"

#include <fmt/format.h>

#include "exports/otlp_message.h"

namespace sluice::exports {

Batching OtlpDestination::batching() const {
  return {.bytes_max = settings_.batch_bytes, .linger = settings_.linger};
}

std::string OtlpDestination::frame(const ExportedRecord& record, std::string line) const {
  return otlp_log_record(record, std::move(line)) + ',';
}

Result<void, SendError> OtlpDestination::send(const Batch& batch) {
  const std::string body = otlp_request(batch.frames, product_);
  HttpRequest request{.method = "POST",
                      .url = settings_.endpoint + "/v1/logs",
                      .fields = {"Content-Type: application/json"},
                      .body = body,
                      .ca_file = settings_.ca_file,
                      .signing = {}};
  if (settings_.credential) {
    request.fields.push_back(
        fmt::format("{}: {}", settings_.credential->header, settings_.credential->value.value));
  }
  const auto answer = client_.send(request);
  if (!answer) return tl::unexpected(answer.error());
  return otlp_verdict(*answer);
}

}  // namespace sluice::exports
