// The running gateway: one worker thread per core, the audit log, and what steers them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/log.h"
#include "audit/log_signer.h"
#include "base/result.h"
#include "config/model/held_operation.h"
#include "dataplane/metrics.h"
#include "dataplane/session/session_summary.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/transport/kernel_tls.h"
#include "dataplane/transport/transport_counters.h"
#include "identity/introspection.h"
#include "identity/oidc.h"
#include "recordings/recorder.h"

namespace sluice::dataplane {

/// What workers ask of others. Called from their threads; waits for nothing.
struct GatewayHooks {
  /// An issuer of whose tokens one names an unknown key: sooner or later take_up() follows.
  std::function<void(std::string_view issuer)> want_keys;
  /// An issuer must say what a token proves: it answers by `answer`, of which the gateway outlives
  /// the last call. False: it doesn't.
  std::function<bool(const config::OidcIssuer& issuer, std::string token,
                     identity::AnswerIntrospection answer)>
      ask_issuer;
  /// An operation waits for people: answers by `answer`, of which the gateway outlives the
  /// last call.
  std::function<void(config::HeldOperation, config::AnswerHold answer)> hold;
  /// That waits no longer, whatever was or will be decided.
  std::function<void(std::string request, config::HoldEnd)> end_hold;
};

class Gateway {
 public:
  /// Tests the matcher, opens the log and the listeners, starts the workers. The signer
  /// outlives the gateway.
  /// errors  the matcher gives wrong answers, a log that cannot be opened or
  ///         trusted, an address in use, a kernel that refuses io_uring.
  static Result<std::unique_ptr<Gateway>> start(std::shared_ptr<const Snapshot> snapshot,
                                                audit::LogSigner& signer, GatewayHooks hooks);
  /// Closes every connection, records that, and stops.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// From now on new operations are judged by `snapshot`; those under way end
  /// under the one they began with.
  /// errors  it changes what only a restart can: listeners, workers, audit.
  Result<void> reload(std::shared_ptr<const Snapshot> snapshot);
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  /// From now on tokens are proved by these keys.
  void take_up(const std::shared_ptr<const identity::TokenKeys>& keys);

  /// No new connections; idle ones are closed, busy ones after their response.
  void drain();
  [[nodiscard]] bool is_drained() const noexcept;

  /// Asks a worker of its sessions; it answers soon, from its own thread. False: there is none
  /// of that number.
  bool ask(std::size_t worker, SessionSurvey survey);
  bool ask(std::size_t worker, SessionLookup lookup);
  /// Names this process in the log and in sessions.
  [[nodiscard]] std::uint64_t epoch() const noexcept;

  struct WorkerView {
    const WorkerMetrics& metrics;
    const TransportCounters& transport;
  };
  [[nodiscard]] std::size_t workers() const noexcept;
  [[nodiscard]] WorkerView worker(std::size_t index) const noexcept;
  [[nodiscard]] audit::LogStatus log_status() const;
  /// Nothing where nothing is recorded.
  [[nodiscard]] std::optional<recordings::RecorderStatus> recordings() const noexcept;
  /// See recordings::Recorder.
  void discount_recordings(const std::function<std::uint64_t()>& removal);
  /// Where each listener really listens, for one that asked for port 0.
  [[nodiscard]] const std::vector<std::string>& addresses() const noexcept;
  /// Of which TLS connections the kernel is given keys. Of none also without TLS.
  [[nodiscard]] const KernelTls& kernel_tls() const noexcept;

  /// A control record: what the gateway itself did. False when the log cannot take it.
  bool record_event(std::string_view event, std::string_view detail);
  /// The same, and returns when the record is durable: what it says may be done then.
  /// errors   the log cannot take it now. It may still be written later.
  [[nodiscard]] Result<void> record_durably(std::string_view event, std::string_view detail);
  /// record  of phase control; its time is filled in.
  [[nodiscard]] Result<void> record_durably(audit::Record record);
  /// A call of the control API, of phase control; time and policy are added here.
  /// durably  return when the record is durable.
  [[nodiscard]] Result<void> record_call(const audit::Record& record, bool durably);
  /// What people, or the lack of them, made of an operation; phase, time and policy are
  /// added here.
  /// takes_effect  return when the record is as safe as `audit.release` asks for.
  /// errors        as above.
  [[nodiscard]] Result<void> record_approval(const audit::Record& record, bool takes_effect);
  /// A record that shows that the gateway runs, with the state of its clock.
  void record_heartbeat();

 private:
  struct State;
  explicit Gateway(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// How many workers these settings mean on this machine.
std::size_t worker_count(const config::Workers& settings);

}  // namespace sluice::dataplane
