// Who signs the log's checkpoints, as a seam: in the gateway the key lies in a process of
// its own (signer_client.h); tests and simulations sign where they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "audit/keys.h"
#include "audit/signed_heads.h"
#include "base/result.h"

namespace sluice::audit {

class LogSigner {
 public:
  virtual ~LogSigner() = default;
  [[nodiscard]] virtual const Verifier& verifier() const noexcept = 0;
  [[nodiscard]] virtual const DerivedKeys& derived_keys() const noexcept = 0;
  /// What it remembers.
  [[nodiscard]] virtual const SignedHeads& heads() const noexcept = 0;
  /// Where, for a message; empty when it forgets that with this process.
  [[nodiscard]] virtual std::string state_file() const { return {}; }
  /// The seal in force, which the log is to have among its records; empty: it makes none.
  /// May be another one after each signature.
  [[nodiscard]] virtual std::string_view seal() const { return {}; }
  /// The log has it. Only then there will be another.
  virtual void note_sealed() {}
  /// Of the checkpoint's text for `next.now`.
  /// errors   it does not continue what was signed, or the signer is gone.
  [[nodiscard]] virtual Result<Signature> sign(const Extension& next) = 0;
  /// Of package_statement(); whenever, and from any thread.
  /// errors   it signs none, or is gone.
  [[nodiscard]] virtual Result<Signature> sign_package(const Hash& manifest);
};

/// Holds the key itself, and forgets when it ends.
class LocalSigner final : public LogSigner {
 public:
  explicit LocalSigner(Signer key, const SignedHeads& heads = {})
      : key_(std::move(key)), derived_(key_.derived_keys()), heads_(heads) {}

  [[nodiscard]] const Verifier& verifier() const noexcept override { return key_.verifier(); }
  [[nodiscard]] const DerivedKeys& derived_keys() const noexcept override { return derived_; }
  [[nodiscard]] const SignedHeads& heads() const noexcept override { return heads_; }
  [[nodiscard]] Result<Signature> sign(const Extension& next) override;
  [[nodiscard]] Result<Signature> sign_package(const Hash& manifest) override;

 private:
  Result<Signature> sign_text(std::string_view text);

  std::mutex signing_;
  Signer key_;
  DerivedKeys derived_;
  SignedHeads heads_;
};

/// The signed note of a checkpoint.
Result<std::string> sign_checkpoint(LogSigner& signer, const Extension& next);

/// Start-up: the log ends at `end`, and must continue what was signed last. Where the
/// state file is older than the log, it is brought up to date from the log.
/// Returns the size of a last checkpoint that was signed and then lost; 0: none was.
/// errors   the directory was rolled back, or holds another log.
Result<std::uint64_t> continue_signed(LogSigner& signer, const std::filesystem::path& directory,
                                      const TreeHead& end);

}  // namespace sluice::audit
