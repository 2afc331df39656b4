// What a tunnel changes in a connection that it carries: bytes in, bytes out.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::cli::tunnel {

/// What is to be sent; both grow at their ends.
struct Output {
  std::string to_client;
  std::string to_gateway;
  bool is_over = false;  ///< The connection ends when both have left.
};

/// The caller's token, or why there is none. It may take its time.
using Tokens = std::function<Result<std::string>()>;

/// One connection, between a client on this host, which shows no credential, and the gateway. It
/// knows no socket and no clock. After `is_over` it is not called any more.
class Codec {
 public:
  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  virtual ~Codec() = default;

  /// Takes what it can from the front of `unread`; the rest is shown again, with more, and when the
  /// other side has said something.
  virtual void take_from_client(std::string& unread, Output& out) = 0;
  virtual void take_from_gateway(std::string& unread, Output& out) = 0;
  /// The gateway has said that no more comes.
  /// returns  whether that is an end, and not a cut.
  [[nodiscard]] virtual bool on_gateway_end() = 0;
  /// Nothing goes on, by no fault of the client's, which is told where it can be.
  virtual void refuse(std::string_view why, Output& out) = 0;
  /// The client says nothing more; whether it still has to be told something.
  [[nodiscard]] virtual bool owes_client() const = 0;
};

}  // namespace sluice::cli::tunnel
