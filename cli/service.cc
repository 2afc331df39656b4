#include "cli/service.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

#include "cli/authorization.h"
#include "cli/configuration.h"
#include "cli/live_sessions.h"
#include "cli/output.h"
#include "cli/times.h"

namespace sluice::cli {
namespace {

control::TlsView view_of(const dataplane::TlsMetrics& metrics) {
  control::TlsView view;
  view.handshaking = metrics.handshaking.read();
  view.done_tls12 = metrics.done_tls12.read();
  view.done_tls13 = metrics.done_tls13.read();
  view.resumed = metrics.resumed.read();
  view.kernel = metrics.kernel.read();
  view.broken = metrics.broken.read();
  for (std::size_t i = 1; i < metrics.failed.size(); ++i) {
    const auto fault = static_cast<dataplane::TlsFault>(i);
    if (is_of_handshake(fault)) view.failed.emplace_back(text(fault), metrics.failed[i].read());
  }
  return view;
}

control::WorkerView view_of(const dataplane::Gateway::WorkerView& worker) {
  const auto& metrics = worker.metrics;
  control::WorkerView view;
  view.clients_accepted = metrics.clients_accepted.read();
  view.clients_open = metrics.clients_open.read();
  view.clients_refused = worker.transport.refused.read();
  view.introductions_refused = metrics.introductions_refused.read();
  view.upstreams_opened = metrics.upstreams_opened.read();
  view.upstreams_open = metrics.upstreams_open.read();
  view.requests_allowed = metrics.requests_allowed.read();
  view.requests_denied = metrics.requests_denied.read();
  view.requests_unauthenticated = metrics.requests_unauthenticated.read();
  view.proofs_unseen = metrics.proofs_unseen.read();
  view.requests_malformed = metrics.requests_malformed.read();
  for (std::size_t i = 0; i < view.tokens_refused.size(); ++i) {
    view.tokens_refused[i] = metrics.tokens_refused[i].read();
  }
  for (std::size_t i = 0; i < view.certificates_refused.size(); ++i) {
    view.certificates_refused[i] = metrics.certificates_refused[i].read();
  }
  view.requests_unavailable = metrics.requests_unavailable.read();
  for (std::size_t i = 0; i < view.responses.size(); ++i) {
    view.responses[i] = metrics.responses[i].read();
  }
  view.masks_applied = metrics.masks_applied.read();
  view.bytes_in = metrics.bytes_in.read();
  view.bytes_out = metrics.bytes_out.read();
  view.bytes_spliced = worker.transport.spliced_bytes.read();
  view.upstream_retries = metrics.upstream_retries.read();
  view.log_stalls = metrics.log_stalls.read();
  view.buffers_free = metrics.buffers_free.read();
  view.tls_clients = view_of(metrics.tls_clients);
  view.tls_targets = view_of(metrics.tls_targets);
  return view;
}

/// Null without a policy. Else the log that is there continues what witnesses saw.
Result<std::unique_ptr<control::Cosigner>> make_cosigner(const config::Settings& settings) {
  auto policy = read_witness_policy(settings);
  if (!policy) return tl::unexpected(policy.error());
  if (!*policy) return std::unique_ptr<control::Cosigner>();
  auto cosigner =
      std::make_unique<control::Cosigner>(std::move(**policy), settings.audit.directory);
  if (auto proved = cosigner->prove_start(); !proved) return tl::unexpected(proved.error());
  return cosigner;
}

std::vector<std::uint8_t> random_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  const ssize_t got = ::getrandom(bytes.data(), count, 0);
  if (got != static_cast<ssize_t>(count)) bytes.clear();
  return bytes;
}

std::string store_path(const config::Settings& settings) {
  if (!settings.approvals.store.empty()) return settings.approvals.store;
  std::string beside = settings.audit.directory;
  while (beside.size() > 1 && beside.ends_with('/')) beside.pop_back();
  return beside + ".requests";
}

Now clocks() {
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  return {{std::chrono::nanoseconds(monotonic).count()}, wall_now()};
}

}  // namespace

