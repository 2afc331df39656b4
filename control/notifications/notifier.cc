#include "control/notifications/notifier.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::control {

Notifier::Notifier(std::unique_ptr<DeliveryJournal> journal, config::Notifications settings)
    : journal_(std::move(journal)),
      settings_(std::make_shared<const config::Notifications>(std::move(settings))) {
  for (const config::Webhook& webhook : settings_->webhooks) {
    counts_.webhooks.push_back({.name = webhook.name});
  }
}

Notifier::~Notifier() {
  stop();
}

void Notifier::start(Outbox::Options options) {
  options_ = std::move(options);
  options_.stop = &is_stopping_;
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "notifier");
}

void Notifier::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Notifier::take_up(config::Notifications settings) {
  {
    const std::lock_guard lock(mutex_);
    settings_ = std::make_shared<const config::Notifications>(std::move(settings));
    has_news_ = true;
  }
  changed_.notify_one();
}

void Notifier::tell(StoredRequest request) {
  std::unique_lock lock(mutex_);
  const bool is_wanted = std::ranges::any_of(
      settings_->webhooks,
      [&request](const config::Webhook& webhook) { return wants(webhook, request.state); });
  if (!is_wanted) return;
  if (told_.size() < settings_->pending_max) {
    told_.push_back(std::move(request));
    has_news_ = true;
    changed_.notify_one();
    return;
  }
  ++dropped_;
  lock.unlock();
  static_cast<void>(record_dropped(options_, request, "too many are to be kept"));
}

NotificationCounts Notifier::counts() const {
  const std::lock_guard lock(mutex_);
  NotificationCounts counts = counts_;
  counts.dropped += dropped_;
  return counts;
}

void Notifier::run() {
  Outbox outbox(std::move(journal_), options_);
  for (;;) {
    std::vector<StoredRequest> told;
    std::shared_ptr<const config::Notifications> settings;
    bool is_last = false;
    {
      const std::lock_guard lock(mutex_);
      told.swap(told_);
      settings = settings_;
      counts_ = outbox.counts(*settings);
      has_news_ = false;
      is_last = is_stopping_;
    }
    if (!told.empty()) outbox.keep(told, *settings);
    if (is_last) return;
    const Duration pause = outbox.step(*settings) - options_.clock();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::nanoseconds(std::max<std::int64_t>(pause.ns, 0)),
                      [this] { return is_stopping_ || has_news_; });
  }
}

}  // namespace sluice::control
