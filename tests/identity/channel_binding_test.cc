// SCRAM-SHA-256-PLUS: a login is worth nothing on another channel than its own.
#include <catch2/catch.hpp>

#include "base/text_codec.h"
#include "identity/scram.h"
#include "must.h"

using namespace sluice;
using namespace sluice::identity;
using sluice::test::must;

namespace {

const ChannelBinding channel(32, 0xA5);
const ChannelBinding other_channel(32, 0x5A);
const std::string salt = "0123456789abcdef";

const ScramKeys& keys() {
  static const ScramKeys derived = derive_scram_keys("pencil", as_bytes(salt), 4096).value();
  return derived;
}

ScramServer server(const ChannelBinding& binding) {
  return {must(make_scram_verifier("pencil", as_bytes(salt), 4096)), "server", binding};
}

/// What a login ends with, between a client and a server that see these channels.
std::string login(std::string_view mechanism, const ChannelBinding& seen_by_client,
                  const ChannelBinding& seen_by_server) {
  ScramServer one = server(seen_by_server);
  ScramClient client("client", mechanism, seen_by_client);
  const auto asked = one.begin(mechanism, client.first());
  if (!asked) return std::string(text(asked.error()));
  REQUIRE(client.challenge(*asked));
  const auto answer = one.finish(client.prove(keys()).value());
  if (!answer) return std::string(text(answer.error()));
  return std::string(text(client.verify(*answer)));
}

/// What comes of a first message.
std::string begun(std::string_view mechanism, const std::string& header,
                  const ChannelBinding& binding) {
  const auto answer = server(binding).begin(mechanism, header + "n=,r=client");
  return answer ? "taken" : std::string(text(answer.error()));
}

}  // namespace

TEST_CASE("binding is offered where there is a channel, and first") {
  CHECK(server({}).mechanisms().size() == 1);
  CHECK(server({}).mechanisms().front() == "SCRAM-SHA-256");
  const ScramServer bound = server(channel);
  REQUIRE(bound.mechanisms().size() == 2);
  CHECK(bound.mechanisms()[0] == "SCRAM-SHA-256-PLUS");
  CHECK(bound.mechanisms()[1] == "SCRAM-SHA-256");
}

TEST_CASE("both ends of one channel agree, those of two do not") {
  CHECK(login(scram_plus_mechanism, channel, channel) == "none");
  CHECK(login(scram_plus_mechanism, channel, other_channel) == "channel_binding");
  CHECK(login(scram_plus_mechanism, {}, channel) == "channel_binding");
  ChannelBinding longer = channel;
  longer.push_back(0);
  CHECK(login(scram_plus_mechanism, longer, channel) == "channel_binding");
  CHECK(login(scram_plus_mechanism, channel, {}) == "malformed");  // nobody offered it
  CHECK(login(scram_mechanism, {}, channel) == "none");
  CHECK(login(scram_mechanism, {}, {}) == "none");
}

TEST_CASE("a client notices for the server that the offer of binding was taken away") {
  // It could bind, and chose the plain mechanism: so it saw no other.
  CHECK(ScramClient("client", scram_mechanism, channel).first() == "y,,n=,r=client");
  CHECK(login(scram_mechanism, channel, channel) == "channel_binding");
  CHECK(login(scram_mechanism, channel, {}) == "none");
}

TEST_CASE("what the first message says of binding fits the mechanism, or is refused") {
  const std::string bound = "p=tls-server-end-point,,";
  CHECK(begun(scram_plus_mechanism, bound, channel) == "taken");
  CHECK(begun(scram_mechanism, "n,,", channel) == "taken");
  for (const char* const header : {"n,,", "y,,", "p=tls-unique,,", "p=tls-exporter,,", "p=,,",
                                   "p=tls-server-end-poin,,", "p=tls-server-end-points,,"}) {
    CAPTURE(header);
    CHECK(begun(scram_plus_mechanism, header, channel) == "channel_binding");
  }
  CHECK(begun(scram_mechanism, bound, channel) == "channel_binding");
  CHECK(begun(scram_mechanism, bound, {}) == "channel_binding");
  CHECK(begun(scram_plus_mechanism, "p=tls-server-end-point,a=root,", channel) == "unsupported");
  for (const char* const header :
       {"p=tls-server-end-point,", "p=tls-server-end-point", "x,,", ""}) {
    CAPTURE(header);
    CHECK_FALSE(begun(scram_plus_mechanism, header, channel) == "taken");
  }
  for (const char* const mechanism : {"", "SCRAM-SHA-1", "SCRAM-SHA-256-PLU", "scram-sha-256"}) {
    CHECK(begun(mechanism, "n,,", channel) == "malformed");
  }
}

TEST_CASE("a client is held to the header and the channel that it began with") {
  const auto finish = [](const std::string& input) {
    ScramServer one = server(channel);
    REQUIRE(one.begin(scram_plus_mechanism, "p=tls-server-end-point,,n=,r=client"));
    const std::string proof = to_base64(Digest{});
    const auto answer =
        one.finish("c=" + to_base64(as_bytes(input)) + ",r=clientserver,p=" + proof);
    return std::string(text(answer.error()));
  };
  const std::string end_point(as_text(channel));
  CHECK(finish("p=tls-server-end-point,," + end_point) == "wrong_proof");  // as far as it goes
  CHECK(finish("p=tls-server-end-point,,") == "channel_binding");
  CHECK(finish("n,,") == "channel_binding");
  CHECK(finish("n,," + end_point) == "channel_binding");
  CHECK(finish("p=tls-unique,," + end_point) == "channel_binding");
  CHECK(finish("p=tls-server-end-point,," + end_point + "x") == "channel_binding");
}
