#include "cli/tunnel/relay.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "control/channel.h"

namespace sluice::cli::tunnel {
namespace {

/// Of what waits in one direction; more than any head of a message.
constexpr std::size_t buffer_bytes_max = std::size_t{256} << 10;
constexpr std::size_t read_bytes = std::size_t{64} << 10;

/// Closing with unread bytes would reset the connection and could take the last words with it; so
/// what still comes is read and dropped, for as long as a client may take to see the end.
void say_goodbye(const control::Descriptor& client) {
  ::shutdown(client.get(), SHUT_WR);
  control::SocketChannel channel(client);
  channel.limit(seconds(1));
  std::string dropped;
  for (auto got = channel.read(dropped); got && *got > 0; got = channel.read(dropped)) {
    dropped.clear();
  }
}

/// A plain end would say that what came before it is all.
void reset(const control::Descriptor& client) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

short events(bool reads, bool writes) {
  return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

}  // namespace

Result<void> Relay::run() {
  Next next = Next::go_on;
  while (next == Next::go_on) next = turn();
  if (link_ && !has_link_ended_) link_->end();
  if (next == Next::reset) {
    reset(client_);
  } else {
    say_goodbye(client_);
  }
  return outcome_;
}

Relay::Next Relay::turn() {
  move();
  if (!write_client()) return Next::end;
  const bool has_all = out_.to_client.empty();
  if (out_.is_over && has_all) return is_cut_ ? Next::reset : Next::end;
  if (has_gateway_ended_ && has_all) return is_cut_ ? Next::reset : Next::end;
  const bool has_said_all = out_.to_gateway.empty() && (!link_ || !link_->has_backlog());
  if (has_client_ended_ && has_said_all) {
    if (!link_ || !codec_.owes_client()) return Next::end;
    if (!has_link_ended_) link_->end();
    has_link_ended_ = true;
  }
  return await();
}

void Relay::move() {
  if (!out_.is_over && !from_gateway_.empty()) codec_.take_from_gateway(from_gateway_, out_);
  if (!out_.is_over) codec_.take_from_client(from_client_, out_);
  if (!out_.is_over && !out_.to_gateway.empty()) say_to_gateway();
}

Relay::Next Relay::await() {
  const bool goes_on = !out_.is_over;
  const bool reads_client = goes_on && !has_client_ended_ &&
                            from_client_.size() < buffer_bytes_max &&
                            out_.to_gateway.size() < buffer_bytes_max;
  const bool hears_gateway = goes_on && link_ && !has_gateway_ended_;
  const bool has_words = goes_on && link_ && (link_->has_backlog() || !out_.to_gateway.empty());
  std::array<pollfd, 3> waiting{
      {{.fd = client_.get(), .events = events(reads_client, !out_.to_client.empty()), .revents = 0},
       {.fd = hears_gateway ? link_->descriptor() : -1,
        .events = events(out_.to_client.size() < buffer_bytes_max, has_words),
        .revents = 0},
       {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
  if (::poll(waiting.data(), waiting.size(), -1) < 0) {
    return errno == EINTR ? Next::go_on : Next::end;
  }
  if (waiting[2].revents != 0) return Next::reset;
  if ((waiting[0].revents & (POLLERR | POLLHUP)) != 0) return Next::end;
  if ((waiting[0].revents & POLLIN) != 0 && !read_client()) return Next::end;
  if ((waiting[1].revents & ~POLLOUT) != 0) hear_gateway();
  if ((waiting[1].revents & POLLOUT) != 0 && !out_.is_over) say_to_gateway();
  return Next::go_on;
}

bool Relay::read_client() {
  const std::size_t before = from_client_.size();
  from_client_.resize(before + read_bytes);
  const ssize_t got = ::recv(client_.get(), from_client_.data() + before, read_bytes, MSG_DONTWAIT);
  const bool is_for_later = got < 0 && (errno == EAGAIN || errno == EINTR);
  from_client_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got == 0) has_client_ended_ = true;
  return got >= 0 || is_for_later;
}

bool Relay::write_client() {
  while (!out_.to_client.empty()) {
    const ssize_t sent = ::send(client_.get(), out_.to_client.data(), out_.to_client.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return true;
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    out_.to_client.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

void Relay::say_to_gateway() {
  if (!link_) {
    auto made = Link::open(gateway_, stop_);
    if (!made) return lose_gateway(made.error());
    link_ = std::move(*made);
  }
  if (auto sent = link_->send(out_.to_gateway); !sent) lose_gateway(sent.error());
}

void Relay::hear_gateway() {
  const auto heard = link_->receive(from_gateway_);
  if (!out_.is_over && !from_gateway_.empty()) codec_.take_from_gateway(from_gateway_, out_);
  if (!heard) return lose_gateway(heard.error());
  if (!link_->has_ended()) return;
  has_gateway_ended_ = true;
  is_cut_ = !codec_.on_gateway_end();
}

void Relay::lose_gateway(const Error& why) {
  if (out_.is_over) return;
  const std::size_t before = out_.to_client.size();
  codec_.refuse(why.message, out_);
  is_cut_ = out_.to_client.size() == before && codec_.owes_client();
  outcome_ = tl::unexpected(why);
}

}  // namespace sluice::cli::tunnel
