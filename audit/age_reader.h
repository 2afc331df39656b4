// Reading what age encrypted to one of our identities. The gateway has none: this is for
// auditors, who replay recordings.
//
// source   https://c2sp.org/age (version 1, X25519 recipients).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "audit/age_crypto.h"
#include "base/bytes.h"
#include "base/result.h"

namespace sluice::audit {

/// The secret half of a recipient.
class AgeIdentity {
 public:
  /// A line "AGE-SECRET-KEY-1…".
  static Result<AgeIdentity> parse(std::string_view line);
  /// A file as `age-keygen` writes it; what begins with # is passed over.
  /// errors   it is not there, readable by others, or has no identity, or more than one.
  static Result<AgeIdentity> load(const std::filesystem::path& path);

  /// What was encrypted.
  /// errors   it is not of age's form, not for this identity, or was changed or cut.
  [[nodiscard]] Result<std::vector<std::uint8_t>> open(ByteView file) const;

 private:
  explicit AgeIdentity(const age::Key& secret);
  [[nodiscard]] bool unwrap(std::string_view share, std::string_view body, ByteSpan file_key) const;

  /// Erased with it.
  struct Wiped {
    age::Key bytes{};
    Wiped() = default;
    Wiped(const Wiped&) = default;
    Wiped& operator=(const Wiped&) = default;
    ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  };
  Wiped secret_;
  age::Key public_{};
};

}  // namespace sluice::audit
