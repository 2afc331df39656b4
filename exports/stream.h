// A connection to another system for the threads of exports: blocking, in clear or TLS.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"

struct ssl_st;

namespace sluice::exports {

struct StreamTls {
  std::string ca_file;      ///< Empty: the system's.
  std::string server_name;  ///< That the certificate must have.
};

class Stream {
 public:
  /// address  numeric.
  /// tls      null: in clear.
  /// timeout  of connecting, and of each wait without progress.
  /// errors   it cannot be reached, or is not who it should be.
  static Result<Stream> connect(const config::SocketAddress& address, const StreamTls* tls,
                                Duration timeout);
  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;

  Result<void> write(std::string_view bytes);
  /// Waits until the other host has acknowledged all that was written.
  Result<void> wait_for_acknowledgement();
  /// The other side has closed, or said something that ends it.
  [[nodiscard]] bool is_over();

 private:
  struct Closer {
    void operator()(ssl_st* ssl) const noexcept;
  };
  Stream(int fd, Duration timeout) noexcept : fd_(fd), timeout_(timeout) {}
  Result<void> begin_tls(const StreamTls& tls);

  int fd_ = -1;
  Duration timeout_;
  std::unique_ptr<ssl_st, Closer> ssl_;
};

}  // namespace sluice::exports
