#include "control/loopback_peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "control/socket.h"

namespace sluice::control {
namespace {

struct Question {
  nlmsghdr head{};
  inet_diag_req_v2 body{};
};

struct Reply {
  nlmsghdr head{};
  union {
    inet_diag_msg found;
    nlmsgerr failed;
  };
  std::uint8_t attributes[1024];
};

/// The peer's socket is the one that has both ends the other way round.
Result<Question> question_about(const Descriptor& socket) {
  sockaddr_in own{};
  sockaddr_in peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    return fail(system_error("getpeername", errno));
  }
  if (own.sin_family != AF_INET || peer.sin_family != AF_INET) return fail("it is not over IPv4");
  Question out;
  out.head.nlmsg_len = sizeof out;
  out.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  out.head.nlmsg_flags = NLM_F_REQUEST;
  out.body.sdiag_family = AF_INET;
  out.body.sdiag_protocol = IPPROTO_TCP;
  out.body.idiag_states = ~0U;
  out.body.id.idiag_sport = peer.sin_port;
  out.body.id.idiag_dport = own.sin_port;
  out.body.id.idiag_src[0] = peer.sin_addr.s_addr;
  out.body.id.idiag_dst[0] = own.sin_addr.s_addr;
  out.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  out.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return out;
}

}  // namespace

Result<std::optional<std::uint32_t>> loopback_peer(const Descriptor& socket) {
  const auto question = question_about(socket);
  if (!question) return tl::unexpected(question.error());
  const Descriptor kernel(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!kernel.is_open()) return fail(system_error("ask whose a socket is", errno));
  if (auto set = set_timeout(kernel, seconds(5)); !set) return tl::unexpected(set.error());
  if (::send(kernel.get(), &*question, sizeof *question, 0) < 0) {
    return fail(system_error("ask whose a socket is", errno));
  }
  Reply reply;
  const ssize_t got = ::recv(kernel.get(), &reply, sizeof reply, 0);
  if (got < 0) return fail(system_error("ask whose a socket is", errno));
  const auto size_bytes = static_cast<std::size_t>(got);
  if (size_bytes >= NLMSG_LENGTH(sizeof reply.failed) && reply.head.nlmsg_type == NLMSG_ERROR) {
    if (reply.failed.error == -ENOENT) return std::nullopt;
    return fail(system_error("ask whose a socket is", -reply.failed.error));
  }
  if (size_bytes < NLMSG_LENGTH(sizeof reply.found) ||
      reply.head.nlmsg_type != SOCK_DIAG_BY_FAMILY) {
    return fail("the kernel does not say whose a socket is");
  }
  // What is left of a socket after its process closed it is nobody's, which reads as root's.
  if (reply.found.idiag_state != TCP_ESTABLISHED) return std::nullopt;
  return reply.found.idiag_uid;
}

}  // namespace sluice::control
