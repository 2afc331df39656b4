#include "control/notifications/payload.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace sluice;
using namespace sluice::control;
using config::WebhookFormat;
using nlohmann::json;

namespace {

Notice notice() {
  return {.event = "waiting",
          .request = "7KQ2M9XF",
          .requester = "clerk",
          .target = "ledger",
          .protocol = "postgres",
          .verb = "delete",
          .resource = "DELETE FROM postings",
          .until = "2025-11-26T09:50:00.000Z",
          .rules = {{"bulk deletes need a second person", "2 of dba"}},
          .at = {1'764'150'000'000'000'000}};
}

constexpr std::string_view page_link = "https://gw.example.com/requests/7KQ2M9XF";

}  // namespace

TEST_CASE("a generic body says all there is to know, for programs") {
  const json page = json::parse(payload(WebhookFormat::generic, notice(), page_link));
  CHECK(page["event"] == "waiting");
  CHECK(page["request"] == "7KQ2M9XF");
  CHECK(page["resource"] == "DELETE FROM postings");
  CHECK(page["rules"][0]["needed"] == "2 of dba");
  CHECK(page["at"] == "2025-11-26T09:40:00Z");
  CHECK(page["until"] == "2025-11-26T09:50:00.000Z");
  CHECK(page["link"] == page_link);
  CHECK(page["decisions"].empty());
}

TEST_CASE("a message of Slack has a title, facts, the operation and a link") {
  const json page = json::parse(payload(WebhookFormat::slack, notice(), page_link));
  CHECK(page["text"] == "Request 7KQ2M9XF waits for approval");
  REQUIRE(page["blocks"].size() == 4);
  CHECK(page["blocks"][0]["text"]["type"] == "plain_text");
  CHECK(page["blocks"][1]["text"]["text"] ==
        "Who asks: clerk\nTarget: ledger\nRule: bulk deletes need a second person (2 of dba)\n"
        "Until: 2025-11-26T09:50:00.000Z\n");
  CHECK(page["blocks"][3]["text"]["text"] == "<https://gw.example.com/requests/7KQ2M9XF|Show it>");
}

TEST_CASE("a card of Teams has the same, and opens the link") {
  const json page = json::parse(payload(WebhookFormat::teams, notice(), page_link));
  const json& card = page["attachments"][0]["content"];
  CHECK(page["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive");
  CHECK(card["type"] == "AdaptiveCard");
  CHECK(card["body"][0]["inlines"][0]["text"] == "Request 7KQ2M9XF waits for approval");
  CHECK(card["actions"][0]["url"] == page_link);
}

TEST_CASE("what became of a request is told, and by whom") {
  Notice denied = notice();
  denied.event = "denied";
  denied.decisions = {{"approve", "bob", ""}, {"deny", "eve", "not today"}};
  const json slack = json::parse(payload(WebhookFormat::slack, denied, {}));
  CHECK(slack["text"] == "Request 7KQ2M9XF was denied");
  const std::string lines = slack["blocks"][1]["text"]["text"];
  CHECK(lines.ends_with("Decision: approve by bob\nDecision: deny by eve: not today\n"));
  const json generic = json::parse(payload(WebhookFormat::generic, denied, {}));
  CHECK(generic["decisions"][1] ==
        json{{"decision", "deny"}, {"who", "eve"}, {"reason", "not today"}});
  CHECK_FALSE(generic.contains("link"));
}

TEST_CASE("what a client wrote formats nothing, and is no link") {
  Notice evil = notice();
  evil.requester = "<https://evil.example|click> *bold* [a](b)";
  const json slack = json::parse(payload(WebhookFormat::slack, evil, {}));
  CHECK(slack["blocks"][1]["text"]["type"] == "plain_text");
  const json teams = json::parse(payload(WebhookFormat::teams, evil, {}));
  CHECK(teams["attachments"][0]["content"]["body"][1]["inlines"][0]["type"] == "TextRun");
}

TEST_CASE("what a client wrote is no other line of a message") {
  Notice evil = notice();
  evil.requester = "mallory\nApproved by bob";
  const json slack = json::parse(payload(WebhookFormat::slack, evil, {}));
  const std::string lines = slack["blocks"][1]["text"]["text"];
  CHECK(lines.starts_with("Who asks: mallory\\u{a}Approved by bob\nTarget: ledger\n"));
}

TEST_CASE("a message stays as long as Slack takes it, however many rules hold a request") {
  Notice many = notice();
  many.rules.assign(40, {std::string(128, 'r'), "2 of dba"});
  const json slack = json::parse(payload(WebhookFormat::slack, many, {}));
  CHECK(slack["blocks"][1]["text"]["text"].get<std::string>().size() < 3'000);
}

TEST_CASE("a long text is cut at the end of a character, what is no UTF-8 replaced") {
  Notice long_one = notice();
  long_one.resource.assign(1'493, 'x');
  for (int i = 0; i < 100; ++i) long_one.resource += "€";
  const json page = json::parse(payload(WebhookFormat::slack, long_one, {}));
  const std::string text = page["blocks"][2]["text"]["text"];
  CHECK(text.size() <= 1'500 + 3);
  CHECK(text.ends_with("…"));
  Notice wrong = notice();
  wrong.resource = "a\xff";
  CHECK_NOTHROW(json::parse(payload(WebhookFormat::generic, wrong, {})));
}

TEST_CASE("a link is a pattern with the request's name") {
  CHECK(link_to("https://h/r/{id}?x", "7KQ2M9XF") == "https://h/r/7KQ2M9XF?x");
  CHECK(link_to("https://h/", "7KQ2M9XF") == "https://h/");
}
