// sluice begin-epoch: a new audit log behind one that does not add up, or whose key is to go.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "audit/keys.h"
#include "audit/signer_state.h"
#include "audit/succession.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/signer.h"
#include "cli/times.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

/// What the signer remembers of the log before stays with that; the key that would seal it does
/// not.
Result<void> put_aside(const std::filesystem::path& path, const std::string& place) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  auto state = audit::SignerState::open(path);
  auto done = state ? state->retire(path.parent_path() / (place + ".signed"))
                    : Result<void>(tl::unexpected(state.error()));
  if (done) return {};
  return fail(
      fmt::format("the new log is made, but what the signer remembers of the old one could "
                  "not be put aside: {}: {}; rename it by hand",
                  path.string(), done.error().message));
}

}  // namespace

ExitCode perform(const BeginEpochOptions& options) {
  const auto settings = load_settings("begin-epoch", options.configuration);
  if (!settings) return ExitCode::bad_configuration;
  const auto key = open_signing_key(settings->audit);
  if (!key) return complain("begin-epoch", key.error().message, ExitCode::bad_configuration);
  const auto before =
      audit::begin_epoch(settings->audit.directory, key->verifier(), options.reason, wall_now());
  if (!before) return complain("begin-epoch", before.error().message, ExitCode::failed);
  if (auto done = put_aside(signer_settings(settings->audit).state, before->place); !done) {
    return complain("begin-epoch", done.error().message, ExitCode::failed);
  }
  if (options.json) {
    const nlohmann::ordered_json page{{"aside", before->place},
                                      {"condition", before->condition},
                                      {"verifier", key->verifier().line()}};
    fmt::print("{}\n", page.dump());
    return ExitCode::ok;
  }
  fmt::print("the log before is kept as {}: {}\n", before->place, before->condition);
  fmt::print("the next start begins a log with the key\n  {}\n", key->verifier().line());
  fmt::print("give it to auditors and witnesses; its first record says why\n");
  return ExitCode::ok;
}

}  // namespace sluice::cli
