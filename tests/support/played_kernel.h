// The kernel's half of TLS (kernel_tls.h), played by a test: records with AES-GCM.
#pragma once

#include <linux/tls.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "dataplane/transport/kernel_tls.h"

namespace sluice::test {

/// One direction: makes records with the key that it was given, or opens them, one number after
/// the other.
class PlayedKernel {
 public:
  explicit PlayedKernel(const dataplane::KernelTlsKeys& keys) : is_tls13_(keys.is_tls13()) {
    keys.cipher() == TLS_CIPHER_AES_GCM_256 ? take<tls12_crypto_info_aes_gcm_256>(keys)
                                            : take<tls12_crypto_info_aes_gcm_128>(keys);
  }

  /// RFC 8446 §5.2: content ‖ type, behind a header that says application_data. RFC 5288 §3: the
  /// header says the type, and what is explicit of the nonce follows it.
  std::string seal(std::uint8_t type, ByteView content) {
    std::string inner(as_text(content));
    std::string nonce_shown;
    if (is_tls13_) {
      inner += static_cast<char>(type);
    } else {
      nonce_shown = in_network_order(number_);
    }
    const std::size_t size = nonce_shown.size() + inner.size() + tag_bytes;
    const std::string header = head(is_tls13_ ? application_data : type, size);
    const std::string aad =
        is_tls13_ ? header : in_network_order(number_) + head(type, content.size());
    std::string tag(tag_bytes, '\0');
    const auto sealed = crypt(true, nonce_shown, aad, inner, tag);
    ASSERT(sealed);
    ++number_;
    return header + nonce_shown + *sealed + tag;
  }

  struct Record {
    std::uint8_t type = 0;  ///< 0: it is none of this key's.
    std::string content;
  };
  /// The first of `bytes`, which it takes away; nothing: it is not whole yet. TLS 1.2 only.
  std::optional<Record> open(std::string& bytes) {
    ASSERT(!is_tls13_);
    if (bytes.size() < header_bytes) return std::nullopt;
    const std::size_t size = std::size_t{as_bytes(bytes)[3]} << 8 | as_bytes(bytes)[4];
    if (bytes.size() < header_bytes + size) return std::nullopt;
    const std::string record = bytes.substr(0, header_bytes + size);
    bytes.erase(0, record.size());
    if (size < number_bytes + tag_bytes) return Record{};
    const auto type = static_cast<std::uint8_t>(record[0]);
    const std::string nonce_shown = record.substr(header_bytes, number_bytes);
    const std::string sealed =
        record.substr(header_bytes + number_bytes, size - number_bytes - tag_bytes);
    std::string tag = record.substr(record.size() - tag_bytes);
    const std::string aad = in_network_order(number_) + head(type, sealed.size());
    const auto opened = crypt(false, nonce_shown, aad, sealed, tag);
    if (!opened) return Record{};
    ++number_;
    return Record{type, *opened};
  }

  static constexpr std::uint8_t application_data = 23;

 private:
  static constexpr std::size_t header_bytes = 5;
  static constexpr std::size_t number_bytes = 8;
  static constexpr std::size_t tag_bytes = 16;

  static std::string head(std::uint8_t type, std::size_t size) {
    return {static_cast<char>(type), 3, 3, static_cast<char>(size >> 8),
            static_cast<char>(size & 0xFF)};
  }
  static std::string in_network_order(std::uint64_t number) {
    std::string bytes(number_bytes, '\0');
    for (std::size_t i = 0; i < number_bytes; ++i) {
      bytes[i] = static_cast<char>(number >> (56 - 8 * i) & 0xFF);
    }
    return bytes;
  }

  std::array<unsigned char, 12> nonce(const std::string& shown) const {
    auto whole = iv_;
    const std::string number = in_network_order(number_);
    for (std::size_t i = 0; i < number_bytes; ++i) {
      const auto counted = static_cast<std::uint8_t>(whole[4 + i] ^ as_bytes(number)[i]);
      whole[4 + i] = is_tls13_ ? counted : as_bytes(shown)[i];
    }
    return whole;
  }

  /// Nothing: the tag is another one. Sealing fills it in.
  std::optional<std::string> crypt(bool seals, const std::string& nonce_shown,
                                   const std::string& aad, const std::string& in,
                                   std::string& tag) const {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX* const it = context.get();
    std::string out(in.size(), '\0');
    int done = 0;
    unsigned char last[1];
    const bool is_begun =
        EVP_CipherInit_ex(it, cipher_, nullptr, key_.data(), nonce(nonce_shown).data(),
                          seals ? 1 : 0) == 1 &&
        (seals || EVP_CIPHER_CTX_ctrl(it, EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1) &&
        EVP_CipherUpdate(it, nullptr, &done, as_bytes(aad).data(), static_cast<int>(aad.size())) ==
            1 &&
        EVP_CipherUpdate(it, reinterpret_cast<unsigned char*>(out.data()), &done,
                         as_bytes(in).data(), static_cast<int>(in.size())) == 1;
    ASSERT(is_begun);
    if (EVP_CipherFinal_ex(it, last, &done) != 1) return std::nullopt;
    if (seals && EVP_CIPHER_CTX_ctrl(it, EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) != 1) {
      return std::nullopt;
    }
    return out;
  }

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

  bool is_tls13_;
  std::array<unsigned char, 32> key_{};
  std::array<unsigned char, 12> iv_{};
  std::uint64_t number_ = 0;
  const EVP_CIPHER* cipher_ = nullptr;
};

}  // namespace sluice::test
