#include "config/load/load.h"
namespace sluice::config {
std::string configuration_json_schema() {
  return {};
}
}  // namespace sluice::config
