// Lines in files of a directory: NAME-00000001.log, …
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "audit/file.h"
#include "exports/destination.h"

namespace sluice::exports {

/// Has arrived what is synced. Each start begins a file, and removes a line that a crash left
/// unfinished in the last one.
class FileDestination final : public Destination {
 public:
  /// rotate_bytes  a file that has so many is followed by the next.
  FileDestination(std::filesystem::path directory, std::string name, std::uint64_t rotate_bytes)
      : directory_(std::move(directory)), name_(std::move(name)), rotate_bytes_(rotate_bytes) {}

  [[nodiscard]] std::string frame(const ExportedRecord& record, std::string line) const override;
  [[nodiscard]] Result<void, SendError> send(const Batch& batch) override;

 private:
  Result<void> open();
  Result<void> begin(std::uint64_t number);
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t last_number() const;

  std::filesystem::path directory_;
  std::string name_;
  std::uint64_t rotate_bytes_;
  std::unique_ptr<audit::File> file_;  ///< Null: not open, or not to be trusted any more.
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice::exports
