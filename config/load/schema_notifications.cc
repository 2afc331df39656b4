#include "config/load/schema_notifications.h"

#include <array>

#include "config/load/schema_builder.h"

namespace sluice::config {
namespace {

using namespace schema;

constexpr std::array formats{
    word_for("generic", WebhookFormat::generic, "a JSON object for programs; needs `secret`"),
    word_for("slack", WebhookFormat::slack, "a message as Slack's incoming webhooks take it"),
    word_for("teams", WebhookFormat::teams, "an Adaptive Card as Microsoft Teams takes it")};

constexpr std::array webhook_fields{
    text<&Webhook::name>("name", Word::name, required, "Names it in records and metrics."),
    secret<&Webhook::url>("url", required,
                          "Where it is posted to: https://, or http:// of this host. A reference, "
                          "because whoever has the URL of a chat can write there."),
    secret<&Webhook::secret>("secret", not_required,
                             "What bodies are signed with (HMAC-SHA-256); at least 16 bytes. "
                             "Without it they are not signed."),
    file_text<&Webhook::ca>("ca", not_required,
                            "Who may have signed the receiver's certificate, as PEM; without it "
                            "the system's."),
    choice<&Webhook::format>("format", formats, not_required, "What the body is."),
    texts<&Webhook::events>("events", Word::request_event, request_events.size(),
                            "What is told: `waiting`, `approved`, `denied`, `expired`, "
                            "`withdrawn`, `lost`, `unreviewed`, `reviewed`; without it all.")};
constexpr Table webhook_table{.title = "A webhook",
                              .path = "notifications.webhooks[]",
                              .sentence =
                                  "Somebody who is told when an operation waits for people, and "
                                  "what became of it.",
                              .fields = webhook_fields,
                              .make = make_owner<Webhook>,
                              .place = place_in<Webhook>};

constexpr std::array notifications_fields{
    sections<&Notifications::webhooks>("webhooks", webhook_table, 16, required, "Who is told."),
    text<&Notifications::link>("link", Word::request_link, not_required,
                               "Where people see a request: a URL with `{id}` for its name. "
                               "Without it messages lead nowhere."),
    duration<&Notifications::timeout>("timeout", milliseconds(100), seconds(60),
                                      "Of one attempt; others wait for it."),
    duration<&Notifications::give_up_after>("give_up_after", seconds(1), seconds(7 * 86'400),
                                            "What did not arrive by then is not tried again, and "
                                            "the log says so."),
    count<&Notifications::pending_max>("pending", 1, 1'000'000,
                                       "Deliveries that may wait for their receivers; others are "
                                       "dropped, and the log says so.")};

}  // namespace

constexpr Table notifications_table{.title = "Notifications",
                                    .path = "notifications",
                                    .sentence =
                                        "Who is told of operations that wait for people. See "
                                        "docs/notifications.md.",
                                    .fields = notifications_fields,
                                    .make = make_owner<Notifications>};

}  // namespace sluice::config
