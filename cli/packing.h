// Evidence packages that are asked for: of the verb where the log is, of the running gateway by its
// control API.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "audit/log_signer.h"
#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "control/api/evidence.h"
#include "control/api/problem.h"
#include "control/http.h"
#include "evidence/package.h"

namespace sluice::cli {

/// errors   the witness policy cannot be read.
Result<evidence::PackageOptions> package_options(const config::Settings& settings,
                                                 const control::api::EvidenceQuestion& question,
                                                 WallTime now);

/// The gateway's: one at a time, until it was sent. Its files lie in the log's directory, without
/// names.
class Packing {
 public:
  /// Of all files that one is made in; and at most half of what is free there.
  static constexpr std::uint64_t bytes_max = std::uint64_t{2} << 30;
  static constexpr Duration time_max = seconds(600);  ///< To be made.

  /// Both are borrowed. It ends what it makes when the gateway does.
  Packing(audit::LogSigner& signer, const std::atomic<bool>& is_ending)
      : signer_(signer), is_ending_(is_ending) {}

  /// Blocks while it is made, by a thread of the lowest priority.
  [[nodiscard]] control::api::Outcome<control::HttpStream> make(
      const config::Settings& settings, const control::api::EvidenceQuestion& question);

 private:
  audit::LogSigner& signer_;
  const std::atomic<bool>& is_ending_;
  /// Who has it makes one, or sends it.
  std::shared_ptr<std::atomic<bool>> is_taken_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace sluice::cli
