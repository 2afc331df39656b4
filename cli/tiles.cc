// sluice tiles: the log as files for any web server.
#include "audit/tiles.h"

#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/verbs.h"
#include "control/signals.h"

namespace sluice::cli {
namespace {

constexpr Duration pause = seconds(1);

}  // namespace

ExitCode perform(const TilesOptions& options) {
  const control::Signals signals;
  using Content = audit::Tiles::Content;
  auto tiles = audit::Tiles::open(options.directory, options.output,
                                  options.entries ? Content::entries : Content::hashes);
  if (!tiles) return complain("tiles", tiles.error().message, ExitCode::failed);
  do {
    if (auto done = tiles->advance(); !done) {
      return complain("tiles", done.error().message, ExitCode::failed);
    }
  } while (options.follow && signals.wait(pause) != control::Wish::stop);
  if (options.json) {
    const nlohmann::ordered_json page{{"records", tiles->size()}, {"folder", options.output}};
    fmt::print("{}\n", page.dump());
  } else {
    fmt::print("tiles of {} are in {}\n", counted(tiles->size(), "record"), options.output);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
