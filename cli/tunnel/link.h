// The tunnel's connection to the gateway, in TLS, for a thread that waits in poll().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/descriptor.h"
#include "dataplane/tls/tls_context.h"
#include "dataplane/tls/tls_stream.h"

namespace sluice::cli::tunnel {

/// Where the gateway listens, and how it is known.
struct Gateway {
  std::string host;  ///< Whom its certificate must be for.
  std::uint16_t port = 0;
  std::shared_ptr<const dataplane::TlsContext> context;
};

class Link {
 public:
  /// Connects and shakes hands.
  /// stop    borrowed; readable from when it is to give up.
  /// errors  in words: the gateway is not there, or is not known to be the gateway.
  static Result<std::unique_ptr<Link>> open(const Gateway& gateway,
                                            const control::Descriptor& stop);

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  /// Ciphertext waits for the socket to take it.
  [[nodiscard]] bool has_backlog() const noexcept { return !leaving_.empty(); }

  /// Takes what has arrived, once the socket is readable; appends what was in it.
  /// errors  the connection broke, or was cut before the gateway said that no more comes.
  [[nodiscard]] Result<void> receive(std::string& plain);
  /// The gateway has said that no more comes.
  [[nodiscard]] bool has_ended() const noexcept { return stream_.has_peer_ended(); }

  /// Sends from the front of `plain`, as much as the socket takes.
  [[nodiscard]] Result<void> send(std::string& plain);
  /// Says that no more comes, if the socket takes it.
  void end();

 private:
  Link(control::Descriptor socket, const Gateway& gateway);
  [[nodiscard]] Result<void> shake_hands(const control::Descriptor& stop);
  [[nodiscard]] Result<void> decrypt(std::string& plain);
  [[nodiscard]] Result<void> flush();

  control::Descriptor socket_;
  dataplane::TlsStream stream_;
  std::string arrived_;             ///< Ciphertext that is not taken yet.
  std::string leaving_;             ///< Ciphertext that has not left yet.
  std::vector<std::uint8_t> room_;  ///< For a record that leaves.
};

}  // namespace sluice::cli::tunnel
