// Recordings: which there are, their chunks as they were encrypted, and their removal.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "control/api/handlers.h"

namespace sluice::control::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t limit_usual = 100;
constexpr std::size_t decimals = 9;

std::uint64_t limit_of(const Asked& asked) {
  return asked.has("limit") ? std::max<std::uint64_t>(asked.count("limit"), 1) : limit_usual;
}

Json json_of(const RecordingView& recording) {
  Json out{{"recording", recording.name},
           {"open", recording.is_open},
           {"chunks", recording.chunks},
           {"bytes", recording.bytes}};
  if (recording.first) out["first"] = timestamp_text(*recording.first, decimals);
  if (recording.last) out["last"] = timestamp_text(*recording.last, decimals);
  return out;
}

Json json_of(const ChunkView& chunk) {
  return {{"chunk", chunk.chunk},
          {"bytes", chunk.bytes},
          {"first", timestamp_text(chunk.first, decimals)},
          {"last", timestamp_text(chunk.last, decimals)}};
}

}  // namespace

Outcome<std::string> list_recordings(const Actions& actions, const Asked& asked) {
  const auto page = actions.recordings({.after = asked.text("after"),
                                        .limit = limit_of(asked),
                                        .from = asked.time("from"),
                                        .until = asked.time("until")});
  if (!page) return refuse(503, page.error().message);
  Json list = Json::array();
  for (const RecordingView& recording : page->recordings) list.push_back(json_of(recording));
  Json out{{"recordings", std::move(list)}};
  if (!page->next.empty()) out["next"] = page->next;
  return out.dump();
}

Outcome<std::string> show_recording(const Actions& actions, const Asked& asked) {
  const std::string name = asked.text("recording");
  const auto detail = actions.recording(name);
  if (!detail) return refuse(503, detail.error().message);
  if (!*detail) return refuse(404, fmt::format("no recording {}", name));
  const std::vector<ChunkView>& chunks = (*detail)->chunks;
  auto chunk = std::ranges::upper_bound(chunks, asked.count("after"), {}, &ChunkView::chunk);
  Json list = Json::array();
  for (const std::uint64_t limit = limit_of(asked); chunk != chunks.end() && list.size() < limit;
       ++chunk) {
    list.push_back(json_of(*chunk));
  }
  Json out{{"recording", json_of((*detail)->recording)}, {"chunks", std::move(list)}};
  if (chunk != chunks.end()) out["next"] = std::prev(chunk)->chunk;
  return out.dump();
}

Outcome<HttpStream> show_chunk(const Actions& actions, const Asked& asked) {
  const std::string name = asked.text("recording");
  const std::uint64_t number = asked.count("chunk");
  auto chunk = actions.chunk(name, number);
  if (!chunk) return refuse(503, chunk.error().message);
  if (!*chunk) return refuse(404, fmt::format("no chunk {} of a recording {}", number, name));
  return std::move(**chunk);
}

Outcome<std::string> delete_recording(const Actions& actions, const Asked& asked) {
  const std::string name = asked.text("recording");
  const auto removed = actions.delete_recording(name, asked.text("reason"), asked.caller.name());
  if (!removed) return refuse(409, removed.error().message);
  return Json{{"recording", name}, {"chunks", removed->chunks}, {"bytes", removed->bytes}}.dump();
}

}  // namespace sluice::control::api
