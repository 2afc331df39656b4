// What a signer remembers, on disk: its last heads, in two slots that are written by turns,
// so that a torn write leaves the other; and in two more, of which each seal overwrites
// both, the seal in force with its key. Opened once; after that it needs no name.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "audit/keys.h"
#include "audit/seal.h"
#include "audit/signed_heads.h"
#include "base/result.h"

namespace sluice::audit {

class SignerState {
 public:
  /// Makes the file where there is none. Held until this goes.
  /// errors   it is held by another signer.
  static Result<SignerState> open(const std::filesystem::path& path);
  /// What was signed with this key; before anything else is asked.
  /// errors   the file is another key's, or damaged.
  [[nodiscard]] Result<void> recall(const Verifier& key);
  ~SignerState();
  SignerState(SignerState&& other) noexcept;
  SignerState& operator=(SignerState&&) = delete;

  [[nodiscard]] const SignedHeads& heads() const noexcept { return heads_; }
  /// The seal in force; nothing before a chain's first.
  [[nodiscard]] const std::optional<Sealing>& sealing() const noexcept { return sealing_; }
  /// Survives every process when it returns well. On failure all stays as it was.
  [[nodiscard]] Result<void> store(const SignedHeads& heads);
  /// Survives power loss when it returns well, and the key before is overwritten. On
  /// failure the one before may still be in force.
  [[nodiscard]] Result<void> keep(Sealing sealing);
  /// What was stored survives power loss, too.
  [[nodiscard]] Result<void> sync();
  /// The log has ended: its sealing key is erased, and the rest moved to `aside`.
  [[nodiscard]] Result<void> retire(const std::filesystem::path& aside);

 private:
  SignerState(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  [[nodiscard]] Result<void> make();
  [[nodiscard]] Result<void> read();
  void read_sealing();

  int fd_;
  std::filesystem::path path_;  ///< For messages.
  std::array<std::uint8_t, 32> public_key_{};
  std::uint64_t turn_ = 0;
  SignedHeads heads_;
  std::optional<Sealing> sealing_;
};

}  // namespace sluice::audit
