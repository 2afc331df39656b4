// The table of calls as an OpenAPI 3.1 document.
#pragma once

#include <string>

namespace sluice::control::api {

/// JSON, indented; the same for every build of the same table.
const std::string& openapi_document();

}  // namespace sluice::control::api