Service::Service(std::string configuration, std::unique_ptr<control::KeyKeeper> key_keeper,
                 std::unique_ptr<control::Desk> desk, std::unique_ptr<dataplane::Gateway> gateway,
                 const audit::LogSigner& signer)
    : configuration_(std::move(configuration)),
      mocks_(signer.derived_keys().mocks),
      log_origin_(signer.verifier().origin()),
      key_keeper_(std::move(key_keeper)),
      desk_(std::move(desk)),
      gateway_(std::move(gateway)),
      timestamper_(gateway_->snapshot()->settings.audit.timestamps,
                   gateway_->snapshot()->settings.audit.directory,
                   [this](std::string_view event, std::string_view detail) {
                     gateway_->record_event(event, detail);
                   }),
      token_mint_(
          {.now = wall_now,
           .random = random_bytes,
           .record =
               [this](const audit::Record& record) { return gateway_->record_durably(record); }}),
      retention_(retention_options()),
      started_(wall_now()) {
  watch(gateway_->snapshot()->settings);
}

Result<std::unique_ptr<Service>> Service::start(
    const std::string& configuration, const std::shared_ptr<const dataplane::Snapshot>& first,
    audit::LogSigner& signer) {
  const config::Settings& settings = first->settings;
  auto cosigner = make_cosigner(settings);
  if (!cosigner) return tl::unexpected(cosigner.error());
  auto key_keeper = std::make_unique<control::KeyKeeper>();
  auto store = control::open_sqlite_store(store_path(settings));
  if (!store) return tl::unexpected(store.error());
  auto desk = std::make_unique<control::Desk>(std::move(*store), settings.approvals);
  auto gateway = dataplane::Gateway::start(
      first, signer,
      {.want_keys = [&keeper = *key_keeper](std::string_view issuer) { keeper.ask(issuer); },
       .hold = [&desk = *desk](
                   config::HeldOperation what,
                   config::AnswerHold answer) { desk.hold(std::move(what), std::move(answer)); },
       .end_hold = [&desk = *desk](
                       std::string request,
                       config::HoldEnd how) { desk.end_hold(std::move(request), how); }});
  if (!gateway) return tl::unexpected(gateway.error());
  auto service = std::unique_ptr<Service>(new Service(
      configuration, std::move(key_keeper), std::move(desk), std::move(*gateway), signer));
  if (auto done = service->start_desk(); !done) return tl::unexpected(done.error());
  service->start_key_keeper();
  if (auto done = service->start_exports(settings.audit); !done) {
    return tl::unexpected(done.error());
  }
  service->start_upkeep();
  service->take_up(std::move(*cosigner));
  auto admin = control::AdminServer::start(settings.admin, service->actions());
  if (!admin) return tl::unexpected(admin.error());
  service->admin_ = std::move(*admin);
  return service;
}

Service::~Service() {
  // Their threads call the gateway, whose workers call them: so they end first, and go last.
  key_keeper_->stop();
  desk_->stop();
}

Result<void> Service::start_desk() {
  using Weight = control::Desk::Weight;
  return desk_->start({.record =
                           [this](const audit::Record& record, Weight weight) {
                             return gateway_->record_approval(record, weight == Weight::effect);
                           },
                       .clock = clocks});
}

void Service::start_key_keeper() {
  key_keeper_->start(
      {.fetch = control::fetch_keys,
       .post =
           [this](std::shared_ptr<const identity::TokenKeys> keys) {
             gateway_->take_up(keys);
             const std::lock_guard lock(token_keys_mutex_);
             token_keys_ = std::move(keys);
           },
       .note = [this](std::string_view event,
                      std::string_view detail) { gateway_->record_event(event, detail); }},
      gateway_->snapshot()->settings.identity.oidc);
}

Result<void> Service::start_exports(const config::Audit& settings) {
  const exports::Product product{SLUICE_VERSION, log_origin_};
  for (const config::AuditExport& one : settings.exports) {
    auto exporter = exports::Exporter::start(
        one, settings.directory, product,
        [this](std::string_view event, std::string_view detail) { alarm(event, detail); });
    if (!exporter) return tl::unexpected(exporter.error());
    exporters_.push_back(std::move(*exporter));
  }
  return {};
}

