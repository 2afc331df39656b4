// The demo's target: a tiny payment API that tells everything it knows.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "control/http.h"

namespace sluice::cli {

class DemoApi {
 public:
  /// Listens on a free loopback port. `credential` is the Authorization value
  /// that it demands of its callers: only the gateway has it.
  static Result<std::unique_ptr<DemoApi>> start(std::string credential);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// How many requests reached it, and the body of its last answer.
  [[nodiscard]] std::uint64_t requests() const;
  [[nodiscard]] std::string last_answer() const;

 private:
  explicit DemoApi(std::string credential) : credential_(std::move(credential)) {}
  control::HttpReply answer(const control::HttpRequest& request);

  std::string credential_;
  mutable std::mutex mutex_;
  std::uint64_t requests_ = 0;
  std::string last_answer_;
  std::uint16_t port_ = 0;
  std::unique_ptr<control::HttpServer> server_;
};

}  // namespace sluice::cli
