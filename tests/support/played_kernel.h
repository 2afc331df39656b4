// The kernel's half of TLS (kernel_tls.h), played by a test: records of TLS 1.3 with AES-GCM.
#pragma once

#include <linux/tls.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "base/assert.h"
#include "dataplane/transport/sim_transport.h"

namespace sluice::test {

/// Makes records with the key that it was given, one number after the other.
class PlayedKernel {
 public:
  explicit PlayedKernel(const dataplane::KernelTlsKeys& keys) {
    ASSERT(keys.is_tls13());
    keys.cipher() == TLS_CIPHER_AES_GCM_256 ? take<tls12_crypto_info_aes_gcm_256>(keys)
                                            : take<tls12_crypto_info_aes_gcm_128>(keys);
  }

  /// RFC 8446 §5.2: content ‖ type, behind a header that says application_data.
  std::string seal(std::uint8_t type, ByteView content) {
    std::string inner(as_text(content));
    inner += static_cast<char>(type);
    const std::size_t size = inner.size() + tag_bytes;
    std::string record{0x17, 3, 3, static_cast<char>(size >> 8), static_cast<char>(size & 0xFF)};
    auto nonce = iv_;
    for (std::size_t i = 0; i < 8; ++i) {
      nonce[4 + i] ^= static_cast<std::uint8_t>(number_ >> (56 - 8 * i));
    }
    ++number_;
    std::string sealed(inner.size() + tag_bytes, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
    int done = 0;
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const bool is_sealed =
        EVP_EncryptInit_ex(context.get(), cipher_, nullptr, key_.data(), nonce.data()) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &done, as_bytes(record).data(), 5) == 1 &&
        EVP_EncryptUpdate(context.get(), out, &done, as_bytes(inner).data(),
                          static_cast<int>(inner.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), nullptr, &done) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, out + inner.size()) ==
            1;
    ASSERT(is_sealed);
    return record + sealed;
  }

 private:
  static constexpr std::size_t tag_bytes = 16;

  template <class Info>
  void take(const dataplane::KernelTlsKeys& keys) {
    Info info{};
    ASSERT(keys.bytes().size() == sizeof info);
    std::memcpy(&info, keys.bytes().data(), sizeof info);
    std::copy(std::begin(info.key), std::end(info.key), key_.begin());
    std::copy(std::begin(info.salt), std::end(info.salt), iv_.begin());
    std::copy(std::begin(info.iv), std::end(info.iv), iv_.begin() + 4);
    for (const unsigned char digit : info.rec_seq) number_ = number_ << 8 | digit;
    cipher_ = sizeof info.key == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
  }

  std::array<unsigned char, 32> key_{};
  std::array<unsigned char, 12> iv_{};
  std::uint64_t number_ = 0;
  const EVP_CIPHER* cipher_ = nullptr;
};

/// A simulated transport whose kernel protects what is sent.
class ProtectingTransport : public dataplane::SimTransport {
 public:
  using SimTransport::SimTransport;

  const dataplane::KernelTls* kernel_tls(dataplane::ConnId /*id*/) { return &everything_; }
  int protect(dataplane::ConnId id, const dataplane::KernelTlsKeys& keys) {
    kernels_.insert_or_assign(id, Kernel{PlayedKernel(keys), {}});
    return 0;
  }
  void send(dataplane::ConnId id, std::span<const dataplane::Slice> slices) {
    const auto found = kernels_.find(id);
    if (found == kernels_.end()) return SimTransport::send(id, slices);
    std::string plain;
    for (const auto& slice : slices) plain += as_text({slice.data, slice.size_bytes});
    Kernel& kernel = found->second;
    kernel.sealed.clear();
    for (std::size_t at = 0; at < plain.size(); at += record_bytes_max) {
      const auto part = std::string_view(plain).substr(at, record_bytes_max);
      kernel.sealed += kernel.kernel.seal(application_data, as_bytes(part));
    }
    send_sealed(id, kernel);
  }
  void send_record(dataplane::ConnId id, std::uint8_t type, dataplane::Slice content) {
    Kernel& kernel = kernels_.at(id);
    kernel.sealed = kernel.kernel.seal(type, {content.data, content.size_bytes});
    ++records_of_other_types;
    send_sealed(id, kernel);
  }

  std::size_t records_of_other_types = 0;

 private:
  static constexpr std::size_t record_bytes_max = 16 * 1024;
  static constexpr std::uint8_t application_data = 23;
  struct Kernel {
    PlayedKernel kernel;
    std::string sealed;  ///< What is being sent.
  };

  void send_sealed(dataplane::ConnId id, const Kernel& kernel) {
    const dataplane::Slice slice{as_bytes(kernel.sealed).data(),
                                 static_cast<std::uint32_t>(kernel.sealed.size())};
    SimTransport::send(id, {&slice, 1});
  }

  const dataplane::KernelTls everything_ = dataplane::KernelTls::everything();
  std::map<dataplane::ConnId, Kernel> kernels_;
};
static_assert(dataplane::KernelTlsTransport<ProtectingTransport>);

}  // namespace sluice::test
