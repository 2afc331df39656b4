// SCRAM-SHA-256: proving that one knows a password without showing it, both sides.
//
// Steps from text to text. Nonces come from the caller, messages go out through
// it, and so does what the channel binds to.
//
// A password is taken as the bytes that it has. SASLprep (RFC 4013) would leave
// what is ASCII as it is and fold some of the rest; PostgreSQL's own tools take the
// bytes, too, wherever it does not apply.
//
// source   RFC 5802, RFC 7677, RFC 5929 §4; PostgreSQL manual, "SASL Authentication".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "identity/secret_hash.h"

namespace sluice::identity {

inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256";
/// The same, bound to the channel that it goes through.
inline constexpr std::string_view scram_plus_mechanism = "SCRAM-SHA-256-PLUS";

/// What both ends of a channel know of it, and nobody who sits between two channels can have
/// alike: `tls-server-end-point` (RFC 5929 §4). Empty: there is none.
using ChannelBinding = std::vector<std::uint8_t>;

/// Of one message, as PostgreSQL has it.
inline constexpr std::size_t scram_message_bytes_max = 1024;

/// A server that asks for more buys time of ours, one that asks for less has our
/// password guessed cheaply (RFC 7677 §4).
inline constexpr std::uint32_t scram_iterations_min = 4096;
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;

/// Of a salt made here, as PostgreSQL makes them.
inline constexpr std::size_t scram_salt_bytes = 16;

/// Why a login by SCRAM ended. A client is told only that it failed.
enum class ScramFault : std::uint8_t {
  none,
  malformed,        // not the grammar of RFC 5802 §7, too long, or out of turn
  unsupported,      // an authorization identity or a mandatory extension
  channel_binding,  // to another channel, where none was offered, or offered and not seen
  bad_nonce,        // not the one agreed on
  bad_iterations,   // outside of scram_iterations_min to _max
  wrong_proof,      // the client does not know the password
  refused,          // the server says so
  wrong_signature,  // the server does not know the password: it is another
  no_crypto,        // OpenSSL failed
};
std::string_view text(ScramFault fault) noexcept;

/// What a server keeps of a password:
/// "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey", as PostgreSQL stores it.
struct ScramVerifier {
  std::uint32_t iterations = scram_iterations_min;
  std::vector<std::uint8_t> salt;
  Digest stored_key{};
  Digest server_key{};

  /// errors  what is wrong with the text, never the text.
  static Result<ScramVerifier> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

/// What a client makes of a password for one salt and count. Slow (milliseconds for
/// each 4096 iterations), so it is worth keeping. Wiped when it goes.
struct ScramKeys {
  Digest client_key{};
  Digest stored_key{};
  Digest server_key{};

  ScramKeys() = default;
  ScramKeys(const ScramKeys&) = default;
  ScramKeys& operator=(const ScramKeys&) = default;
  ~ScramKeys();
};

/// Nothing: OpenSSL failed.
std::optional<ScramKeys> derive_scram_keys(std::string_view password, ByteView salt,
                                           std::uint32_t iterations) noexcept;

/// salt  at least 16 bytes from the system's generator.
/// errors  OpenSSL failed.
Result<ScramVerifier> make_scram_verifier(std::string_view password, ByteView salt,
                                          std::uint32_t iterations);

/// For a name that has no verifier: it looks like one, stays the same as long as the
/// secret does, and no password fits it. So nobody learns which names there are.
/// errors  OpenSSL failed.
Result<ScramVerifier, ScramFault> make_mock_verifier(const Digest& secret, std::string_view name,
                                                     std::uint32_t iterations);

/// A server's side of one login.
class ScramServer {
 public:
  /// nonce    fresh; printable ASCII without commas, from 18 random bytes or more.
  /// binding  of the channel that the client came by.
  ScramServer(ScramVerifier verifier, std::string_view nonce, ChannelBinding binding = {});

  /// What to offer, the best first.
  [[nodiscard]] std::span<const std::string_view> mechanisms() const noexcept;
  /// What SASLInitialResponse brought; the answer goes into AuthenticationSASLContinue.
  /// The name inside is not looked at: PostgreSQL has it from the StartupMessage.
  Result<std::string, ScramFault> begin(std::string_view mechanism, std::string_view client_first);
  /// What SASLResponse brought. The client has proved itself if there is an answer; it
  /// goes into AuthenticationSASLFinal.
  Result<std::string, ScramFault> finish(std::string_view client_final);

 private:
  enum class Turn : std::uint8_t { begin, finish, over };

  [[nodiscard]] Result<std::string_view, ScramFault> take_gs2_header(
      std::string_view mechanism, std::string_view& message) const;

  ScramVerifier verifier_;
  std::string nonce_;  ///< Ours, then both.
  ChannelBinding binding_;
  std::string binding_input_;  ///< What the client said of channel binding, and is to repeat.
  std::string auth_message_;   ///< RFC 5802 §3; grows by each message.
  Turn turn_ = Turn::begin;
};

/// What a server's first message asks for.
struct ScramChallenge {
  std::vector<std::uint8_t> salt;
  std::uint32_t iterations = 0;
};

/// A client's side of one login.
class ScramClient {
 public:
  /// nonce      as ScramServer's.
  /// mechanism  one that the server offers.
  /// binding    of the channel to it. Without -PLUS the server is told that it could be bound
  ///            to, so that it notices when somebody took its offer away (RFC 5802 §6).
  explicit ScramClient(std::string_view nonce, std::string_view mechanism = scram_mechanism,
                       const ChannelBinding& binding = {});

  /// For SASLInitialResponse. The name is left empty: PostgreSQL has it already.
  [[nodiscard]] std::string first() const;
  /// What AuthenticationSASLContinue brought; the keys for it are the caller's to derive.
  Result<ScramChallenge, ScramFault> challenge(std::string_view server_first);
  /// For SASLResponse.
  Result<std::string, ScramFault> prove(const ScramKeys& keys);
  /// What AuthenticationSASLFinal brought. Not `none`: do not talk to this server.
  [[nodiscard]] ScramFault verify(std::string_view server_final);

 private:
  enum class Turn : std::uint8_t { challenge, prove, verify, over };

  std::string nonce_;          ///< Ours, then both.
  std::string gs2_header_;     ///< What is said of channel binding.
  std::string binding_input_;  ///< The same, and what it is bound to.
  std::string auth_message_;   ///< RFC 5802 §3; grows by each message.
  Digest server_signature_{};
  Turn turn_ = Turn::challenge;
};

}  // namespace sluice::identity
