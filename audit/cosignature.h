// What a witness adds to a checkpoint: that it saw it, when, and that it continues what
// it saw before. Lines of C2SP tlog-cosignature in a signed note.
//
// source   https://c2sp.org/tlog-cosignature: key type 4; signed is "cosignature/v1",
//          a line with the time, and the checkpoint's text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/keys.h"
#include "base/result.h"

namespace sluice::audit {

inline constexpr std::size_t witnesses_max = 16;
inline constexpr std::size_t cosigned_bytes_max = note_bytes_max + witnesses_max * 512;
/// Beside the log: the newest checkpoint that enough witnesses saw, with their lines.
inline constexpr std::string_view cosigned_name = "cosigned";

class WitnessVerifier {
 public:
  /// A line such as those of logs, with 4 as the key's type.
  static Result<WitnessVerifier> parse(std::string_view line);
  /// The witness that signs with this key.
  static WitnessVerifier of(const Verifier& key);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& line() const noexcept { return line_; }
  /// Seconds since 1970 when the witness says that it saw the checkpoint.
  /// nothing   the line is another's, or wrong.
  [[nodiscard]] std::optional<std::uint64_t> check(std::string_view checkpoint_text,
                                                   std::string_view line) const;

 private:
  explicit WitnessVerifier(Verifier key) : key_(std::move(key)) {}

  Verifier key_;  ///< The same key, as a log's would be.
  std::string name_;
  std::string line_;
  KeyId id_{};
};

/// A line with its newline.
Result<std::string> cosign(Signer& witness, std::string_view checkpoint_text,
                           std::uint64_t seconds);

/// A checkpoint as its log signed it, and the lines behind that.
struct CosignedCheckpoint {
  std::string note;
  SignedCheckpoint log;
  std::vector<std::string> lines;

  [[nodiscard]] std::optional<std::uint64_t> check(const WitnessVerifier& witness) const;
};
Result<CosignedCheckpoint> parse_cosigned(std::string_view text);

}  // namespace sluice::audit
