// sluice check: is the configuration good, and what will it really enforce?
#include "cli/configuration.h"
#include "cli/describe.h"
#include "cli/output.h"
#include "cli/signer.h"
#include "cli/verbs.h"
#include "config/load/load.h"
#include "control/api/openapi.h"
#include "control/json_text.h"
#include "recordings/folder.h"

namespace sluice::cli {
namespace {

ExitCode refuse(const CheckOptions& options, std::string_view what) {
  if (options.json) {
    fmt::print("{{\"ok\":false,\"error\":{}}}\n", control::json_text(what));
  } else {
    fmt::print(stderr, "{}\n", what);
  }
  return ExitCode::bad_configuration;
}

/// With the key itself: nothing is signed here.
Result<std::shared_ptr<const dataplane::Snapshot>> compile(const std::string& configuration) {
  const auto settings = read_settings(configuration);
  if (!settings) return tl::unexpected(settings.error());
  const auto key = open_signing_key(settings->audit);
  if (!key) return fail(fmt::format("audit.signing_key: {}", key.error().message));
  if (settings->recordings) {
    auto own = recordings::check_own_folder(settings->recordings->directory);
    if (!own) return fail(fmt::format("recordings.directory: {}", own.error().message));
  }
  return make_snapshot(*settings, key->derived_keys().mocks, 0);
}

}  // namespace

ExitCode perform(const CheckOptions& options) {
  if (options.openapi) {
    fmt::print("{}", control::api::openapi_document());
    return ExitCode::ok;
  }
  if (options.reference || options.schema) {
    fmt::print("{}", options.reference ? config::configuration_markdown()
                                       : config::configuration_json_schema());
    return ExitCode::ok;
  }

  // Compiling is the check: what compiles here is what `run` would enforce.
  const auto snapshot = compile(options.configuration);
  if (!snapshot) return refuse(options, snapshot.error().message);
  const auto& settings = (*snapshot)->settings;
  if (options.json) {
    fmt::print("{}\n", describe_json(settings));
  } else {
    fmt::print("{}API keys: {}\n\nthe configuration is good\n", describe_text(settings),
               (*snapshot)->keys->size());
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
