// Shows the log's checkpoints to witnesses, now and then, in a thread of its own, and
// keeps the newest one that enough of them saw beside the log.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "audit/witness_policy.h"
#include "base/result.h"

namespace sluice::control {

class Cosigner {
 public:
  using Note = std::function<void(std::string_view event, std::string_view detail)>;

  /// directory   of the log.
  Cosigner(audit::WitnessPolicy policy, std::filesystem::path directory)
      : policy_(std::move(policy)), directory_(std::move(directory)) {}
  ~Cosigner();
  Cosigner(const Cosigner&) = delete;
  Cosigner& operator=(const Cosigner&) = delete;

  /// Once, before the gateway serves anybody: the log continues what was cosigned, here
  /// and in the memory of each witness that answers.
  /// errors   it does not, or the policy's quorum cannot be reached.
  Result<void> prove_start();
  /// Goes on with that. `note` records what is new; called from the thread.
  void start(Note note);

 private:
  void run();
  /// Shows the newest checkpoint to all. In words, who did not cosign and why.
  Result<std::string> round();
  Result<std::string> ask(const audit::WitnessPolicy::Witness& witness, const std::string& note,
                          const audit::SignedCheckpoint& checkpoint);
  [[nodiscard]] Result<void> check_cosigned() const;

  audit::WitnessPolicy policy_;
  std::filesystem::path directory_;
  std::map<std::string, std::uint64_t> seen_;  ///< How far each witness is, by its name.
  Note note_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice::control
