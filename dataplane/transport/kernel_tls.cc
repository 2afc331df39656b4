#include "dataplane/transport/kernel_tls.h"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace sluice::dataplane {
namespace {

/// RFC 8446 appendix B.4 and RFC 5288: what the gateway offers (tls_context.cc) and the kernel
/// can be asked for.
struct Offered {
  std::uint16_t version;
  std::uint16_t cipher;
  std::uint8_t size_bytes;
};
constexpr std::array offered{
    Offered{TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128, sizeof(tls12_crypto_info_aes_gcm_128)},
    Offered{TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_256, sizeof(tls12_crypto_info_aes_gcm_256)},
    Offered{TLS_1_3_VERSION, TLS_CIPHER_CHACHA20_POLY1305,
            sizeof(tls12_crypto_info_chacha20_poly1305)},
    Offered{TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128, sizeof(tls12_crypto_info_aes_gcm_128)},
    Offered{TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_256, sizeof(tls12_crypto_info_aes_gcm_256)},
    Offered{TLS_1_2_VERSION, TLS_CIPHER_CHACHA20_POLY1305,
            sizeof(tls12_crypto_info_chacha20_poly1305)},
};

tls_crypto_info head_of(const void* crypto_info) noexcept {
  tls_crypto_info head{};
  std::memcpy(&head, crypto_info, sizeof head);
  return head;
}

const Offered* find(const tls_crypto_info& head) noexcept {
  const auto* const found = std::ranges::find_if(offered, [&](const Offered& one) {
    return one.version == head.version && one.cipher == head.cipher_type;
  });
  return found == offered.end() ? nullptr : found;
}

class Socket {
 public:
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

int tcp_socket() noexcept {
  return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

constexpr std::size_t number_bytes = 8;
/// The number of the next record is what they end with.
template <class Info>
constexpr bool ends_with_number = offsetof(Info, rec_seq) + number_bytes == sizeof(Info) &&
                                  sizeof(Info::rec_seq) == number_bytes;
static_assert(ends_with_number<tls12_crypto_info_aes_gcm_128> &&
              ends_with_number<tls12_crypto_info_aes_gcm_256> &&
              ends_with_number<tls12_crypto_info_chacha20_poly1305>);

/// Keys can only be given to a connection that stands.
bool connect_to_itself(const Socket& listening, const Socket& connecting) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  return ::bind(listening.fd(), generic, size) == 0 && ::listen(listening.fd(), 1) == 0 &&
         ::getsockname(listening.fd(), generic, &size) == 0 &&
         ::connect(connecting.fd(), generic, size) == 0;
}

}  // namespace

std::optional<KernelTlsKeys> KernelTlsKeys::copy(const void* crypto_info) noexcept {
  const Offered* const found = find(head_of(crypto_info));
  if (found == nullptr) return std::nullopt;
  KernelTlsKeys keys;
  static_assert(sizeof(tls12_crypto_info_aes_gcm_256) <= sizeof keys.info_);
  keys.size_bytes_ = found->size_bytes;
  std::memcpy(keys.info_.data(), crypto_info, found->size_bytes);
  return keys;
}

KernelTlsKeys::~KernelTlsKeys() {
  ::explicit_bzero(info_.data(), info_.size());
}

bool KernelTlsKeys::is_tls13() const noexcept {
  return head_of(info_.data()).version == TLS_1_3_VERSION;
}

std::uint16_t KernelTlsKeys::cipher() const noexcept {
  return head_of(info_.data()).cipher_type;
}

void KernelTlsKeys::skip(std::uint64_t records) noexcept {
  // In network order.
  for (std::size_t i = size_bytes_; i-- > size_bytes_ - number_bytes;) {
    records += info_[i];
    info_[i] = static_cast<std::uint8_t>(records);
    records >>= 8;
  }
}

KernelTls KernelTls::probe() noexcept {
  KernelTls found;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    KernelTlsKeys keys;
    const tls_crypto_info head{offered[i].version, offered[i].cipher};
    std::memcpy(keys.info_.data(), &head, sizeof head);
    keys.size_bytes_ = offered[i].size_bytes;
    const Socket listening(tcp_socket());
    const Socket connecting(tcp_socket());
    const auto bit = static_cast<std::uint8_t>(1U << i);
    if (!connect_to_itself(listening, connecting)) continue;
    if (begin_kernel_tls(connecting.fd(), keys) != 0) continue;
    found.taken_ |= bit;
    if (keys.is_tls13()) continue;
    if (begin_kernel_tls_receive(connecting.fd(), keys) == 0) found.opened_ |= bit;
  }
  return found;
}

KernelTls KernelTls::everything() noexcept {
  KernelTls all;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const auto bit = static_cast<std::uint8_t>(1U << i);
    all.taken_ |= bit;
    if (offered[i].version == TLS_1_2_VERSION) all.opened_ |= bit;
  }
  return all;
}

bool KernelTls::takes(const KernelTlsKeys& keys) const noexcept {
  const Offered* const found = find(head_of(keys.info_.data()));
  return found != nullptr && (taken_ >> (found - offered.data()) & 1U) != 0;
}

bool KernelTls::opens(const KernelTlsKeys& keys) const noexcept {
  const Offered* const found = find(head_of(keys.info_.data()));
  return found != nullptr && (opened_ >> (found - offered.data()) & 1U) != 0;
}

int begin_kernel_tls(int socket, const KernelTlsKeys& keys) noexcept {
  static constexpr char protocol[] = "tls";
  const ByteView bytes = keys.bytes();
  const bool done = ::setsockopt(socket, SOL_TCP, TCP_ULP, protocol, sizeof protocol) == 0 &&
                    ::setsockopt(socket, SOL_TLS, TLS_TX, bytes.data(),
                                 static_cast<socklen_t>(bytes.size())) == 0;
  return done ? 0 : errno;
}

int begin_kernel_tls_receive(int socket, const KernelTlsKeys& keys) noexcept {
  const ByteView bytes = keys.bytes();
  const bool done = ::setsockopt(socket, SOL_TLS, TLS_RX, bytes.data(),
                                 static_cast<socklen_t>(bytes.size())) == 0;
  return done ? 0 : errno;
}

KernelTlsRecord take_kernel_tls_record(int socket, ByteSpan content) noexcept {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint8_t))> control{};
  iovec part{content.data(), content.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT);
  const cmsghdr* const header = size < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  const bool has_type = header != nullptr && header->cmsg_level == SOL_TLS &&
                        header->cmsg_type == TLS_GET_RECORD_TYPE;
  if (!has_type) return {};
  return {*CMSG_DATA(header), static_cast<std::size_t>(size)};
}

}  // namespace sluice::dataplane
