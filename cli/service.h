// A running gateway with what steers it: admin interface, reload, watch of files.
// What `sluice run` and `sluice demo` share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/log_signer.h"
#include "audit/retention.h"
#include "audit/upkeep.h"
#include "base/instant.h"
#include "base/result.h"
#include "cli/authorization.h"
#include "cli/packing.h"
#include "control/admin.h"
#include "control/approvals/desk.h"
#include "control/cosigner.h"
#include "control/file_watch.h"
#include "control/gateway_view.h"
#include "control/introspector.h"
#include "control/key_keeper.h"
#include "control/key_revoker.h"
#include "control/notifications/notifier.h"
#include "control/oidc_pages.h"
#include "control/saml_pages.h"
#include "control/service_manager.h"
#include "control/timestamper.h"
#include "control/token_mint.h"
#include "dataplane/gateway.h"
#include "dataplane/tls/tls_context.h"
#include "exports/exporter.h"
#include "identity/api_keys.h"
#include "recordings/retention.h"

namespace sluice::cli {

class Service {
 public:
  /// `configuration` is where reloads read from, too. The signer outlives the service.
  static Result<std::unique_ptr<Service>> start(
      const std::string& configuration, const std::shared_ptr<const dataplane::Snapshot>& first,
      audit::LogSigner& signer);
  /// Drops connections, records the stop and signs a last checkpoint.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Thread-safe.
  /// Reads and compiles the configuration again; on failure all stays as it was.
  /// Returns the generation now in force.
  Result<std::uint64_t> reload();
  void drain();
  [[nodiscard]] bool is_draining() const noexcept { return draining_; }
  /// Everything under way is finished, or the drain timeout is over.
  [[nodiscard]] bool is_drained() const;
  [[nodiscard]] control::GatewayView view() const;
  [[nodiscard]] const std::vector<std::string>& addresses() const noexcept {
    return gateway_->addresses();
  }

  // Now and then, from one thread.
  /// Takes up a changed keys file, and changed certificates.
  void watch_files();
  /// Records a heartbeat when one is due.
  void beat();
  /// Tells the operator when the audit log's disk fails, and when it is well again.
  void watch_log();

 private:
  Service(std::string configuration, std::unique_ptr<control::KeyKeeper> key_keeper,
          std::unique_ptr<control::Introspector> introspector,
          std::unique_ptr<control::Notifier> notifier, std::unique_ptr<control::Desk> desk,
          std::unique_ptr<dataplane::Gateway> gateway, audit::LogSigner& signer);
  void watch_keys();
  void watch_certificates();
  void watch(const config::Settings& settings);
  Result<std::uint64_t> adopt(Result<std::shared_ptr<const dataplane::Snapshot>> next);
  Result<void> start_exports(const config::Audit& settings);
  [[nodiscard]] control::api::Actions actions();
  [[nodiscard]] std::vector<control::ListenerView> listeners() const;
  [[nodiscard]] control::api::Outcome<std::string> dry_run(
      const control::api::DryRunQuestion& question);
  [[nodiscard]] control::OidcPages::World oidc_world();
  [[nodiscard]] control::SamlPages::World saml_world();
  [[nodiscard]] control::api::Proving identify(std::string_view authorization,
                                               std::string_view source);
  [[nodiscard]] Result<std::unique_ptr<control::Channel>> secure(control::Channel& below);
  void take_up(std::unique_ptr<control::Cosigner> cosigner);
  void start_key_keeper();
  void start_introspector();
  [[nodiscard]] Result<control::api::RemovedRecording> delete_recording(const std::string& name,
                                                                        const std::string& reason,
                                                                        std::string_view by);
  [[nodiscard]] Result<control::MintedToken, control::MintRefusal> mint_token(
      const control::MintRequest& request);
  [[nodiscard]] Result<void, control::MintRefusal> revoke_token(const std::string& id,
                                                                std::string_view by);
  [[nodiscard]] Result<void> adopt_revoked();
  [[nodiscard]] control::api::Outcome<void> revoke_key(const std::string& id, std::string_view by);
  [[nodiscard]] Result<std::shared_ptr<const dataplane::Snapshot>> read_snapshot() const;
  [[nodiscard]] Result<void> expect_revoked_keys(const config::Settings& settings) const;
  [[nodiscard]] Result<void> adopt_without(const dataplane::Snapshot& current,
                                           const std::string& key);
  [[nodiscard]] std::shared_ptr<const identity::TokenKeys> token_keys() const;
  void start_notifier();
  [[nodiscard]] Result<void> start_desk();
  void tell(control::StoredRequest request);
  [[nodiscard]] audit::RetentionOptions retention_options();
  void start_upkeep();
  /// A service manager that cannot be told is the operator's to know; it changes nothing.
  static void announce(const Result<void>& told);
  /// For `systemctl status`.
  [[nodiscard]] std::string status_line() const;
  /// Into the log, and to the operator.
  void alarm(std::string_view event, std::string_view detail);

  const control::ServiceManager manager_ = control::ServiceManager::of_environment();
  std::string configuration_;
  identity::Digest mocks_;  ///< See audit::DerivedKeys.
  std::string log_origin_;
  std::unique_ptr<control::KeyKeeper> key_keeper_;       ///< Workers of the gateway ask it.
  std::unique_ptr<control::Introspector> introspector_;  ///< Likewise.
  std::unique_ptr<control::Notifier> notifier_;          ///< The desk tells it.
  std::unique_ptr<control::Desk> desk_;                  ///< They ask it, too.
  std::unique_ptr<dataplane::Gateway> gateway_;
  control::Timestamper timestamper_;
  control::TokenMint token_mint_;
  control::KeyRevoker key_revoker_;
  mutable std::mutex token_keys_mutex_;
  std::shared_ptr<const identity::TokenKeys> token_keys_ =
      std::make_shared<const identity::TokenKeys>();  ///< The newest that the key keeper posted.
  std::unique_ptr<control::Cosigner> cosigner_;       ///< Null without witnesses.
  std::vector<std::unique_ptr<exports::Exporter>> exporters_;  ///< Their threads call the gateway.
  audit::Retention retention_;
  std::optional<recordings::Retention> recordings_retention_;  ///< Nothing: nothing is recorded.
  std::optional<audit::Upkeep> upkeep_;  ///< Its thread looks at the exporters.
  mutable std::mutex reloading_;         ///< One reload at a time; guards the six below.
  control::FileWatch keys_watch_{""};
  std::string keys_file_;
  std::map<std::string, control::FileWatch> tls_watches_;  ///< By path.
  std::uint64_t reloads_ = 0;
  std::uint64_t reload_failures_ = 0;
  std::string last_reload_error_;
  WallTime started_;
  std::chrono::steady_clock::time_point next_beat_;
  std::uint64_t log_failures_ = 0;  ///< That the operator was told of.
  bool is_log_down_ = false;
  std::mutex dry_running_;  ///< One at a time.
  std::atomic<bool> draining_{false};
  std::atomic<bool> is_ending_{false};  ///< What looks at much stops looking.
  Packing packing_;
  std::atomic<std::int64_t> drain_until_ns_{0};
  Authorization authorization_;
  std::mutex admin_tls_mutex_;
  std::shared_ptr<const dataplane::TlsContext> admin_tls_;  ///< Of the newest connection.
  control::OidcPages oidc_pages_{oidc_world()};
  std::unique_ptr<control::SamlPages> saml_pages_;
  std::unique_ptr<control::AdminServer> admin_;  ///< Last: its threads call into all of the above.
};

}  // namespace sluice::cli
