#include "identity/secret_hash.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "base/text_codec.h"
#include "config/load/quantity.h"

namespace sluice::identity {
namespace {

constexpr std::uint64_t cost_min = std::uint64_t{1} << 14;
constexpr std::uint64_t lanes_max = 16;
constexpr std::uint64_t memory_bytes_max = std::uint64_t{256} << 20;
constexpr std::size_t salt_bytes_min = 16;

struct Context {
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm{
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free};
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

/// Bytes that scrypt works in, RFC 7914 §2: 128 · r · (N + p + a little).
std::uint64_t memory_bytes(const ScryptHash& hash) noexcept {
  return 128 * hash.block * (hash.cost + hash.lanes + 2);
}

}  // namespace

std::optional<Digest> sha256(std::string_view text) noexcept {
  // Fetching an algorithm costs more than hashing a key, so a thread does it once.
  static thread_local const Context context;
  if (!context.algorithm || !context.state) return std::nullopt;
  Digest digest{};
  EVP_MD_CTX* state = context.state.get();
  if (EVP_DigestInit_ex2(state, context.algorithm.get(), nullptr) != 1 ||
      EVP_DigestUpdate(state, text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(state, digest.data(), nullptr) != 1) {
    return std::nullopt;
  }
  return digest;
}

bool equal(const Digest& a, const Digest& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<ScryptHash> ScryptHash::parse(std::string_view text) {
  std::array<std::string_view, 5> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t end = text.find('$');
    if ((end == std::string_view::npos) != (i + 1 == parts.size())) {
      return fail("a scrypt hash is N$r$p$salt$hash");
    }
    parts[i] = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), parts[i].size() + 1));
  }
  const auto cost = config::parse_count(parts[0]);
  const auto block = config::parse_count(parts[1]);
  const auto lanes = config::parse_count(parts[2]);
  auto salt = from_base64(parts[3]);
  const auto hash = from_base64(parts[4]);
  if (!cost || !block || !lanes || !salt || !hash) return fail("a scrypt hash is N$r$p$salt$hash");

  ScryptHash result;
  if (*cost < cost_min || !std::has_single_bit(*cost) || *cost > memory_bytes_max) {
    return fail(fmt::format("scrypt's N must be a power of two, at least {}", cost_min));
  }
  if (*block < 8 || *block > 64) return fail("scrypt's r must be between 8 and 64");
  if (*lanes < 1 || *lanes > lanes_max) {
    return fail(fmt::format("scrypt's p must be between 1 and {}", lanes_max));
  }
  result.cost = *cost;
  result.block = *block;
  result.lanes = *lanes;
  if (memory_bytes(result) > memory_bytes_max) {
    return fail(fmt::format("scrypt with this N and r takes more than {}",
                            config::size_text(memory_bytes_max)));
  }
  if (salt->size() < salt_bytes_min || salt->size() > 64) {
    return fail("a scrypt salt has 16 to 64 bytes");
  }
  if (hash->size() != result.hash.size()) return fail("a scrypt hash has 32 bytes");
  result.salt = std::move(*salt);
  std::copy(hash->begin(), hash->end(), result.hash.begin());
  return result;
}

std::string ScryptHash::text() const {
  return fmt::format("{}${}${}${}${}", cost, block, lanes, to_base64(salt), to_base64(hash));
}

std::optional<Digest> scrypt(std::string_view secret, const ScryptHash& like) noexcept {
  Digest digest{};
  if (EVP_PBE_scrypt(secret.data(), secret.size(), like.salt.data(), like.salt.size(), like.cost,
                     like.block, like.lanes, memory_bytes_max + (std::uint64_t{1} << 20),
                     digest.data(), digest.size()) != 1) {
    return std::nullopt;
  }
  return digest;
}

}  // namespace sluice::identity
