// TLS on a connection of a thread that may block: the control API's port, and verbs that call it.
// By the same contexts and streams as the data path, so there is one TLS in the product.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/channel.h"
#include "dataplane/tls/tls_context.h"
#include "dataplane/tls/tls_stream.h"

namespace sluice::cli {

class TlsChannel final : public control::Channel {
 public:
  /// Shakes hands. `below` is borrowed.
  /// peer_name  as a client: whom the certificate must be for.
  /// errors     in words: why there is no TLS.
  static Result<std::unique_ptr<control::Channel>> open(
      control::Channel& below, std::shared_ptr<const dataplane::TlsContext> context,
      const std::string& peer_name = {});

  /// errors  also the peer's end without its saying so inside of TLS.
  Result<std::size_t> read(std::string& unread) override;
  Result<void> write(ByteView bytes) override;
  void end() override;

 private:
  TlsChannel(control::Channel& below, std::shared_ptr<const dataplane::TlsContext> context,
             const std::string& peer_name);
  [[nodiscard]] Result<void> shake_hands();
  /// Takes what has arrived; `plain` gets what was in it.
  [[nodiscard]] Result<void> take_arrived(std::string& plain);
  [[nodiscard]] Result<void> flush(const dataplane::TlsOutput& out);

  control::Channel& below_;
  dataplane::TlsStream stream_;
  std::string arrived_;             ///< Ciphertext that is not taken yet.
  std::string early_;               ///< What came right behind the handshake.
  std::vector<std::uint8_t> room_;  ///< For a record that leaves.
};

}  // namespace sluice::cli
