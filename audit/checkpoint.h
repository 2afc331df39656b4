// A checkpoint: size and root of the log, signed. The text form is C2SP
// tlog-checkpoint inside a signed-note with exactly one signature and no
// extension lines, so that every byte of it is determined or verified.
//
// source   https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/keys.h"
#include "audit/merkle.h"
#include "base/result.h"

namespace sluice::audit {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
};

/// A parsed note whose signature has not been looked at yet.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string signed_text;
  std::string signer_name;
  KeyId key_id{};
  Signature signature{};

  /// nothing    the signature is that of `verifier`'s key.
  [[nodiscard]] Result<void> check(const Verifier& verifier) const;
};

inline constexpr std::size_t note_bytes_max = 1024;

/// What is signed.
std::string checkpoint_text(std::string_view origin, std::uint64_t size, const Hash& root);
/// One signature of a signed note, as a line of it.
std::string signature_line(std::string_view name, const KeyId& id, const Signature& signature);
/// nothing   not a line of that key.
std::optional<Signature> read_signature_line(std::string_view line, std::string_view name,
                                             const KeyId& id);
/// The note of a text and its signature.
std::string checkpoint_note(std::string text, const Verifier& verifier, const Signature& signature);
Result<std::string> sign_checkpoint(Signer& signer, std::uint64_t size, const Hash& root);
Result<SignedCheckpoint> parse_checkpoint(std::string_view note);

}  // namespace sluice::audit
