// TLS records made and opened by the kernel: Linux's upper-layer protocol `tls` on a TCP socket
// (Documentation/networking/tls.rst). Whoever shook hands hands over the keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace sluice::dataplane {

/// What setsockopt(SOL_TLS, TLS_TX or TLS_RX) takes: version, cipher, key, and the number of the
/// next record. Wiped when it goes.
class KernelTlsKeys {
 public:
  /// crypto_info  one of the kernel's tls12_crypto_info_*, as OpenSSL fills it in for
  ///              BIO_CTRL_SET_KTLS. Nothing for a cipher that is not offered here.
  static std::optional<KernelTlsKeys> copy(const void* crypto_info) noexcept;
  KernelTlsKeys(const KernelTlsKeys&) noexcept = default;
  KernelTlsKeys& operator=(const KernelTlsKeys&) noexcept = default;
  ~KernelTlsKeys();

  [[nodiscard]] ByteView bytes() const noexcept { return ByteView(info_).first(size_bytes_); }
  [[nodiscard]] bool is_tls13() const noexcept;
  [[nodiscard]] std::uint16_t cipher() const noexcept;
  /// So many records went by without the kernel.
  void skip(std::uint64_t records) noexcept;

 private:
  friend class KernelTls;
  KernelTlsKeys() = default;

  alignas(8) std::array<std::uint8_t, 64> info_{};
  std::uint8_t size_bytes_ = 0;
};

/// Which versions and ciphers this kernel makes records of, and which of TLS 1.2 it opens.
class KernelTls {
 public:
  /// Nothing.
  KernelTls() = default;
  /// Asks the kernel, over connections of its own on loopback.
  static KernelTls probe() noexcept;
  /// Of a kernel that a test plays.
  static KernelTls everything() noexcept;

  [[nodiscard]] bool takes(const KernelTlsKeys& keys) const noexcept;
  [[nodiscard]] bool opens(const KernelTlsKeys& keys) const noexcept;
  [[nodiscard]] bool is_there() const noexcept { return taken_ != 0; }
  [[nodiscard]] bool opens_any() const noexcept { return opened_ != 0; }

 private:
  std::uint8_t taken_ = 0;   ///< A bit for each version and cipher.
  std::uint8_t opened_ = 0;  ///< Likewise; of those that are taken.
};

/// From now on, what is sent on the socket leaves as records of type application_data. What was
/// sent before stays what it was.
/// returns  0 or an errno; then the socket is of no use to whoever gave its key away.
int begin_kernel_tls(int socket, const KernelTlsKeys& keys) noexcept;

/// Behind begin_kernel_tls: what is read from the socket from now on is the content of records.
/// What waits in it must begin with one. Another type than application_data reads as EIO.
/// returns  0 or an errno; then the socket reads as before.
int begin_kernel_tls_receive(int socket, const KernelTlsKeys& keys) noexcept;

/// What reads as EIO.
struct KernelTlsRecord {
  std::uint8_t type = 0;       ///< 0: there was none.
  std::size_t size_bytes = 0;  ///< Of its content: as much as there was room for.
};
KernelTlsRecord take_kernel_tls_record(int socket, ByteSpan content) noexcept;

}  // namespace sluice::dataplane