audit::RetentionOptions Service::retention_options() {
  return {
      .directory = gateway_->snapshot()->settings.audit.directory,
      .keep = [this]() -> std::optional<Duration> {
        const auto snapshot = gateway_->snapshot();
        const auto& retention = snapshot->settings.audit.retention;
        return retention ? std::optional(retention->keep) : std::nullopt;
      },
      .followers =
          [this] {
            std::vector<audit::LogFollower> out;
            for (const auto& exporter : exporters_) {
              const exports::ExportStatus status = exporter->status();
              out.push_back({status.name, status.next});
            }
            return out;
          },
      .record = [this](std::string_view event,
                       std::string_view detail) { return gateway_->record_durably(event, detail); },
      .alarm = [this](std::string_view event, std::string_view detail) { alarm(event, detail); },
      .clock = clocks};
}

void Service::start_upkeep() {
  const config::Settings& settings = gateway_->snapshot()->settings;
  std::vector<audit::Upkeep::Chore> chores;
  if (const auto& recordings = settings.recordings) {
    recordings_retention_.emplace(recordings::RetentionOptions{
        .directory = recordings->directory,
        .keep = recordings->retention ? std::optional(recordings->retention->keep) : std::nullopt,
        .log = &retention_,
        .record =
            [this](const recordings::Event& event) {
              return gateway_->record_durably(recordings::record_of(event));
            },
        .alarm = [this](std::string_view event, std::string_view detail) { alarm(event, detail); },
        .discount = [this](const auto& removal) { gateway_->discount_recordings(removal); },
        .clock = clocks,
        .disk = &audit::real_disk()});
    // Before the log's: what proves a recording goes after it.
    chores.emplace_back([this](const auto& stop) { recordings_retention_->pass(stop); });
  }
  chores.emplace_back([this](const auto& stop) { retention_.pass(stop); });
  upkeep_.emplace(settings.audit.directory, std::move(chores));
}

void Service::alarm(std::string_view event, std::string_view detail) {
  gateway_->record_event(event, detail);
  fmt::print(stderr, "sluice: {}: {}\n", event, detail);
}

void Service::take_up(std::unique_ptr<control::Cosigner> cosigner) {
  cosigner_ = std::move(cosigner);
  if (!cosigner_) return;
  cosigner_->start([this](std::string_view event, std::string_view detail) {
    gateway_->record_event(event, detail);
  });
}

control::api::Actions Service::actions() {
  return {
      .identify =
          [this](std::string_view authorization) {
            return principal_of(authorization, *gateway_->snapshot(), *token_keys(), wall_now());
          },
      .roles = [this] { return gateway_->snapshot()->settings.admin.roles; },
      .record = [this](const audit::Record& record,
                       bool durably) { return gateway_->record_call(record, durably); },
      .is_ready = [this] { return !draining_ && gateway_->log_status().failure.empty(); },
      .metrics = [this] { return control::metrics_text(view()); },
      .status = [this] { return control::status_json(view()); },
      .reload = [this] { return reload(); },
      .drain = [this] { drain(); },
      .sessions = [this](const auto& query) { return LiveSessions(*gateway_).list(query); },
      .session = [this](const std::string& id) { return LiveSessions(*gateway_).find(id); },
      .kill_session = [this](const std::string& id) { return LiveSessions(*gateway_).kill(id); },
      .requests = [this](std::string_view state) { return desk_->list(state); },
      .request = [this](const std::string& id) { return desk_->show(id); },
      .decide = [this](
                    const std::string& id,
                    control::Decision decision) { return desk_->decide(id, std::move(decision)); },
      .legal_holds = [this] { return retention_.legal_holds(); },
      .add_legal_hold =
          [this](audit::LegalHold hold, std::string_view by) {
            return retention_.add_legal_hold(std::move(hold), by);
          },
      .release_legal_hold =
          [this](std::uint64_t id, std::string_view by) {
            return retention_.release_legal_hold(id, by);
          },
      .delete_recording = [this](
                              const std::string& name, const std::string& reason,
                              std::string_view by) { return delete_recording(name, reason, by); },
      .mint = [this](const control::MintRequest& request) { return mint_token(request); },
      .revoke = [this](const std::string& id,
                       std::optional<std::uint32_t> user) { return revoke_token(id, user); }};
}

Result<control::api::RemovedRecording> Service::delete_recording(const std::string& name,
                                                                 const std::string& reason,
                                                                 std::string_view by) {
  if (!recordings_retention_) return fail("this gateway records nothing");
  const auto removed = recordings_retention_->remove(name, reason, std::string(by));
  if (!removed) return tl::unexpected(removed.error());
  return control::api::RemovedRecording{removed->chunks, removed->bytes};
}

