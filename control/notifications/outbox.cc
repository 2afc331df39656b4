#include "control/notifications/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "control/notifications/notice.h"
#include "control/notifications/payload.h"
#include "control/notifications/retry.h"
#include "control/notifications/signature.h"

namespace sluice::control {
namespace {

/// The log has what did not arrive; the journal is for who looks back a little.
constexpr std::size_t done_kept_max = 10'000;
/// Behind a journal that cannot be read or written.
constexpr Duration journal_pause = seconds(5);
constexpr Duration idle_pause = seconds(60);
/// Receivers say that they have it, and no more: a longer answer comes from something else.
constexpr std::size_t answer_bytes_max = std::size_t{64} << 10;

const config::Webhook* find(const config::Notifications& settings, std::string_view name) {
  const auto found = std::ranges::find(settings.webhooks, name, &config::Webhook::name);
  return found == settings.webhooks.end() ? nullptr : &*found;
}

HttpsGet call_of(const config::Webhook& webhook, const Delivery& delivery, WallTime now) {
  HttpsGet call{.url = webhook.url.value,
                .ca_file = webhook.ca.path,
                .body_bytes_max = answer_bytes_max,
                .fields = {"Content-Type: application/json", "User-Agent: sluice",
                           fmt::format("Sluice-Delivery: {}", delivery.id)}};
  if (webhook.secret) {
    call.fields.push_back(fmt::format(
        "Sluice-Signature: {}", webhook_signature(webhook.secret->value, now, delivery.body)));
  }
  return call;
}

/// What one request's notice is to each webhook that wants it.
/// errors  the document is none.
Result<std::vector<Delivery>> deliveries_of(const StoredRequest& request,
                                            const config::Notifications& settings, WallTime now) {
  const auto notice = notice_of(request.document, now);
  if (!notice) return fail("what is kept of it cannot be read");
  std::vector<Delivery> out;
  for (const config::Webhook& webhook : settings.webhooks) {
    if (!wants(webhook, request.state)) continue;
    out.push_back({.webhook = webhook.name,
                   .request = request.id,
                   .event = request.state,
                   .body = payload(webhook.format, *notice, link_to(settings.link, request.id)),
                   .made = now,
                   .next = now});
  }
  return out;
}

}  // namespace

bool wants(const config::Webhook& webhook, std::string_view state) {
  return webhook.events.empty() || std::ranges::find(webhook.events, state) != webhook.events.end();
}

Result<void> record_dropped(const Outbox::Options& options, const StoredRequest& request,
                            std::string_view why) {
  const std::string detail = fmt::format("{}: {}", request.state, why);
  audit::Record record;
  record.event = "notification-dropped";
  record.approval = request.id;
  record.detail = detail;
  return options.record(record);
}

Outbox::Outbox(std::unique_ptr<DeliveryJournal> journal, Options options)
    : journal_(std::move(journal)), options_(std::move(options)) {
  recount();
}

void Outbox::keep(std::span<const StoredRequest> told, const config::Notifications& settings) {
  const WallTime now = options_.clock();
  const auto pending = journal_->pending();
  std::size_t count = 0;
  for (const auto& [webhook, own] : pending.value_or(PendingCounts())) count += own;
  std::vector<Delivery> deliveries;
  std::vector<const StoredRequest*> kept;
  for (const StoredRequest& one : told) {
    auto own = deliveries_of(one, settings, now);
    if (!pending || !own) {
      drop(one, pending ? own.error().message : pending.error().message);
    } else if (!own->empty() && count + own->size() > settings.pending_max) {
      drop(one, "too many wait to be delivered");
    } else {
      count += own->size();
      std::ranges::move(*own, std::back_inserter(deliveries));
      kept.push_back(&one);
    }
  }
  if (const auto added = journal_->add(deliveries); !added) {
    for (const StoredRequest* one : kept) drop(*one, added.error().message);
  }
  static_cast<void>(journal_->prune(done_kept_max));
  recount();
}

void Outbox::drop(const StoredRequest& request, std::string_view why) {
  ++dropped_;
  static_cast<void>(record_dropped(options_, request, why));
}

WallTime Outbox::step(const config::Notifications& settings) {
  const WallTime now = options_.clock();
  const auto heads = journal_->heads();
  if (!heads) return now + journal_pause;
  // The one that failed least often goes first: a receiver that hangs holds up the others by
  // one attempt now and then, and not by all that wait for it.
  const Delivery* due = nullptr;
  WallTime next = now + idle_pause;
  for (const Delivery& one : *heads) {
    if (!is_due(one.next, now)) {
      next = std::min(next, one.next);
    } else if (due == nullptr || one.attempts < due->attempts) {
      due = &one;
    }
  }
  if (due == nullptr) return next;
  const bool is_kept = deliver(*due, settings);
  recount();
  return is_kept ? now : now + journal_pause;
}

bool Outbox::deliver(Delivery delivery, const config::Notifications& settings) {
  const config::Webhook* const webhook = find(settings, delivery.webhook);
  if (webhook == nullptr) return give_up(delivery, "it is not configured any more");
  const WallTime now = options_.clock();
  if (now >= delivery.made + settings.give_up_after) {
    return give_up(delivery, delivery.last_error.empty() ? "too old" : delivery.last_error);
  }
  // Kept before it is sent: what could not be kept would be sent again and again.
  ++delivery.attempts;
  if (!put_off(delivery, {})) return false;
  HttpsGet call = call_of(*webhook, delivery, now);
  call.timeout = settings.timeout;
  call.stop = options_.stop;
  const auto reply = options_.post(call, delivery.body);
  WebhookCounts& counts = counts_[delivery.webhook];
  const DeliveryResult result = reply ? result_of(reply->status) : DeliveryResult::try_again;
  if (result == DeliveryResult::delivered) {
    ++counts.delivered;
    counts.last_error.clear();
    delivery.last_error.clear();
    return journal_->update(delivery, DeliveryState::delivered).has_value();
  }
  ++counts.failures;
  delivery.last_error = reply ? fmt::format("status {}", reply->status) : reply.error().message;
  counts.last_error = delivery.last_error;
  if (result == DeliveryResult::refused) return give_up(delivery, delivery.last_error);
  return put_off(delivery, reply ? reply->retry_after : Duration{});
}

bool Outbox::put_off(Delivery& delivery, Duration asked_for) {
  delivery.next = options_.clock() + pause_after(delivery.attempts, asked_for, options_.chance());
  return journal_->update(delivery, DeliveryState::pending).has_value();
}

/// Recorded first: what the log does not take is tried again.
bool Outbox::give_up(Delivery& delivery, std::string_view why) {
  const std::string detail = fmt::format("{} for {}: {}", delivery.event, delivery.webhook, why);
  audit::Record record;
  record.event = "notification-given-up";
  record.approval = delivery.request;
  record.detail = detail;
  if (!options_.record(record)) return put_off(delivery, {});
  ++counts_[delivery.webhook].given_up;
  return journal_->update(delivery, DeliveryState::given_up).has_value();
}

void Outbox::recount() {
  const auto pending = journal_->pending();
  if (!pending) return;
  for (auto& [name, counts] : counts_) counts.pending = 0;
  for (const auto& [name, count] : *pending) counts_[name].pending = count;
}

NotificationCounts Outbox::counts(const config::Notifications& settings) const {
  NotificationCounts out{.dropped = dropped_};
  for (const config::Webhook& webhook : settings.webhooks) {
    const auto known = counts_.find(webhook.name);
    out.webhooks.push_back(known == counts_.end() ? WebhookCounts{} : known->second);
    out.webhooks.back().name = webhook.name;
  }
  return out;
}

}  // namespace sluice::control
