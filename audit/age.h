// Encryption that the program age opens with a recipient's identity (age -d): written as a
// stream, to one or more recipients. Reading is age_reader.
//
// source   https://c2sp.org/age (version 1, X25519 recipients); RFC 7748, RFC 5869, RFC 8439.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "audit/age_crypto.h"
#include "audit/age_recipient.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

class AgeWriter {
 public:
  /// Takes the file's bytes in order; false when it cannot.
  using Sink = std::function<bool(ByteView)>;

  /// errors   a recipient's key is none, or the sink takes nothing.
  static Result<AgeWriter> begin(std::span<const AgeRecipient> recipients, Sink sink);
  ~AgeWriter();
  AgeWriter(AgeWriter&&) noexcept;
  AgeWriter& operator=(AgeWriter&&) noexcept;

  Result<void> write(ByteView plain);
  /// Without it the file is cut, which age tells.
  Result<void> finish();

 private:
  AgeWriter(std::span<const std::uint8_t> key, Sink sink);
  Result<void> seal(bool is_last);

  Sink sink_;
  age::Cipher cipher_;
  std::vector<std::uint8_t> chunk_;
  std::uint64_t chunks_ = 0;  ///< Sealed so far: the nonce.
};

}  // namespace sluice::audit
