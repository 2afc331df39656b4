// Keeps each notice for each webhook that wants it, and sends it until it arrived or is given
// up. Used by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "audit/record.h"
#include "base/instant.h"
#include "base/result.h"
#include "config/model/notification_settings.h"
#include "control/approvals/store.h"
#include "control/https_get.h"
#include "control/notifications/counts.h"
#include "control/notifications/journal.h"

namespace sluice::control {

/// Whether a webhook is told of requests that came to this state.
bool wants(const config::Webhook& webhook, std::string_view state);

class Outbox {
 public:
  struct Options {
    /// One attempt; may take as long as the request's timeout.
    std::function<Result<HttpsReply>(const HttpsGet& request, const std::string& body)> post;
    std::function<WallTime()> clock;
    std::function<double()> chance;  ///< From 0 to 1.
    /// Into the log: what did not arrive. From any thread.
    std::function<Result<void>(const audit::Record& record)> record;
    const std::atomic<bool>* stop = nullptr;  ///< Set: ends an attempt within a second.
  };

  Outbox(std::unique_ptr<DeliveryJournal> journal, Options options);

  /// What cannot be kept is dropped, counted and recorded.
  void keep(std::span<const StoredRequest> told, const config::Notifications& settings);
  /// Tries at most one delivery.
  /// returns  when there may be another one to try.
  WallTime step(const config::Notifications& settings);
  /// In the order of the settings.
  [[nodiscard]] NotificationCounts counts(const config::Notifications& settings) const;

 private:
  void drop(const StoredRequest& request, std::string_view why);
  // False: the journal cannot be written.
  [[nodiscard]] bool deliver(Delivery delivery, const config::Notifications& settings);
  [[nodiscard]] bool put_off(Delivery& delivery, Duration asked_for);
  [[nodiscard]] bool give_up(Delivery& delivery, std::string_view why);
  void recount();

  std::unique_ptr<DeliveryJournal> journal_;
  const Options options_;
  std::map<std::string, WebhookCounts, std::less<>> counts_;  ///< By name.
  std::uint64_t dropped_ = 0;
};

/// That nobody will be told of it.
Result<void> record_dropped(const Outbox::Options& options, const StoredRequest& request,
                            std::string_view why);

}  // namespace sluice::control
