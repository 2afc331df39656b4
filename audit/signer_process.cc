#include "audit/signer_process.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "audit/checkpoint.h"
#include "audit/package_statement.h"
#include "audit/signer_protocol.h"
#include "audit/signer_sandbox.h"
#include "audit/signer_state.h"

namespace sluice::audit {
namespace {

using Clock = std::chrono::steady_clock;
using signer_protocol::Message;

/// A power cut may take back so much of what it remembers; nothing else does.
constexpr auto sync_every = std::chrono::seconds(1);
/// No checkpoint: that begins with an origin, which has no spaces. No package either.
constexpr std::string_view trial_text = "sluice trial signature";
constexpr std::size_t secure_heap_bytes = 16 << 10;
constexpr std::size_t arguments_min = 9;

class SignatureServer {
 public:
  SignatureServer(int socket, Signer key, SignerState state, Duration seal_every)
      : socket_(socket), key_(std::move(key)), state_(std::move(state)), seal_every_(seal_every) {}

  [[nodiscard]] bool greet() {
    const auto& sealing = state_.sealing();
    return send(signer_protocol::encode(
        signer_protocol::Greeting{key_.derived_keys(), state_.heads(), key_.verifier().line(),
                                  sealing ? sealing->note : std::string()}));
  }

  /// Until the gateway is gone.
  void run() {
    std::array<std::uint8_t, signer_protocol::message_bytes_max + 1> buffer{};
    for (;;) {
      if (!wait()) continue;
      const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      if (!send(answer(ByteView(buffer).first(static_cast<std::size_t>(got))))) break;
    }
    static_cast<void>(state_.sync());  // nobody is left to be told
  }

 private:
  /// False: there was only something to sync.
  bool wait() {
    ::pollfd waiting{socket_, POLLIN, 0};
    const int patience = is_dirty_ ? milliseconds_left() : -1;
    if (::poll(&waiting, 1, patience) != 0 && !is_sync_due()) return true;
    // A failed one comes to light at the next request, which waits for another.
    has_failed_ = !state_.sync();
    is_dirty_ = false;
    return waiting.revents != 0;
  }

  [[nodiscard]] int milliseconds_left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(sync_due_ - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  [[nodiscard]] bool is_sync_due() const { return is_dirty_ && Clock::now() >= sync_due_; }

  Message answer(ByteView message) {
    if (const auto manifest = signer_protocol::parse_package(message)) return package(*manifest);
    const auto request = signer_protocol::parse_request(message);
    if (!request)
      return signer_protocol::encode_refusal("the signer was asked for nothing it knows");
    const Extension& next = request->next;
    const auto after = state_.heads().after(next);
    if (!after) {
      return signer_protocol::encode_refusal(
          "the signer refuses: the checkpoint does not continue what it signed");
    }
    if (auto done = remember(*after); !done) {
      return signer_protocol::encode_refusal(done.error().message);
    }
    const auto signature = key_.sign(
        as_bytes(checkpoint_text(key_.verifier().origin(), next.now.size, next.now.root)));
    if (!signature) return signer_protocol::encode_refusal(signature.error().message);
    auto seal = seal_when_due(request->sealed);
    if (!seal) return signer_protocol::encode_refusal(seal.error().message);
    return signer_protocol::encode(signer_protocol::Answer{*signature, std::move(*seal)});
  }

  /// Nothing to remember: it says nothing of the log.
  Message package(const Hash& manifest) {
    const auto signature = key_.sign(as_bytes(package_statement(manifest)));
    if (!signature) return signer_protocol::encode_refusal(signature.error().message);
    return signer_protocol::encode(signer_protocol::Answer{*signature, {}});
  }

  /// A new seal, once the log has the one before; empty while none is due. Of the tree that
  /// was continued: the log keeps that one whatever becomes of the next.
  Result<std::string> seal_when_due(std::uint64_t sealed) {
    const auto& sealing = state_.sealing();
    const auto now =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                       std::chrono::system_clock::now().time_since_epoch())
                                       .count());
    if (sealing && (sealed != sealing->seal.number || !is_seal_due(sealing->seal, now))) {
      return std::string();
    }
    auto next =
        next_seal(key_, sealing ? &*sealing : nullptr, state_.heads().kept, now, seal_every_);
    if (!next) return tl::unexpected(next.error());
    if (auto done = state_.keep(std::move(*next)); !done) return tl::unexpected(done.error());
    sealed_at_ = Clock::now();
    return state_.sealing()->note;
  }

  /// By either clock: one that was set back must not put it off.
  [[nodiscard]] bool is_seal_due(const Seal& seal, std::uint64_t now) const {
    return now >= seal.until ||
           Clock::now() - sealed_at_ >= std::chrono::nanoseconds(seal_every_.ns);
  }

