#include "dataplane/tls/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "dataplane/tls/peer_certificate.h"

namespace sluice::dataplane {
namespace {

bool is_ip_address(const std::string& name) {
  std::array<std::uint8_t, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

/// What OpenSSL asks of a BIO whose records the kernel makes. Its public headers name two of
/// these; the others are the numbers between them, as a comment in openssl/bio.h has them.
constexpr int set_kernel_key = 72;    // number: 1 for sending; pointer: tls12_crypto_info_*
constexpr int name_next_record = 74;  // number: type of what is written next
constexpr int forget_record_name = 75;

/// What is left of earlier errors would be taken for ours.
void forget_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

/// RFC 5929 §4.1: hashed as it was signed, but not by MD5 or SHA-1.
std::vector<std::uint8_t> end_point_of(X509* certificate) {
  int hash = NID_undef;
  const bool is_known = certificate != nullptr &&
                        X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr) == 1;
  if (!is_known || hash == NID_undef) return {};
  if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
  std::vector<std::uint8_t> digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const EVP_MD* const method = EVP_get_digestbynid(hash);
  if (method == nullptr || X509_digest(certificate, method, digest.data(), &size) != 1) size = 0;
  digest.resize(size);
  return digest;
}

}  // namespace

/// OpenSSL's way to the wire: a source and sink without a descriptor.
struct TlsStream::WireMethod {
  static TlsStream& stream(BIO* bio) noexcept {
    return *static_cast<TlsStream*>(BIO_get_data(bio));
  }

  static int read(BIO* bio, char* data, std::size_t size, std::size_t* done) {
    BIO_clear_retry_flags(bio);
    TlsStream& self = stream(bio);
    ByteView& in = self.wire_.in;
    *done = std::min(size, in.size());
    if (*done == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(data, in.data(), *done);
    if (self.received_key_) self.records_.pass(in.first(*done));
    in = in.subspan(*done);
    return 1;
  }

  static int write(BIO* bio, const char* data, std::size_t size, std::size_t* done) {
    BIO_clear_retry_flags(bio);
    TlsStream& self = stream(bio);
    TlsOutput& out = *self.wire_.out;
    *done = 0;
    if (self.kernel_state_ == KernelState::placed) {
      if (self.record_type_ == 0) return -1;
      // Records are not joined: one leaves before there is room for the next.
      if (out.size_bytes == 0 && size <= out.room.size()) *done = size;
      out.record_type = self.record_type_;
    } else if (self.kernel_state_ != KernelState::given) {
      *done = std::min(size, out.left_bytes());
    }
    if (*done == 0) {
      BIO_set_retry_write(bio);
      return 0;
    }
    std::memcpy(out.room.data() + out.size_bytes, data, *done);
    out.size_bytes += *done;
    self.record_type_ = 0;
    return 1;
  }

  static long control(BIO* bio, int command, long number, void* pointer) {
    TlsStream& self = stream(bio);
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case set_kernel_key:
        if (number != 0) return self.take_key(pointer) ? 1 : 0;
        self.keep_received_key(pointer);
        return 0;  // it reads on by itself
      case BIO_CTRL_GET_KTLS_SEND:
        return self.kernel_state_ >= KernelState::given ? 1 : 0;
      case name_next_record:
        self.record_type_ = static_cast<std::uint8_t>(number);
        return 0;
      case forget_record_name:
        self.record_type_ = 0;
        return 0;
      default:
        return 0;
    }
  }

  static BIO_METHOD* make() {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    ASSERT(method != nullptr && BIO_meth_set_read_ex(method, read) == 1 &&
           BIO_meth_set_write_ex(method, write) == 1 && BIO_meth_set_ctrl(method, control) == 1);
    return method;
  }

  static BIO* open(TlsStream& stream) {
    static const BIO_METHOD* const method = make();
    BIO* const bio = BIO_new(method);
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, &stream);
    BIO_set_init(bio, 1);
    return bio;
  }
};

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context, const std::string& peer_name)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  BIO* const bio = ssl_ ? WireMethod::open(*this) : nullptr;
  if (bio == nullptr) {
    forget_errors();
    give_up(TlsFault::no_room);
    return;
  }
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  if (is_server()) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    expect_peer(peer_name);
  }
}

