// Tells webhooks of requests, in a thread of its own: who has news waits for nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "config/model/notification_settings.h"
#include "control/approvals/store.h"
#include "control/notifications/counts.h"
#include "control/notifications/journal.h"
#include "control/notifications/outbox.h"

namespace sluice::control {

class Notifier {
 public:
  Notifier(std::unique_ptr<DeliveryJournal> journal, config::Notifications settings);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Nobody is told before.
  void start(Outbox::Options options);
  /// What was told is kept; what is pending stays in the journal.
  void stop();
  void take_up(config::Notifications settings);
  /// Of a request as it is kept, when it begins to wait and when it ended. There is room for as
  /// many as may be pending; what finds none is dropped, counted and recorded.
  void tell(StoredRequest request);
  [[nodiscard]] NotificationCounts counts() const;

 private:
  void run();

  std::unique_ptr<DeliveryJournal> journal_;  ///< Until start(); the thread's outbox has it then.
  Outbox::Options options_;
  std::atomic<bool> is_stopping_{false};

  mutable std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable changed_;
  std::shared_ptr<const config::Notifications> settings_;
  std::vector<StoredRequest> told_;
  bool has_news_ = false;      ///< Something was told, or is configured otherwise.
  NotificationCounts counts_;  ///< Of the outbox, behind its last step.
  std::uint64_t dropped_ = 0;  ///< Before they came there.
  std::thread thread_;
};

}  // namespace sluice::control
