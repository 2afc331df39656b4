// Listens on loopback and carries what its own account's programs send.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "cli/tunnel/codec.h"
#include "cli/tunnel/link.h"
#include "control/descriptor.h"

namespace sluice::cli::tunnel {

struct ServerOptions {
  Gateway gateway;
  std::function<std::unique_ptr<Codec>()> make_codec;  ///< For each connection.
  /// Told what went wrong with a connection, from any thread.
  std::function<void(std::string_view why)> complain;
  std::size_t connections_max = 128;  ///< At a time; others wait in the kernel's queue.
};

class Server {
 public:
  /// listener  on a loopback address.
  /// errors    the kernel does not say whose a socket is.
  static Result<std::unique_ptr<Server>> start(control::Descriptor listener, ServerOptions options);
  /// Ends all connections.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  struct Connection {
    control::Descriptor client;
    std::atomic<bool> is_over{false};
    std::jthread thread;
  };
  Server(control::Descriptor listener, control::Descriptor stop, ServerOptions options);
  void run();
  void accept();
  void serve(const control::Descriptor& client) const;

  control::Descriptor listener_;
  control::Descriptor stop_;
  ServerOptions options_;
  std::list<Connection> connections_;
  std::jthread thread_;
};

}  // namespace sluice::cli::tunnel