TlsStream::~TlsStream() = default;

void TlsStream::offer_to_kernel(const KernelTls& kernel) noexcept {
  ASSERT(state_ == State::handshake && kernel_state_ == KernelState::none);
  kernel_ = kernel;
  kernel_state_ = KernelState::offered;
  SSL_set_options(ssl_.get(), SSL_OP_ENABLE_KTLS);
  // The kernel makes a record of each by itself: a ticket would not leave with an answer.
  if (is_server() && context_->gives_tickets()) SSL_set_num_tickets(ssl_.get(), 1);
}

bool TlsStream::take_key(const void* crypto_info) noexcept {
  if (kernel_state_ != KernelState::offered) return false;
  auto key = KernelTlsKeys::copy(crypto_info);
  if (!key || !kernel_.takes(*key)) return false;
  key_ = key;
  kernel_state_ = KernelState::given;
  return true;
}

void TlsStream::key_is_placed() noexcept {
  ASSERT(kernel_state_ == KernelState::given);
  kernel_state_ = KernelState::placed;
  key_.reset();
}

/// OpenSSL has read the peer's ChangeCipherSpec, and nothing behind it: what comes is counted from
/// here on. It gives such a key of TLS 1.2 only. One that reads ahead could not be counted.
void TlsStream::keep_received_key(const void* crypto_info) noexcept {
  const bool may_be = kernel_state_ != KernelState::none && state_ == State::handshake;
  if (!may_be || SSL_get_read_ahead(ssl_.get()) != 0) return;
  auto key = KernelTlsKeys::copy(crypto_info);
  if (key && kernel_.opens(*key)) received_key_ = key;
}

std::optional<KernelTlsKeys> TlsStream::received_key() const noexcept {
  const bool is_now = received_key_ && state_ == State::open && is_kernels() && !has_peer_ended_ &&
                      records_.is_between() && !has_plaintext();
  if (!is_now) return std::nullopt;
  KernelTlsKeys key = *received_key_;
  key.skip(records_.whole());
  return key;
}

void TlsStream::received_key_is_placed() noexcept {
  ASSERT(received_key_);
  received_key_.reset();
  is_opened_by_kernel_ = true;
}

void TlsStream::hear(std::uint8_t type, ByteView content) noexcept {
  ASSERT(is_opened_by_kernel_);
  if (is_over()) return;
  const bool is_alert = type == SSL3_RT_ALERT && content.size() == 2;  // RFC 5246 §7.2
  if (is_alert && content[1] == SSL_AD_CLOSE_NOTIFY) {
    has_peer_ended_ = true;
  } else {
    give_up(is_alert ? TlsFault::alert : TlsFault::malformed);
  }
}

/// RFC 9110 §4.3.4 and RFC 6125 §6.4: the names in the certificate's subjectAltName count, and
/// a wildcard stands for a whole label.
void TlsStream::expect_peer(const std::string& peer_name) {
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  bool is_set = false;
  if (is_ip_address(peer_name)) {
    is_set = X509_VERIFY_PARAM_set1_ip_asc(rules, peer_name.c_str()) == 1;
  } else {
    is_set = X509_VERIFY_PARAM_set1_host(rules, peer_name.c_str(), 0) == 1 &&
             SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                      const_cast<char*>(peer_name.c_str())) == 1;
  }
  // Without a name every certificate of a trusted authority would do.
  ASSERT(!peer_name.empty());
  if (!is_set) give_up(TlsFault::no_room);
}

TlsStream::Read TlsStream::read(ByteView in, ByteSpan plain, TlsOutput& out) noexcept {
  ASSERT(!is_opened_by_kernel_);
  Read done;
  if (state_ == State::failed) return {in.size(), 0};
  wire_ = {in, &out};
  forget_errors();
  if (state_ == State::handshake) shake_hands();
  while (state_ == State::open && !has_peer_ended_ && done.plain_bytes < plain.size() &&
         (!wire_.in.empty() || has_plaintext())) {
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), plain.data() + done.plain_bytes,
                                   plain.size() - done.plain_bytes, &size);
    done.plain_bytes += size;
    if (result != 1 && !goes_on(result)) break;
  }
  // RFC 8446 §4.6.3: a peer that wants new keys on both sides is to hear of ours before anything
  // else, and kernels before 6.14 take one key for a connection.
  if (is_kernels() && SSL_get_key_update_type(ssl_.get()) != SSL_KEY_UPDATE_NONE) {
    give_up(TlsFault::key_update);
  }
  done.taken_bytes = is_over() ? in.size() : in.size() - wire_.in.size();
  wire_ = {};
  return done;
}

