// The section `notifications`: what is read, and what is refused where.
#include <fmt/format.h>
#include <array>
#include <catch2/catch.hpp>

#include "config/model/secure_url.h"
#include "test_world.h"

using namespace sluice;
using namespace sluice::config;

namespace {

constexpr std::string_view others =
    "version: 1\n"
    "listeners: [{name: in, address: '127.0.0.1:80', target: api}]\n"
    "targets: [{name: api, addresses: ['10.0.0.1:80']}]\n"
    "identity: {anonymous: true}\n"
    "audit: {signing_key: 'file:/key'}\n";

Loaded loaded(std::string_view section) {
  TestWorld world;
  world.files = {{"/chat", "https://hooks.example.com/T0/B0?sig=s3cret\n"},
                 {"/clear", "http://hooks.example.com/s3cret"},
                 {"/here", "http://127.0.0.1:9000/hook"},
                 {"/ca", "PEM"}};
  world.variables = {{"KEY", "0123456789abcdef"}, {"SHORT", "s3cret"}};
  return load_text(fmt::format("{}{}\n", others, section), "a.yaml", world.world());
}

}  // namespace

TEST_CASE("Webhooks have a URL that is a secret, a format, events and limits") {
  const Loaded all = loaded(
      "notifications:\n"
      "  link: https://sluice.example.com/#/requests/{id}\n"
      "  timeout: 2s\n"
      "  give_up_after: 10m\n"
      "  pending: 50\n"
      "  webhooks:\n"
      "    - {name: chat, url: file:/chat, format: slack, events: [waiting, denied]}\n"
      "    - {name: pager, url: file:/here, secret: env:KEY, ca: file:/ca}");
  REQUIRE(texts(all.problems).empty());
  const Notifications& told = all.settings.notifications;
  CHECK(told.link == "https://sluice.example.com/#/requests/{id}");
  CHECK(told.timeout == seconds(2));
  CHECK(told.give_up_after == seconds(600));
  CHECK(told.pending_max == 50);
  REQUIRE(told.webhooks.size() == 2);
  CHECK(told.webhooks[0].url.value == "https://hooks.example.com/T0/B0?sig=s3cret");
  CHECK(told.webhooks[0].format == WebhookFormat::slack);
  CHECK(told.webhooks[0].events == std::vector<std::string>{"waiting", "denied"});
  CHECK(told.webhooks[1].secret->value == "0123456789abcdef");
  CHECK(told.webhooks[1].ca.path == "/ca");
  CHECK(all.settings.text.find("s3cret") == std::string::npos);
}

TEST_CASE("What is wrong with webhooks is told with its place, and no secret is repeated") {
  constexpr auto bad = std::to_array<std::array<const char*, 2>>(
      {{"notifications: {timeout: 1s}", "a.yaml:6:16: 'webhooks' is missing: Who is told."},
       {"notifications: {webhooks: [{name: a, url: 'https://h/s3cret', format: slack}]}",
        "a.yaml:6:43: 'url' must be a reference to a secret, not the secret itself; write "
        "file:PATH, env:NAME or cred:NAME"},
       {"notifications: {webhooks: [{name: a, url: 'file:/clear', format: slack}]}",
        "a.yaml:6:43: 'url': file:/clear holds no URL like https://hooks.example.com/…; http:// is "
        "for this host alone"},
       {"notifications: {webhooks: [{name: a, url: 'file:/chat', secret: 'env:SHORT'}]}",
        "a.yaml:6:65: 'secret' has 6 bytes; at least 16 are needed"},
       {"notifications: {webhooks: [{name: a, url: 'file:/chat'}]}",
        "a.yaml:6:28: the webhook 'a' needs 'secret': a program could not tell the gateway's "
        "messages from others"},
       {"notifications: {webhooks: [{name: a, url: 'file:/chat', format: slack}, {name: a, url: "
        "'file:/chat', format: teams}]}",
        "a.yaml:6:80: webhook 'a' is there twice; first at a.yaml:6"},
       {"notifications: {webhooks: [{name: a, url: 'file:/chat', format: slack, events: [open]}]}",
        "a.yaml:6:81: 'events': no event 'open'; there are waiting, approved, denied, expired, "
        "withdrawn, lost, unreviewed, reviewed"},
       {"notifications: {link: 'https://h/requests', webhooks: [{name: a, url: 'file:/chat', "
        "format: slack}]}",
        "a.yaml:6:23: 'link': 'https://h/requests' is not a URL like "
        "https://sluice.example.com/requests/{id}"},
       {"notifications: {link: 'javascript:{id}', webhooks: [{name: a, url: 'file:/chat', format: "
        "slack}]}",
        "a.yaml:6:23: 'link': 'javascript:{id}' is not a URL like "
        "https://sluice.example.com/requests/{id}"}});
  for (const auto& [section, problems] : bad) {
    INFO(section);
    const std::string found = texts(loaded(section).problems);
    CHECK(found == problems);
    CHECK(found.find("s3cret") == std::string::npos);
  }
}

TEST_CASE("An endpoint is reached over TLS, or is on this host; a query may be in it") {
  for (const char* good : {"https://h.example/a?b=c", "https://h.example:8443/",
                           "http://[::1]:80/x", "http://localhost/?a"}) {
    INFO(good);
    CHECK(is_secure_endpoint(good));
  }
  for (const char* bad : {"http://h.example/", "https://u@h.example/", "https://h.example/#a",
                          "ftp://h/", "https:///a", "https://h.example/a b"}) {
    INFO(bad);
    CHECK_FALSE(is_secure_endpoint(bad));
  }
  CHECK_FALSE(is_secure_url("https://h.example/a?b=c"));
}
