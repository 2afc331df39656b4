#include "identity/md5_password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "base/text_codec.h"

namespace sluice::identity {
namespace {

constexpr std::size_t md5_bytes = 16;

std::optional<std::string> md5_hex(std::string_view text) {
  std::array<std::uint8_t, md5_bytes> digest{};
  std::size_t size = digest.size();
  if (EVP_Q_digest(nullptr, "MD5", nullptr, text.data(), text.size(), digest.data(), &size) != 1) {
    return std::nullopt;
  }
  return to_hex(digest);
}

}  // namespace

std::optional<std::string> md5_password(std::string_view user, std::string_view password,
                                        ByteView salt) {
  std::string secret(password);
  secret += user;
  auto inner = md5_hex(secret);
  OPENSSL_cleanse(secret.data(), secret.size());
  if (!inner) return std::nullopt;
  inner->append(as_text(salt));
  const auto outer = md5_hex(*inner);
  OPENSSL_cleanse(inner->data(), inner->size());
  if (!outer) return std::nullopt;
  return "md5" + *outer;
}

}  // namespace sluice::identity
