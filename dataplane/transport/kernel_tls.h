// TLS records made by the kernel: Linux's upper-layer protocol `tls` on a TCP socket
// (Documentation/networking/tls.rst). Whoever shook hands hands over the key of what is sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace sluice::dataplane {

/// What setsockopt(SOL_TLS, TLS_TX) takes: version, cipher, key, and the number of the next
/// record. Wiped when it goes.
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

 private:
  friend class KernelTls;
  KernelTlsKeys() = default;

  alignas(8) std::array<std::uint8_t, 64> info_{};
  std::uint8_t size_bytes_ = 0;
};

/// Which versions and ciphers this kernel makes records of.
class KernelTls {
 public:
  /// Nothing.
  KernelTls() = default;
  /// Asks the kernel, over connections of its own on loopback.
  static KernelTls probe() noexcept;
  /// Of a kernel that a test plays.
  static KernelTls everything() noexcept;

  [[nodiscard]] bool takes(const KernelTlsKeys& keys) const noexcept;
  [[nodiscard]] bool is_there() const noexcept { return taken_ != 0; }

 private:
  std::uint8_t taken_ = 0;  ///< A bit for each version and cipher.
};

/// From now on, what is sent on the socket leaves as records of type application_data. What was
/// sent before stays what it was.
/// returns  0 or an errno; then the socket is of no use to whoever gave its key away.
int begin_kernel_tls(int socket, const KernelTlsKeys& keys) noexcept;

}  // namespace sluice::dataplane
