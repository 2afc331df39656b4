// One connection through the tunnel, from its client's arrival to its end; for a thread of its own.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/tunnel/codec.h"
#include "cli/tunnel/link.h"
#include "control/descriptor.h"

namespace sluice::cli::tunnel {

class Relay {
 public:
  /// All is borrowed. The gateway is called when there is something to say to it.
  /// stop  readable from when the connection is to end.
  Relay(const control::Descriptor& client, const Gateway& gateway, Codec& codec,
        const control::Descriptor& stop)
      : client_(client), gateway_(gateway), codec_(codec), stop_(stop) {}

  /// errors  the gateway was lost, and why; the client was told, or its connection was reset where
  ///         what it has got would look whole.
  [[nodiscard]] Result<void> run();

 private:
  enum class Next { go_on, end, reset };
  [[nodiscard]] Next turn();
  void move();
  [[nodiscard]] Next await();
  [[nodiscard]] bool read_client();
  [[nodiscard]] bool write_client();
  void say_to_gateway();
  void hear_gateway();
  void lose_gateway(const Error& why);

  const control::Descriptor& client_;
  const Gateway& gateway_;
  Codec& codec_;
  const control::Descriptor& stop_;
  std::unique_ptr<Link> link_;  ///< Null until there is something to say.
  std::string from_client_;     ///< That the codec has not taken yet, as in the next.
  std::string from_gateway_;
  Output out_;
  Result<void> outcome_;
  bool has_client_ended_ = false;
  bool has_link_ended_ = false;  ///< By this side.
  bool has_gateway_ended_ = false;
  bool is_cut_ = false;  ///< What the client has got is not whole.
};

}  // namespace sluice::cli::tunnel