  /// Before the signature leaves.
  Result<void> remember(const SignedHeads& heads) {
    if (auto done = state_.store(heads); !done) return done;
    if (has_failed_) {
      if (auto done = state_.sync(); !done) return done;
      has_failed_ = false;
    }
    if (!is_dirty_) sync_due_ = Clock::now() + sync_every;
    is_dirty_ = true;
    return {};
  }

  [[nodiscard]] bool send(const Message& message) const {
    return ::send(socket_, message.data(), message.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(message.size());
  }

  int socket_;
  Signer key_;
  SignerState state_;
  Duration seal_every_;
  Clock::time_point sealed_at_ = Clock::now();
  bool is_dirty_ = false;       ///< There is something to sync,
  Clock::time_point sync_due_;  ///< at the latest then.
  bool has_failed_ = false;     ///< The last sync did.
};

Result<void> try_out(Signer& key) {
  const ByteView text = as_bytes(trial_text);
  const auto trial = key.sign(text);
  if (!trial) return fail("audit.signing_key: " + trial.error().message);
  if (!key.verifier().verify(text, *trial)) {
    return fail("audit.signing_key: what it signs does not verify with its public key");
  }
  return {};
}

/// All that needs the world, before it is given up. What root may read is read as root; a
/// token's module, which is not ours, is loaded as the signer's user. A trial signature
/// shows that the key works, and has OpenSSL and the module load what they want to load;
/// another, that they need no more of the world than is left.
Result<SignatureServer> prepare(int socket, const SignerSettings& settings) {
  // Never swapped out, where the system allows it.
  static_cast<void>(CRYPTO_secure_malloc_init(secure_heap_bytes, 32));
  const bool is_token = !settings.token.uri.empty();
  Result<Signer> key = fail("no key");
  std::string pin;
  if (is_token) {
    auto read = read_pin(settings.token);
    if (!read) return tl::unexpected(read.error());
    pin = std::move(*read);
  } else {
    key = Signer::load(settings.key);
    if (!key) return fail("audit.signing_key: " + key.error().message);
  }
  auto state = SignerState::open(settings.state);
  if (!state) return tl::unexpected(state.error());
  if (auto done = leave_gateway_user(settings.user); !done) return tl::unexpected(done.error());
  if (is_token) {
    key = open_token_key(settings.token, pin);
    OPENSSL_cleanse(pin.data(), pin.size());
    if (!key) return tl::unexpected(key.error());
  }
  if (auto done = state->recall(key->verifier()); !done) return tl::unexpected(done.error());
  if (auto done = try_out(*key); !done) return tl::unexpected(done.error());
  const SignerCalls calls = is_token ? SignerCalls::token : SignerCalls::key_in_memory;
  if (auto done = enter_signer_sandbox(calls); !done) return tl::unexpected(done.error());
  if (auto done = try_out(*key); !done) {
    return fail(done.error().message +
                ", once it is confined (docs/operations.md, \"Keys in a "
                "token\")");
  }
  return SignatureServer(socket, std::move(*key), std::move(*state), settings.seal_every);
}

}  // namespace

int serve_signatures(int socket, const SignerSettings& settings) {
  // The terminal's and the service manager's signals are for the gateway, which still
  // needs signatures while it drains; it ends this process by closing the socket.
  ::sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  auto server = prepare(socket, settings);
  if (!server) {
    const Message refusal = signer_protocol::encode_refusal(server.error().message);
    static_cast<void>(::send(socket, refusal.data(), refusal.size(), MSG_NOSIGNAL));
    return 1;
  }
  if (!server->greet()) return 1;
  server->run();
  return 0;
}

std::vector<std::string> signer_arguments(const SignerSettings& settings) {
  const TokenSettings& token = settings.token;
  std::vector<std::string> out{signer_process_name,
                               settings.key,
                               settings.state,
                               settings.user,
                               std::to_string(settings.seal_every.ns),
                               token.uri,
                               token.origin,
                               token.module,
                               token.pin};
  out.insert(out.end(), token.environment.begin(), token.environment.end());
  return out;
}

int signer_main(int argc, char** argv) {
  const std::vector<std::string> given(argv, argv + argc);
  if (given.size() < arguments_min) return 1;
  ::prctl(PR_SET_NAME, signer_process_name);
  const SignerSettings settings{
      given[1],
      given[2],
      given[3],
      {std::strtoll(given[4].c_str(), nullptr, 10)},
      {given[5], given[6], given[7], given[8], {given.begin() + arguments_min, given.end()}}};
  return serve_signatures(signer_socket, settings);
}

}  // namespace sluice::audit
