// PostgreSQL: the gateway's request for a password is answered, and then bytes pass as they come.
#pragma once

#include <cstdint>

#include "cli/tunnel/codec.h"

namespace sluice::cli::tunnel {

/// The user is whom the client names; the gateway compares it with whom the token proves. A request
/// for encryption is declined: the client is on this host. Cancel requests go on like sessions.
///
/// refuses  what is malformed (08P01), a gateway that asks for another kind of proof (28000).
class PostgresCodec final : public Codec {
 public:
  explicit PostgresCodec(Tokens tokens);

  void take_from_client(std::string& unread, Output& out) override;
  void take_from_gateway(std::string& unread, Output& out) override;
  [[nodiscard]] bool on_gateway_end() override { return true; }
  void refuse(std::string_view why, Output& out) override;
  [[nodiscard]] bool owes_client() const override { return phase_ == Phase::cancelling; }

 private:
  enum class Phase : std::uint8_t {
    opening,     ///< The client has said nothing, or asked for encryption.
    cancelling,  ///< It asks that something be cancelled; the gateway's end is the answer.
    login,
    open,  ///< Or refused by the gateway, which says so and ends.
  };
  void take_login_message(std::string_view message, Output& out);
  void answer_request_for_proof(std::string_view message, Output& out);
  void refuse_as(std::string_view code, std::string_view why, Output& out);

  Tokens tokens_;
  Phase phase_ = Phase::opening;
  bool has_shown_token_ = false;
};

}  // namespace sluice::cli::tunnel
