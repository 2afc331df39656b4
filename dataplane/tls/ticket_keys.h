// The keys of the tickets by which clients resume sessions (RFC 5077 §4, RFC 8446 §4.6.1).
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/instant.h"

namespace sluice::dataplane {

/// What all workers of a process begin with. It is overwritten when the last one has it.
class TicketSeed {
 public:
  /// From OpenSSL's random bytes.
  /// since  when the first key's hour begins.
  explicit TicketSeed(Instant since);
  TicketSeed(const TicketSeed&) = delete;
  TicketSeed& operator=(const TicketSeed&) = delete;
  ~TicketSeed();

 private:
  friend class TicketKeys;
  std::array<std::uint8_t, 32> bytes_;
  Instant since_;
};

/// One worker's. From one seed all workers come to the same keys by themselves, so that a client
/// resumes at any of them. A key seals for an hour and opens for one more. Nothing leads back
/// from a key to the ones before it: whoever reads this memory opens no older ticket.
class TicketKeys {
 public:
  static constexpr Duration lifetime = seconds(3600);
  static constexpr std::size_t name_bytes = 16;
  using Name = std::span<const std::uint8_t, name_bytes>;

  explicit TicketKeys(const TicketSeed& seed);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  /// Often enough, also while nobody comes: what is due to go, goes then.
  void advance(Instant now) noexcept {
    while (now >= next_) step();
  }

  struct Key {
    std::array<std::uint8_t, name_bytes> name;
    std::array<std::uint8_t, 32> cipher;  ///< AES-256-CBC.
    std::array<std::uint8_t, 32> mac;     ///< HMAC-SHA-256.
  };
  [[nodiscard]] const Key& current() const noexcept { return keys_[0]; }
  /// Null: no key that is good any more.
  [[nodiscard]] const Key* find(Name name) const noexcept;

 private:
  void step() noexcept;

  std::array<std::uint8_t, 32> chain_;  ///< Of which the next key is made.
  std::array<Key, 2> keys_{};           ///< This hour's and the last one's.
  std::uint64_t steps_ = 0;
  Instant next_;
};

/// Clients of `context` are given tickets under these keys, which outlive it.
void use_tickets(SSL_CTX* context, const TicketKeys& keys) noexcept;

}  // namespace sluice::dataplane
