#include "config/load/notification_checks.h"

#include "config/load/complaints.h"
#include "config/model/secure_url.h"

namespace sluice::config {
namespace {

constexpr std::size_t secret_bytes_min = 16;

class NotificationChecker : Complaints {
 public:
  using Complaints::Complaints;

  void run() {
    check_names(settings_.notifications.webhooks, "webhook");
    for (const Webhook& webhook : settings_.notifications.webhooks) check(webhook);
  }

 private:
  /// What a secret holds is not repeated.
  void check(const Webhook& webhook) {
    if (!webhook.url.value.empty() && !is_secure_endpoint(webhook.url.value)) {
      report(places_.of(&webhook.url, webhook.place),
             fmt::format("'url': {} holds no URL like https://hooks.example.com/…; http:// is for "
                         "this host alone",
                         webhook.url.reference));
    }
    if (webhook.secret && !webhook.secret->value.empty() &&
        webhook.secret->value.size() < secret_bytes_min) {
      report(places_.of(&*webhook.secret, webhook.place),
             fmt::format("'secret' has {} bytes; at least {} are needed",
                         webhook.secret->value.size(), secret_bytes_min));
    }
    if (webhook.format == WebhookFormat::generic && !webhook.secret) {
      report(webhook.place,
             fmt::format("the webhook '{}' needs 'secret': a program could not tell the gateway's "
                         "messages from others",
                         webhook.name));
    }
  }
};

}  // namespace

void check_notifications(const Settings& settings, const Places& places,
                         std::vector<Problem>& problems) {
  NotificationChecker(settings, places, problems).run();
}

}  // namespace sluice::config
