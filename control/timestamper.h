// Asks a time-stamp authority about the log's newest checkpoint, now and then, in a
// thread of its own. Nothing waits for it: what it gets lies beside the log.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"

namespace sluice::control {

class Timestamper {
 public:
  /// note   records what came of it; called from the thread.
  Timestamper(config::Timestamps settings, std::filesystem::path directory,
              std::function<void(std::string_view event, std::string_view detail)> note);
  /// Waits for the exchange under way, a few seconds at most.
  ~Timestamper();
  Timestamper(const Timestamper&) = delete;
  Timestamper& operator=(const Timestamper&) = delete;

 private:
  void run();
  /// Until the next one is due.
  [[nodiscard]] Duration wait_left() const;
  /// In words, what was stamped; empty when there is nothing new.
  [[nodiscard]] Result<std::string> stamp();

  config::Timestamps settings_;
  std::filesystem::path directory_;
  std::function<void(std::string_view, std::string_view)> note_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  std::thread thread_;  ///< Last: it uses all of the above.
};

}  // namespace sluice::control
