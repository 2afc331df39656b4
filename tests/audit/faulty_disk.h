// A disk under the log that fails at a chosen operation, or loses its power: then
// of everything that was not synced, any part may be gone.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "audit/file.h"

namespace sluice::audit {

class FaultyDisk final : public Disk {
 public:
  enum class Fault {
    error,      ///< EIO: nothing happens.
    full,       ///< ENOSPC: half of the bytes are written.
    power_off,  ///< This and every later operation fails; see `cut_power`.
  };

  /// The operation with this number, counted from 1, fails; 0: none.
  FaultyDisk(std::uint64_t fail_at, Fault fault) : fail_at_(fail_at), fault_(fault) {}

  Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override;
  Result<std::unique_ptr<File>> open(const std::filesystem::path& path) override;
  Result<void> truncate(const std::filesystem::path& path, std::uint64_t bytes) override;
  Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Result<void> remove(const std::filesystem::path& path) override;
  Result<void> sync_directory(const std::filesystem::path& path) override;

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  /// Makes the files what a disk could hold after losing power: synced bytes are
  /// there; of the others blocks are missing, and names may be.
  void cut_power(std::mt19937_64& random);

 private:
  friend class FaultyFile;
  struct Known {
    std::string synced;  ///< Content as last synced.
    bool is_name_synced = false;
    std::optional<std::string> replaced;  ///< What the name meant before an unsynced rename.
  };
  /// Whether this operation fails. `half` of an append is still to be done.
  [[nodiscard]] bool fails(bool* half = nullptr);

  std::uint64_t fail_at_;
  Fault fault_;
  std::uint64_t operations_ = 0;
  bool is_off_ = false;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace sluice::audit
