// How a record looks in the schema of another system: one line of text, control characters
// escaped, so that no record can forge a second line or drive a terminal.
//
// source   OCSF 1.3 (schema.ocsf.io); Elastic Common Schema 8.11; ArcSight Common Event
//          Format, revision 27.
#pragma once

#include <string>
#include <string_view>

#include "config/model/settings.h"
#include "exports/exported_record.h"

namespace sluice::exports {

/// What all lines of one gateway have in common.
struct Product {
  std::string_view version;
  std::string_view origin;  ///< The log's.
};

/// Whether the record is about the gateway or its log, and not about anybody's operation.
bool is_of_gateway(const ExportedRecord& record);

/// returns  no newline at its end.
std::string project(config::ExportFormat format, const ExportedRecord& record,
                    const Product& product);

// One each; see project().
std::string to_native(const ExportedRecord& record);
std::string to_ocsf(const ExportedRecord& record, const Product& product);
std::string to_ecs(const ExportedRecord& record, const Product& product);
std::string to_cef(const ExportedRecord& record, const Product& product);

/// One line of ASCII.
std::string one_line(const nlohmann::json& json);

}  // namespace sluice::exports
