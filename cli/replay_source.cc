#include "cli/replay_source.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/timestamp.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/steering.h"
#include "control/api/target.h"

namespace sluice::cli {
namespace {

using recordings::ChunkFile;
using recordings::ReplaySource;

constexpr std::string_view verb = "replay";

std::optional<WallTime> time_of(const nlohmann::json& chunk, const char* name) {
  return parse_timestamp(chunk.value(name, std::string()));
}

Result<ReplaySource, ExitCode> of_gateway(const ReplayOptions& options) {
  const std::string path = "/v1/recordings/" + control::api::escaped(options.recording);
  ReplaySource out;
  out.place = options.gateway.url.empty() ? "the gateway" : options.gateway.url;
  std::uint64_t after = 0;
  do {
    const auto reply = ask_gateway(verb, options.gateway,
                                   {.target = fmt::format("{}?limit=10000&after={}", path, after)});
    if (reply.code != ExitCode::ok) return tl::unexpected(reply.code);
    const auto page = nlohmann::json::parse(reply.body);
    for (const auto& chunk : page.at("chunks")) {
      const auto first = time_of(chunk, "first");
      const auto last = time_of(chunk, "last");
      if (!first || !last) {
        return tl::unexpected(
            complain(verb, "a chunk without times came from " + out.place, ExitCode::failed));
      }
      out.chunks.push_back({chunk.value("chunk", std::uint64_t{0}), *first, *last});
    }
    const std::uint64_t next = page.value("next", std::uint64_t{0});
    after = next > after ? next : 0;
  } while (after != 0);
  out.read = [gateway = options.gateway,
              path](const ChunkFile& chunk) -> Result<std::vector<std::uint8_t>> {
    const auto reply =
        ask_gateway(verb, gateway, {.target = fmt::format("{}/chunks/{}", path, chunk.chunk)},
                    AnswerForm::text);
    if (reply.code != ExitCode::ok) return fail(fmt::format("chunk {} did not come", chunk.chunk));
    const ByteView bytes = as_bytes(reply.body);
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
  };
  return out;
}

Result<std::string, ExitCode> directory_of(const ReplayOptions& options) {
  if (!options.directory.empty()) return options.directory;
  const auto settings = load_settings(verb, options.gateway.configuration);
  if (!settings) return tl::unexpected(ExitCode::bad_configuration);
  if (settings->recordings) return settings->recordings->directory;
  return tl::unexpected(
      complain(verb, "the configuration has no recordings; give --directory", ExitCode::failed));
}

}  // namespace

Result<ReplaySource, ExitCode> replay_source(const ReplayOptions& options) {
  if (options.gateway.is_said()) return of_gateway(options);
  const auto directory = directory_of(options);
  if (!directory) return tl::unexpected(directory.error());
  auto source = ReplaySource::of_directory(*directory, options.recording);
  if (!source) return tl::unexpected(complain(verb, source.error().message, ExitCode::failed));
  return std::move(*source);
}

}  // namespace sluice::cli
