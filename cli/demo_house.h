// The demo's files: a folder with a configuration, keys and a signing key, gone at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace sluice::cli {

class DemoHouse {
 public:
  /// Fills a fresh folder under the system's temporary one.
  static Result<DemoHouse> build(std::uint16_t api_port, std::uint16_t gateway_port,
                                 const std::string& api_credential);
  DemoHouse(DemoHouse&& other) noexcept;
  DemoHouse& operator=(DemoHouse&&) = delete;
  DemoHouse(const DemoHouse&) = delete;
  DemoHouse& operator=(const DemoHouse&) = delete;
  ~DemoHouse();

  [[nodiscard]] std::string configuration() const { return folder_ / "sluice.yaml"; }
  [[nodiscard]] std::filesystem::path audit() const { return folder_ / "audit"; }
  [[nodiscard]] std::filesystem::path folder() const { return folder_; }

  std::string clerk_key;       ///< May read payments.
  std::string settlement_key;  ///< May make payments.
  std::string fraud_key;       ///< May read payments and see whole card numbers.
  std::string verifier;        ///< Public half of the signing key.

 private:
  DemoHouse() = default;
  std::filesystem::path folder_;
};

}  // namespace sluice::cli
