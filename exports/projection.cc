#include "exports/projection.h"

#include <nlohmann/json.hpp>

#include "base/assert.h"

namespace sluice::exports {

std::string one_line(const nlohmann::json& json) {
  constexpr int no_indent = -1;
  constexpr bool ensure_ascii = true;
  return json.dump(no_indent, ' ', ensure_ascii);
}

bool is_of_gateway(const ExportedRecord& record) {
  const std::string phase = record.text("phase");
  return phase == "control" || phase == "heartbeat" || phase == "gap" || phase == "discontinuity";
}

std::string to_native(const ExportedRecord& record) {
  nlohmann::json out = record.json();
  out["index"] = record.index();
  return one_line(out);
}

std::string project(config::ExportFormat format, const ExportedRecord& record,
                    const Product& product) {
  switch (format) {
    case config::ExportFormat::native:
      return to_native(record);
    case config::ExportFormat::ocsf:
      return to_ocsf(record, product);
    case config::ExportFormat::ecs:
      return to_ecs(record, product);
    case config::ExportFormat::cef:
      return to_cef(record, product);
  }
  ASSERT(false);
}

}  // namespace sluice::exports