void TlsStream::shake_hands() noexcept {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    state_ = State::open;
    owes_ticket_ = is_server() && context_->gives_tickets() && is_tls13() &&
                   kernel_state_ == KernelState::none;
  } else {
    static_cast<void>(goes_on(result));
  }
}

/// What a call without success means: false when it must not be tried again now.
bool TlsStream::goes_on(int result) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return !wire_.in.empty();
    case SSL_ERROR_WANT_WRITE:
      return false;
    case SSL_ERROR_ZERO_RETURN:
      has_peer_ended_ = true;
      return false;
    default:
      failure_ = take_tls_failure(SSL_get_verify_result(ssl_.get()));
      // Behind a handshake it was TLS, and somebody changed it.
      if (state_ == State::open && failure_.fault == TlsFault::not_tls) {
        failure_.fault = TlsFault::malformed;
      }
      state_ = State::failed;
      return false;
  }
}

bool TlsStream::has_plaintext() const noexcept {
  return state_ == State::open && SSL_pending(ssl_.get()) > 0;
}

std::size_t TlsStream::write(ByteView plain, TlsOutput& out) noexcept {
  ASSERT(state_ == State::open && kernel_state_ < KernelState::given);
  const std::size_t overhead = tls_overhead_bytes_max + (owes_ticket_ ? tls_ticket_bytes_max : 0);
  if (out.left_bytes() <= overhead) return 0;
  wire_ = {{}, &out};
  forget_errors();
  // With the first answer, not with the handshake: that would be a send of its own. One is
  // enough: who resumes gets the next, and a second would be a fourteenth of a handshake.
  if (std::exchange(owes_ticket_, false)) SSL_new_session_ticket(ssl_.get());
  const std::size_t wanted =
      std::min({plain.size(), tls_record_bytes_max, out.left_bytes() - overhead});
  std::size_t taken = 0;
  const int result = SSL_write_ex(ssl_.get(), plain.data(), wanted, &taken);
  if (result != 1) static_cast<void>(goes_on(result));
  wire_ = {};
  return taken;
}

void TlsStream::end(TlsOutput& out) noexcept {
  ASSERT(state_ == State::open);
  wire_ = {{}, &out};
  forget_errors();
  const int result = SSL_shutdown(ssl_.get());
  if (result < 0) static_cast<void>(goes_on(result));
  wire_ = {};
}

void TlsStream::give_up(TlsFault fault) noexcept {
  state_ = State::failed;
  failure_ = {fault, {}};
}

bool TlsStream::is_tls13() const noexcept {
  return SSL_version(ssl_.get()) == TLS1_3_VERSION;
}

bool TlsStream::is_resumed() const noexcept {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string_view TlsStream::cipher() const noexcept {
  const char* const name = SSL_get_cipher_name(ssl_.get());
  return name == nullptr ? std::string_view() : name;
}

std::string_view TlsStream::alpn() const noexcept {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return name == nullptr ? std::string_view() : as_text({name, size});
}

std::string_view TlsStream::server_name() const noexcept {
  const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

SecureChannel TlsStream::channel() const {
  forget_errors();
  X509* const peer = SSL_get0_peer_certificate(ssl_.get());
  const bool is_asked = (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0;
  SecureChannel channel;
  const config::Protocol inside =
      is_server() ? context_->server()->protocol : context_->client()->protocol;
  if (binds_channel(inside)) {
    channel.server_end_point = end_point_of(is_server() ? SSL_get_certificate(ssl_.get()) : peer);
  }
  channel.is_verified =
      is_asked && peer != nullptr && SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  if (is_server() && channel.is_verified) {
    channel.client = PeerCertificate::of(ssl_.get(), context_->server()->clients->digest());
  }
  return channel;
}

void TlsStream::note_refused(const X509* certificate) noexcept {
  refused_ = fingerprint_of(certificate);
}

}  // namespace sluice::dataplane