Result<control::MintedToken, control::MintRefusal> Service::mint_token(
    const control::MintRequest& request) {
  const auto snapshot = gateway_->snapshot();
  const auto keys = token_keys();
  auto minted = token_mint_.mint(
      request, {snapshot->settings, snapshot->gateway_tokens.get(), *snapshot->keys, *keys});
  if (!minted && !minted.error().issuer.empty()) key_keeper_->ask(minted.error().issuer);
  return minted;
}

Result<void, control::MintRefusal> Service::revoke_token(const std::string& id,
                                                         std::optional<std::uint32_t> user) {
  const auto snapshot = gateway_->snapshot();
  const auto keys = token_keys();
  auto revoked = token_mint_.revoke(
      id, user, {snapshot->settings, snapshot->gateway_tokens.get(), *snapshot->keys, *keys});
  if (!revoked) return revoked;
  if (auto done = adopt_revoked(); !done) {
    return tl::unexpected(control::MintRefusal{.kind = control::MintRefusal::Kind::unavailable,
                                               .message = done.error().message});
  }
  return {};
}

std::shared_ptr<const identity::TokenKeys> Service::token_keys() const {
  const std::lock_guard lock(token_keys_mutex_);
  return token_keys_;
}

/// Workers forget what they proved under the configuration before.
Result<void> Service::adopt_revoked() {
  const std::lock_guard lock(reloading_);
  const auto current = gateway_->snapshot();
  // Read here: of two revocations the later may come first.
  auto revoked = read_revoked(current->settings);
  if (!revoked) return tl::unexpected(revoked.error());
  auto next = std::make_shared<dataplane::Snapshot>(*current);
  next->generation = current->generation + 1;
  next->revoked = std::move(*revoked);
  const auto adopted = adopt(std::shared_ptr<const dataplane::Snapshot>(std::move(next)));
  if (!adopted) return tl::unexpected(adopted.error());
  return {};
}

Result<std::uint64_t> Service::reload() {
  const std::lock_guard lock(reloading_);
  const auto settings = read_settings(configuration_);
  if (!settings) return adopt(tl::unexpected(settings.error()));
  auto generation = adopt(make_snapshot(*settings, mocks_, gateway_->snapshot()->generation + 1));
  if (generation) {
    for (const auto& exporter : exporters_) exporter->try_again();
  }
  return generation;
}

void Service::watch_files() {
  const std::lock_guard lock(reloading_);
  watch_keys();
  watch_certificates();
}

/// Files that are watched already go on being so: what changed meanwhile is seen.
void Service::watch(const config::Settings& settings) {
  if (settings.identity.api_keys_file != keys_file_) {
    keys_file_ = settings.identity.api_keys_file;
    keys_watch_ = control::FileWatch(keys_file_);
  }
  const auto files = tls_files(settings);
  std::erase_if(tls_watches_, [&](const auto& one) {
    return std::ranges::find(files, one.first) == files.end();
  });
  for (const std::string& file : files) tls_watches_.try_emplace(file, file);
}

/// A certificate and its key change one after the other: between the two they do not fit, and
/// what is in force stays.
void Service::watch_certificates() {
  bool has_changed = false;
  for (auto& [path, watch] : tls_watches_) has_changed = watch.has_changed() || has_changed;
  if (!has_changed) return;
  const auto adopted = adopt(reread_tls(*gateway_->snapshot()));
  if (adopted) {
    fmt::print(stderr, "sluice: took up changed certificates as configuration {}\n", *adopted);
  } else {
    fmt::print(stderr, "sluice: {}\nsluice: the certificates in force stay\n",
               adopted.error().message);
  }
}

void Service::watch_keys() {
  if (!keys_watch_.has_changed()) return;
  // The rest stays as it was compiled: a half-edited configuration beside the
  // keys must not come into force because a key was added.
  const auto current = gateway_->snapshot();
  auto keys = read_keys(current->settings, mocks_);
  auto next = std::make_shared<dataplane::Snapshot>(*current);
  next->generation = current->generation + 1;
  if (keys) next->keys = std::move(*keys);
  const auto adopted = keys ? adopt(std::shared_ptr<const dataplane::Snapshot>(std::move(next)))
                            : adopt(tl::unexpected(keys.error()));
  if (adopted) {
    fmt::print(stderr, "sluice: took up the changed API keys as configuration {}\n", *adopted);
  } else {
    fmt::print(stderr, "sluice: {}\nsluice: the API keys in force stay\n", adopted.error().message);
  }
}

