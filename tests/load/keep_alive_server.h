// A target for whole runs: keeps connections, one thread each, and answers as
// the test says. Blocking sockets, nothing of the product.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sluice::tests {

class KeepAliveServer {
 public:
  /// Told of each request, head and body in one; returns the whole answer.
  using Handler = std::function<std::string(const std::string& request)>;

  explicit KeepAliveServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 128) != 0) std::abort();
    ::getsockname(listener_, generic, &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  KeepAliveServer(const KeepAliveServer&) = delete;
  KeepAliveServer& operator=(const KeepAliveServer&) = delete;
  ~KeepAliveServer() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int peer : peers_) ::shutdown(peer, SHUT_RDWR);
    }
    for (auto& thread : serving_) thread.join();
    for (const int peer : peers_) ::close(peer);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  [[nodiscard]] std::size_t connections() {
    const std::lock_guard lock(mutex_);
    return peers_.size();
  }

  static std::string answer(std::string_view body, std::string_view status = "200 OK") {
    return "HTTP/1.1 " + std::string(status) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }

 private:
  void accept_all() {
    for (;;) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      const std::lock_guard lock(mutex_);
      peers_.push_back(peer);
      serving_.emplace_back([this, peer] { serve(peer); });
    }
  }

  void serve(int peer) {
    std::string unread;
    for (;;) {
      const std::size_t size = request_size(unread);
      if (size == 0) {
        char piece[4096];
        const ssize_t count = ::recv(peer, piece, sizeof piece, 0);
        if (count <= 0) break;
        unread.append(piece, static_cast<std::size_t>(count));
        continue;
      }
      ++requests_;
      const std::string reply = handler_(unread.substr(0, size));
      unread.erase(0, size);
      if (::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::shutdown(peer, SHUT_RDWR);
  }

  /// Of the first whole request; 0 when there is none yet.
  static std::size_t request_size(const std::string& bytes) {
    const std::size_t head = bytes.find("\r\n\r\n");
    if (head == bytes.npos) return 0;
    std::size_t size = head + 4;
    const std::size_t length = bytes.find("Content-Length: ");
    if (length < head) size += std::stoul(bytes.substr(length + 16));
    return bytes.size() >= size ? size : 0;
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread accepting_;
  std::mutex mutex_;
  std::vector<int> peers_;
  std::vector<std::thread> serving_;
  std::atomic<std::uint64_t> requests_{0};
};

}  // namespace sluice::tests
