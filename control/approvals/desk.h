// The desk where held operations wait: takes them from workers, shows them to people, counts
// decisions, and tells the workers. What happens is recorded before it takes effect.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "audit/record.h"
#include "base/instant.h"
#include "base/result.h"
#include "config/model/held_operation.h"
#include "config/model/settings.h"
#include "control/approvals/counts.h"
#include "control/approvals/request.h"
#include "control/approvals/rules.h"
#include "control/approvals/store.h"

namespace sluice::control {

/// What a decision came to.
struct DecisionReply {
  enum class Kind : std::uint8_t { taken, refused, unknown_request, unavailable };
  Kind kind = Kind::unavailable;
  DecisionFault fault = DecisionFault::none;  ///< Of what was refused.
  std::string text;  ///< The request after a decision that was taken; else why it was not.
};

class Desk {
 public:
  /// How much a record is waited for: what is about to take effect must be as safe as
  /// `audit.release` asks for.
  enum class Weight : std::uint8_t { note, effect };
  struct Options {
    std::function<Result<void>(const audit::Record&, Weight)> record;
    std::function<Now()> clock;
    /// Whenever a request begins to wait, was decided, or waits no longer: as it was kept. Must
    /// not wait for anything.
    std::function<void(StoredRequest)> tell = [](const StoredRequest&) {};
  };

  Desk(std::unique_ptr<RequestStore> store, const config::Approvals& limits);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  /// What waited when the last gateway went is lost, and recorded as such. Until then
  /// nothing is answered.
  Result<void> start(Options options);
  /// What waits now is lost. Nothing is answered any more.
  void stop();
  void take_up(const config::Approvals& limits);

  // By workers: these wait for nothing.
  void hold(config::HeldOperation what, config::AnswerHold answer);
  void end_hold(std::string request, config::HoldEnd how);

  // By the admin interface: these wait for the disk.
  /// One JSON object with the newest of them. state  empty: any.
  [[nodiscard]] Result<std::string> list(std::string_view state);
  /// One JSON object; nothing when there is no such request.
  [[nodiscard]] Result<std::optional<std::string>> show(const std::string& request);
  [[nodiscard]] DecisionReply decide(const std::string& request, Decision decision);
  [[nodiscard]] ApprovalCounts counts() const;

 private:
  static constexpr Instant never{INT64_MAX};

  struct Open {
    Request request;
    config::AnswerHold answer;
  };
  /// What a worker brought.
  struct Errand {
    config::HeldOperation what;
    config::AnswerHold answer;  ///< Null: the request of that name has ended.
    config::HoldEnd how = config::HoldEnd::refused;
  };
  using OpenRequests = std::map<std::string, Open, std::less<>>;

  void run();
  void open(std::vector<Errand> arrived);
  [[nodiscard]] bool has_room_for(const config::HeldOperation& what) const;
  void on_end(const std::string& request, config::HoldEnd how);
  void expire();
  [[nodiscard]] static Instant expiry_of(const Request& request);
  // desk_review.cc: of what is over.
  [[nodiscard]] DecisionReply review(const std::string& request, const Decision& decision);
  [[nodiscard]] DecisionReply refuse(const Request& request, const Decision& decision,
                                     DecisionFault fault);
  // desk_tickets.cc: what nobody waits for.
  void revisit(Errand errand);
  [[nodiscard]] config::HoldAnswer claim(Request& own, const config::HeldOperation& what);
  [[nodiscard]] config::HoldAnswer look_back(const config::HeldOperation& what);
  void on_use_ended(OpenRequests::iterator at, config::HoldEnd how);
  void lapse(OpenRequests::iterator at);
  [[nodiscard]] Result<void> close_lost();
  void close(OpenRequests::iterator at, RequestState state, std::string_view event);
  [[nodiscard]] Result<void> keep(const Request& request);
  [[nodiscard]] Result<void> record(const Request& request, std::string_view event,
                                    const Decision* decision, DecisionFault fault,
                                    Weight weight) const;
  void count(RequestState state);

  std::mutex errands_mutex_;
  std::condition_variable changed_;
  std::vector<Errand> errands_;
  bool stopping_ = false;

  mutable std::mutex mutex_;  ///< Guards what follows; taken before errands_mutex_.
  std::unique_ptr<RequestStore> store_;
  config::Approvals limits_;
  Options options_;
  OpenRequests open_;  ///< Those that wait, and those that were approved and have not ended.
  Instant next_expiry_ = never;  ///< None of them expires before.
  ApprovalCounts counts_;
  bool is_open_ = false;  ///< Between start() and stop().
  std::thread thread_;
};

}  // namespace sluice::control
