#include "dataplane/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"

namespace sluice::dataplane {
namespace {

using Secret = std::array<std::uint8_t, 32>;

Secret derived(const Secret& from, std::string_view purpose) noexcept {
  Secret out;
  const auto* const made = HMAC(EVP_sha256(), from.data(), static_cast<int>(from.size()),
                                as_bytes(purpose).data(), purpose.size(), out.data(), nullptr);
  ASSERT(made != nullptr);
  return out;
}

constexpr int ticket_refused = 0;  // the handshake goes on without it
constexpr int ticket_taken = 1;
constexpr int ticket_taken_once = 2;  // and the client gets another one
constexpr int failed = -1;

/// An SSL_CTX_set_tlsext_ticket_key_evp_cb callback: seals a ticket, or opens one.
int set_up_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, int seals) {
  const auto& keys = *static_cast<const TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const TicketKeys::Key* const key =
      seals != 0 ? &keys.current() : keys.find(TicketKeys::Name(name, TicketKeys::name_bytes));
  if (key == nullptr) return ticket_refused;
  if (seals != 0) {
    std::ranges::copy(key->name, name);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return failed;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM how[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(mac, key->mac.data(), key->mac.size(), how) != 1 ||
      EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key->cipher.data(), iv, seals, nullptr) != 1) {
    return failed;
  }
  if (seals != 0) return ticket_taken;
  // A ticket that is shown twice links connections (RFC 8446 §C.4).
  return SSL_version(ssl) == TLS1_3_VERSION || key != &keys.current() ? ticket_taken_once
                                                                      : ticket_taken;
}

}  // namespace

TicketSeed::TicketSeed(Instant since) : since_(since) {
  const int made = RAND_priv_bytes(bytes_.data(), static_cast<int>(bytes_.size()));
  ASSERT(made == 1);
}

TicketSeed::~TicketSeed() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

TicketKeys::TicketKeys(const TicketSeed& seed) : chain_(seed.bytes_), next_(seed.since_) {
  step();
}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(chain_.data(), chain_.size());
  OPENSSL_cleanse(keys_.data(), sizeof(keys_));
}

const TicketKeys::Key* TicketKeys::find(Name name) const noexcept {
  // Before the first step is over there is one key only.
  const auto good = std::span(keys_).first(std::min<std::uint64_t>(steps_, keys_.size()));
  const auto found = std::ranges::find_if(
      good, [name](const Key& key) { return std::ranges::equal(key.name, name); });
  return found == good.end() ? nullptr : &*found;
}

void TicketKeys::step() noexcept {
  keys_[1] = keys_[0];
  const Secret name = derived(chain_, "name");
  std::copy_n(name.begin(), name_bytes, keys_[0].name.begin());
  keys_[0].cipher = derived(chain_, "cipher");
  keys_[0].mac = derived(chain_, "mac");
  chain_ = derived(chain_, "next");
  next_ = next_ + lifetime;
  ++steps_;
}

void use_tickets(SSL_CTX* context, const TicketKeys& keys) noexcept {
  SSL_CTX_set_app_data(context, const_cast<TicketKeys*>(&keys));
  SSL_CTX_set_timeout(context, TicketKeys::lifetime.ns / seconds(1).ns);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, set_up_ticket);
}

}  // namespace sluice::dataplane