void Service::beat() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_beat_) return;
  const Duration interval = gateway_->snapshot()->settings.audit.heartbeat;
  next_beat_ = now + std::chrono::nanoseconds(interval.ns);
  gateway_->record_heartbeat();
}

void Service::watch_log() {
  const audit::LogStatus log = gateway_->log_status();
  if (log.failures != log_failures_) {
    log_failures_ = log.failures;
    is_log_down_ = true;
    fmt::print(stderr, "sluice: the audit log cannot be written, nothing is released: {}\n",
               log.failure.empty() ? "it failed for a moment" : log.failure);
  }
  if (is_log_down_ && log.failure.empty()) {
    is_log_down_ = false;
    fmt::print(stderr, "sluice: the audit log is written again; {} records were refused so far\n",
               log.refusals);
  }
}

Result<std::uint64_t> Service::adopt(Result<std::shared_ptr<const dataplane::Snapshot>> next) {
  const auto note_failure = [this](const Error& error) {
    ++reload_failures_;
    last_reload_error_ = error.message;
    return tl::unexpected(error);
  };
  if (!next) return note_failure(next.error());
  const std::uint64_t generation = (*next)->generation;
  if (auto done = gateway_->reload(std::move(*next)); !done) return note_failure(done.error());
  watch(gateway_->snapshot()->settings);
  desk_->take_up(gateway_->snapshot()->settings.approvals);
  key_keeper_->adopt(gateway_->snapshot()->settings.identity.oidc);
  ++reloads_;
  last_reload_error_.clear();
  return generation;
}

void Service::drain() {
  if (draining_.exchange(true)) return;
  drain_until_ns_ = wall_now().ns + gateway_->snapshot()->settings.drain_timeout.ns;
  gateway_->drain();
}

bool Service::is_drained() const {
  return gateway_->is_drained() || wall_now().ns >= drain_until_ns_;
}

control::GatewayView Service::view() const {
  control::GatewayView view;
  const auto snapshot = gateway_->snapshot();
  view.version = SLUICE_VERSION;
  view.state = draining_ ? "draining" : "running";
  view.configuration = snapshot->generation;
  view.started = started_;
  view.uptime = wall_now() - started_;
  view.api_keys = snapshot->keys->size();
  view.has_kernel_tls = gateway_->has_kernel_tls();
  view.log = gateway_->log_status();
  view.retention = retention_.status();
  view.tokens = token_mint_.counts();
  for (std::size_t i = 0; i < snapshot->listeners.size(); ++i) {
    const auto& listener = snapshot->listeners[i].settings;
    view.listeners.push_back({listener.name, gateway_->addresses()[i], listener.target});
  }
  for (std::size_t i = 0; i < gateway_->workers(); ++i) {
    view.workers.push_back(view_of(gateway_->worker(i)));
  }
  for (const auto& target : snapshot->targets) {
    auto latency = std::make_unique<control::LatencyView>();
    latency->target = target.settings.name;
    for (std::size_t i = 0; i < gateway_->workers(); ++i) {
      gateway_->worker(i).metrics.latencies.add_to(latency->ns, latency->target);
    }
    view.latencies.push_back(std::move(latency));
  }

  for (const auto& exporter : exporters_) {
    const exports::ExportStatus status = exporter->status();
    view.exports.push_back({status.name, status.next, status.failures, status.last_error,
                            status.has_stopped, status.lag});
  }

  if (const auto recordings = gateway_->recordings()) {
    const auto removal = recordings_retention_->status();
    view.recordings = {.chunks = recordings->chunks,
                       .bytes = recordings->bytes,
                       .open = recordings->open,
                       .total_bytes = recordings->total_bytes,
                       .backlog_bytes = recordings->backlog_bytes,
                       .failures = recordings->failures,
                       .takes = recordings->takes,
                       .removed = removal.removed,
                       .removal_failures = removal.failures,
                       .held = removal.held};
  }
  view.issuers = key_keeper_->view();
  view.approvals = desk_->counts();
  const std::lock_guard lock(reloading_);
  view.reloads = reloads_;
  view.reload_failures = reload_failures_;
  view.last_reload_error = last_reload_error_;
  return view;
}

}  // namespace sluice::cli
