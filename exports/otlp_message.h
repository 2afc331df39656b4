// Records as log records of OpenTelemetry, and what a collector's answers mean.
//
// source   OTLP specification, "OTLP/HTTP" in its JSON encoding; opentelemetry-proto, logs.proto;
//          OpenTelemetry semantic conventions (names of attributes).
#pragma once

#include <string>
#include <string_view>

#include "exports/destination.h"
#include "exports/http_client.h"
#include "exports/projection.h"

namespace sluice::exports {

/// One member of "logRecords". The line is its body, the rest is what backends search by.
std::string otlp_log_record(const ExportedRecord& record, std::string line);

/// An ExportLogsServiceRequest.
/// log_records  one or more of the above, a comma behind each.
std::string otlp_request(std::string_view log_records, const Product& product);

/// errors   final, unless the specification has the request sent again.
Result<void, SendError> otlp_verdict(const HttpAnswer& answer);

}  // namespace sluice::exports
