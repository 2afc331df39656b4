#include "exports/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace sluice::exports {
namespace {

tl::unexpected<Error> system_fault(std::string_view what) {
  return fail(fmt::format("{}: {}", what, std::strerror(errno)));
}

tl::unexpected<Error> tls_fault(std::string_view what) {
  std::array<char, 256> reason{};
  const unsigned long code = ERR_get_error();
  ERR_error_string_n(code, reason.data(), reason.size());
  ERR_clear_error();
  return fail(fmt::format("{}: {}", what, code == 0 ? std::strerror(errno) : reason.data()));
}

int milliseconds_of(Duration duration) {
  return static_cast<int>(duration.ns / 1'000'000);
}

/// Within the time that sending may take.
Result<void> finish_connecting(int fd, Duration timeout) {
  pollfd waits{.fd = fd, .events = POLLOUT, .revents = 0};
  const int ready = ::poll(&waits, 1, milliseconds_of(timeout));
  if (ready == 0) return fail("it does not answer");
  int error = 0;
  socklen_t size = sizeof error;
  if (ready < 0 || ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
    return system_fault("connecting");
  }
  if (error == 0) return {};
  return fail(std::strerror(error));
}

Result<void> make_blocking(int fd, Duration timeout) {
  const timeval limit{.tv_sec = timeout.ns / 1'000'000'000,
                      .tv_usec = timeout.ns % 1'000'000'000 / 1'000};
  const bool done = ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0 &&
                    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0;
  if (!done) return system_fault("setting up a socket");
  return {};
}

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

}  // namespace

void Stream::Closer::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

Stream::Stream(Stream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), timeout_(other.timeout_), ssl_(std::move(other.ssl_)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(timeout_, other.timeout_);
  std::swap(ssl_, other.ssl_);
  return *this;
}

Stream::~Stream() {
  if (ssl_) SSL_shutdown(ssl_.get());
  if (fd_ >= 0) ::close(fd_);
}

Result<Stream> Stream::connect(const config::SocketAddress& address, const StreamTls* tls,
                               Duration timeout) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return fail(fmt::format("'{}': {}", address.host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> where(found, &::freeaddrinfo);
  Stream stream(::socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), timeout);
  if (stream.fd_ < 0) return system_fault("making a socket");
  if (::connect(stream.fd_, where->ai_addr, where->ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return system_fault("connecting");
    if (auto done = finish_connecting(stream.fd_, timeout); !done)
      return fail(done.error().message);
  }
  if (auto done = make_blocking(stream.fd_, timeout); !done) return fail(done.error().message);
  if (tls == nullptr) return stream;
  if (auto done = stream.begin_tls(*tls); !done) return fail(done.error().message);
  return stream;
}

Result<void> Stream::begin_tls(const StreamTls& tls) {
  const std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return tls_fault("TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const bool has_roots =
      tls.ca_file.empty()
          ? SSL_CTX_set_default_verify_paths(context.get()) == 1
          : SSL_CTX_load_verify_locations(context.get(), tls.ca_file.c_str(), nullptr) == 1;
  if (!has_roots) return tls_fault(fmt::format("the certificates of '{}'", tls.ca_file));
  ssl_.reset(SSL_new(context.get()));
  const bool is_set = ssl_ && SSL_set_fd(ssl_.get(), fd_) == 1 &&
                      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                               const_cast<char*>(tls.server_name.c_str())) == 1 &&
                      SSL_set1_host(ssl_.get(), tls.server_name.c_str()) == 1;
  if (!is_set) return tls_fault("TLS");
  if (SSL_connect(ssl_.get()) == 1) return {};
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict == X509_V_OK) return tls_fault("the TLS handshake");
  ERR_clear_error();
  return fail(fmt::format("the certificate of '{}': {}", tls.server_name,
                          X509_verify_cert_error_string(verdict)));
}

Result<void> Stream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (ssl_) {
      std::size_t done = 0;
      if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &done) != 1) {
        return tls_fault("writing");
      }
      bytes.remove_prefix(done);
    } else {
      const ssize_t done = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (done < 0 && errno != EINTR) return system_fault("writing");
      bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(done, 0)));
    }
  }
  return {};
}

Result<void> Stream::wait_for_acknowledgement() {
  constexpr std::chrono::milliseconds step(1);
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout_.ns);
  for (;;) {
    int queued = 0;
    if (::ioctl(fd_, SIOCOUTQ, &queued) != 0) return system_fault("asking what is queued");
    if (is_over()) return fail("the connection was closed");
    if (queued == 0) return {};
    if (std::chrono::steady_clock::now() >= until) return fail("it takes no more bytes");
    std::this_thread::sleep_for(step);
  }
}

bool Stream::is_over() {
  pollfd state{.fd = fd_, .events = POLLIN | POLLRDHUP, .revents = 0};
  if (::poll(&state, 1, 0) <= 0) return false;
  if ((state.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) return true;
  // Session tickets and the like; what a server says beside them is dropped.
  std::array<char, 1024> said{};
  if (!ssl_) return ::recv(fd_, said.data(), said.size(), MSG_DONTWAIT) == 0;
  std::size_t size = 0;
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  const int done = SSL_read_ex(ssl_.get(), said.data(), said.size(), &size);
  const int why = SSL_get_error(ssl_.get(), done);
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
  ERR_clear_error();
  return done != 1 && why != SSL_ERROR_WANT_READ;
}

}  // namespace sluice::exports
