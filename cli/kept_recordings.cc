#include "cli/kept_recordings.h"

#include <utility>

#include "recordings/catalog.h"

namespace sluice::cli {
namespace {

using control::api::RecordingView;

RecordingView view_of(recordings::RecordingSummary summary) {
  return {.name = std::move(summary.name),
          .is_open = summary.is_open,
          .chunks = summary.chunks,
          .bytes = summary.bytes,
          .first = summary.first,
          .last = summary.last};
}

}  // namespace

Result<control::api::RecordingsPage> KeptRecordings::list(
    const control::api::RecordingsQuery& query, const std::function<bool()>& goes_on) const {
  if (directory_.empty()) return control::api::RecordingsPage{};
  auto page = recordings::Catalog(directory_)
                  .list({.after = query.after,
                         .limit = query.limit,
                         .from = query.from,
                         .until = query.until},
                        goes_on);
  if (!page) return tl::unexpected(page.error());
  control::api::RecordingsPage out{.next = std::move(page->next)};
  for (auto& one : page->recordings) out.recordings.push_back(view_of(std::move(one)));
  return out;
}

Result<std::optional<control::api::RecordingDetail>> KeptRecordings::show(
    const std::string& name) const {
  using Found = std::optional<control::api::RecordingDetail>;
  if (directory_.empty()) return Found();
  auto detail = recordings::Catalog(directory_).show(name);
  if (!detail) return tl::unexpected(detail.error());
  if (!*detail) return Found();
  control::api::RecordingDetail out{.recording = view_of(std::move((*detail)->summary))};
  for (const auto& [file, bytes] : (*detail)->chunks) {
    out.chunks.push_back({file.chunk, bytes, file.first, file.last});
  }
  return Found(std::move(out));
}

Result<std::optional<control::HttpStream>> KeptRecordings::chunk(const std::string& name,
                                                                 std::uint64_t number) const {
  using Found = std::optional<control::HttpStream>;
  if (directory_.empty()) return Found();
  auto chunk = recordings::Catalog(directory_).open(name, number);
  if (!chunk) return tl::unexpected(chunk.error());
  if (!*chunk) return Found();
  const std::uint64_t bytes = (*chunk)->bytes();
  return Found(control::HttpStream{
      .pieces = [stream = std::move(**chunk)]() mutable { return stream.next(); }, .bytes = bytes});
}

}  // namespace sluice::cli
