// SCRAM-SHA-256, both sides, against messages of anyone's choosing.
//
// The first byte picks what the rest is, its highest bit whether the login is bound to a
// channel. Oracles: nobody is let in, and no server
// believed, without the keys; who has them is, whatever the nonces; a verifier that
// is taken is written back as it was.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "identity/scram.h"
#include "identity/scram_attributes.h"

namespace {

using namespace sluice;
using namespace sluice::identity;

const ScramKeys& keys() {
  static const ScramKeys derived =
      derive_scram_keys("password", as_bytes("0123456789abcdef"), scram_iterations_min).value();
  return derived;
}

ScramVerifier verifier() {
  const ByteView salt = as_bytes("0123456789abcdef");
  return {scram_iterations_min, {salt.begin(), salt.end()}, keys().stored_key, keys().server_key};
}

/// What comes before and behind the first zero byte.
struct Halves {
  explicit Halves(std::string_view input)
      : first(input.substr(0, input.find('\0'))),
        second(input.substr(std::min(input.size(), first.size() + 1))) {}
  std::string_view first;
  std::string_view second;
};

/// How a login is bound to its channel, if it is.
struct Bound {
  std::string_view mechanism = scram_mechanism;
  ChannelBinding channel;
};

Bound bound_if(bool is_bound) {
  if (!is_bound) return {};
  return {scram_plus_mechanism, ChannelBinding(32, 0xA5)};
}

void check_server(const Halves& messages, const Bound& bound) {
  ScramServer server(verifier(), "server", bound.channel);
  const auto answer = server.begin(bound.mechanism, messages.first);
  if (answer && !answer->starts_with("r=")) std::abort();
  if (server.finish(messages.second)) std::abort();
}

void check_client(const Halves& messages, const Bound& bound) {
  ScramClient client("client", bound.mechanism, bound.channel);
  const auto challenge = client.challenge(messages.first);
  if (challenge && (challenge->salt.empty() || challenge->iterations < scram_iterations_min ||
                    challenge->iterations > scram_iterations_max)) {
    std::abort();
  }
  if (client.prove(keys()).has_value() != challenge.has_value()) std::abort();
  if (client.verify(messages.second) == ScramFault::none) std::abort();
}

void check_verifier(std::string_view text) {
  const auto verifier = ScramVerifier::parse(text);
  if (verifier && verifier->text() != text) std::abort();
}

void check_both(const Halves& nonces, const Bound& bound) {
  constexpr std::size_t nonce_bytes_max = 200;  // well within a message
  if (!is_nonce(nonces.first) || !is_nonce(nonces.second)) return;
  if (nonces.first.size() + nonces.second.size() > nonce_bytes_max) return;
  ScramClient client(nonces.first, bound.mechanism, bound.channel);
  ScramServer server(verifier(), nonces.second, bound.channel);
  const auto asked = server.begin(bound.mechanism, client.first());
  if (!asked || !client.challenge(*asked)) std::abort();
  const auto proof = client.prove(keys());
  if (!proof) std::abort();
  const auto answer = server.finish(*proof);
  if (!answer || client.verify(*answer) != ScramFault::none) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 2 * scram_message_bytes_max) return 0;
  const std::string_view input = as_text({data + 1, size - 1});
  const Bound bound = bound_if((data[0] & 0x80) != 0);
  switch (data[0] % 4) {
    case 0:
      check_server(Halves(input), bound);
      break;
    case 1:
      check_client(Halves(input), bound);
      break;
    case 2:
      check_verifier(input);
      break;
    default:
      check_both(Halves(input), bound);
      break;
  }
  return 0;
}
