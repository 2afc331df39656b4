// A disk under the log that fails from a chosen operation on, or loses its power: then
// of everything that was not synced, any part may be gone.
#pragma once

#include <atomic>
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
    error,       ///< EIO: nothing works.
    sync_error,  ///< EIO of syncs: what they were to save is lost, though it still reads well.
    full,        ///< ENOSPC: half of the bytes are written.
    read_only,   ///< EROFS: only syncs work.
    stopped,     ///< Nothing works: the power went (`cut_power`), or who asks was killed (`heal`).
  };

  /// From the operation with this number on, counted from 1, the fault lasts until
  /// `heal`; 0: never.
  FaultyDisk(std::uint64_t fail_at, Fault fault) : fail_at_(fail_at), fault_(fault) {}

  Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override;
  Result<std::unique_ptr<File>> open(const std::filesystem::path& path) override;
  Result<void> truncate(const std::filesystem::path& path, std::uint64_t bytes) override;
  Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Result<void> remove(const std::filesystem::path& path) override;
  Result<void> sync_directory(const std::filesystem::path& path) override;

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  void heal() { fail_at_ = 0; }
  /// Makes the files, or a copy of them in `directory`, what a disk could hold after
  /// losing power: synced bytes are there; of the others blocks are missing, in any
  /// order, and names may be.
  void cut_power(std::mt19937_64& random, const std::filesystem::path& directory = {});

 private:
  friend class FaultyFile;
  enum class Operation { create, open, append, overwrite, sync, change };
  struct Known {
    std::string synced;  ///< Content as last synced.
    bool is_name_synced = false;
    std::optional<std::string> replaced;  ///< What the name meant before an unsynced rename.
    /// Not on the disk though a later sync said so: the failed one had dropped it.
    std::size_t lost_begin = 0;
    std::size_t lost_end = 0;
  };
  [[nodiscard]] bool fails(Operation operation);
  [[nodiscard]] tl::unexpected<Error> failure() const;
  void note_synced(const std::filesystem::path& path);
  void note_lost(const std::filesystem::path& path);

  std::atomic<std::uint64_t> fail_at_;
  Fault fault_;
  std::atomic<std::uint64_t> operations_ = 0;
  std::atomic<bool> has_failed_ = false;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace sluice::audit
