// The recordings of a gateway's folder, as the control API shows them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "control/api/recordings.h"
#include "control/http.h"

namespace sluice::cli {

class KeptRecordings {
 public:
  /// directory  empty: nothing is recorded.
  explicit KeptRecordings(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// goes_on  see recordings::Catalog::list().
  [[nodiscard]] Result<control::api::RecordingsPage> list(
      const control::api::RecordingsQuery& query, const std::function<bool()>& goes_on) const;
  /// Nothing: there is none of that name.
  [[nodiscard]] Result<std::optional<control::api::RecordingDetail>> show(
      const std::string& name) const;
  /// Nothing: there is no such chunk.
  [[nodiscard]] Result<std::optional<control::HttpStream>> chunk(const std::string& name,
                                                                 std::uint64_t number) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace sluice::cli
