// A witness: for another team's host. It remembers the newest checkpoint of each log it
// knows, signs one that continues it, and never signs anything else. So a log whose
// witness is honest has one past.
//
// source   https://c2sp.org/tlog-witness
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "audit/cosignature.h"
#include "audit/keys.h"
#include "base/result.h"
#include "control/http.h"

namespace sluice::control {

class Witness {
 public:
  struct Options {
    audit::Signer key;
    std::vector<audit::Verifier> logs;
    std::filesystem::path state;  ///< A folder; one file per log, which only moves forward.
    std::function<std::uint64_t()> seconds_now;
  };
  /// errors   the folder cannot be made, or what is in it is not the logs'.
  static Result<std::unique_ptr<Witness>> open(Options options);

  /// Thread-safe. POST /add-checkpoint; anything else is not found.
  [[nodiscard]] HttpReply answer(const HttpRequest& request);

 private:
  struct Log {
    audit::Verifier key;
    std::filesystem::path file;
    audit::Checkpoint newest;  ///< Of size 0 when there is none yet.
  };
  struct Addition;

  explicit Witness(Options options) : options_(std::move(options)) {}
  [[nodiscard]] HttpReply add(Log& log, const Addition& addition);

  Options options_;
  std::mutex mutex_;  ///< Guards the logs and the key.
  std::vector<Log> logs_;
};

}  // namespace sluice::control
