#include "cli/service.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "cli/configuration.h"
#include "cli/kept_recordings.h"
#include "cli/live_sessions.h"
#include "cli/output.h"
#include "cli/policy_question.h"
#include "cli/policy_versions.h"
#include "cli/times.h"
#include "cli/tls_channel.h"
#include "cli/unhurried.h"
#include "saml/reader_client.h"

namespace sluice::cli {
namespace {

/// A page of a search has what was found by then.
constexpr std::chrono::seconds search_time_max{2};

/// Whether a search goes on: asked for the first time, and until so long afterwards.
class SearchTime {
 public:
  explicit SearchTime(const std::atomic<bool>& is_ending) : is_ending_(is_ending) {}

  bool goes_on() {
    const auto now = std::chrono::steady_clock::now();
    if (!end_) end_ = now + search_time_max;
    return !is_ending_ && now < *end_;
  }

 private:
  const std::atomic<bool>& is_ending_;
  std::optional<std::chrono::steady_clock::time_point> end_;
};

KeptRecordings kept_recordings(const config::Settings& settings) {
  return KeptRecordings(settings.recordings ? settings.recordings->directory : std::string());
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

/// What closing the log may take behind a drain, before a service manager loses patience.
constexpr Duration closing_time = seconds(30);

Now clocks() {
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  return {{std::chrono::nanoseconds(monotonic).count()}, wall_now()};
}

}  // namespace

Service::Service(std::string configuration, std::unique_ptr<control::KeyKeeper> key_keeper,
                 std::unique_ptr<control::Introspector> introspector,
                 std::unique_ptr<control::Notifier> notifier, std::unique_ptr<control::Desk> desk,
                 std::unique_ptr<dataplane::Gateway> gateway, audit::LogSigner& signer)
    : configuration_(std::move(configuration)),
      mocks_(signer.derived_keys().mocks),
      log_origin_(signer.verifier().origin()),
      key_keeper_(std::move(key_keeper)),
      introspector_(std::move(introspector)),
      notifier_(std::move(notifier)),
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
      key_revoker_(
          {.now = wall_now,
           .record =
               [this](const audit::Record& record) { return gateway_->record_durably(record); }}),
      retention_(retention_options()),
      started_(wall_now()),
      packing_(signer, is_ending_) {
  watch(gateway_->snapshot()->settings);
}

Result<std::unique_ptr<Service>> Service::start(
    const std::string& configuration, const std::shared_ptr<const dataplane::Snapshot>& first,
    audit::LogSigner& signer) {
  const config::Settings& settings = first->settings;
  auto cosigner = make_cosigner(settings);
  if (!cosigner) return tl::unexpected(cosigner.error());
  auto key_keeper = std::make_unique<control::KeyKeeper>();
  auto introspector = std::make_unique<control::Introspector>();
  auto store = control::open_sqlite_store(store_path(settings));
  if (!store) return tl::unexpected(store.error());
  auto journal = control::open_sqlite_journal(store_path(settings));
  if (!journal) return tl::unexpected(journal.error());
  auto notifier = std::make_unique<control::Notifier>(std::move(*journal), settings.notifications);
  auto desk = std::make_unique<control::Desk>(std::move(*store), settings.approvals);
  auto gateway = dataplane::Gateway::start(
      first, signer,
      {.want_keys = [&keeper = *key_keeper](std::string_view issuer) { keeper.ask(issuer); },
       .ask_issuer =
           [&asker = *introspector](const config::OidcIssuer& issuer, std::string token,
                                    identity::AnswerIntrospection answer) {
             return asker.ask(issuer, std::move(token), std::move(answer));
           },
       .hold = [&desk = *desk](
                   config::HeldOperation what,
                   config::AnswerHold answer) { desk.hold(std::move(what), std::move(answer)); },
       .end_hold = [&desk = *desk](
                       std::string request,
                       config::HoldEnd how) { desk.end_hold(std::move(request), how); }});
  if (!gateway) return tl::unexpected(gateway.error());
  auto service = std::unique_ptr<Service>(
      new Service(configuration, std::move(key_keeper), std::move(introspector),
                  std::move(notifier), std::move(desk), std::move(*gateway), signer));
  service->start_notifier();
  if (auto done = service->start_desk(); !done) return tl::unexpected(done.error());
  service->start_key_keeper();
  service->start_introspector();
  if (auto done = service->start_exports(settings.audit); !done) {
    return tl::unexpected(done.error());
  }
  service->start_upkeep();
  service->take_up(std::move(*cosigner));
  auto pages = control::SamlPages::make(service->saml_world());
  if (!pages) return tl::unexpected(pages.error());
  service->saml_pages_ = std::move(*pages);
  auto admin = control::AdminServer::start(
      settings.admin, service->actions(),
      [&own = *service](control::Channel& below) { return own.secure(below); },
      [&own = *service](const control::HttpRequest& request) {
        auto reply = own.oidc_pages_.answer(request);
        return reply ? reply : own.saml_pages_->answer(request);
      });
  if (!admin) return tl::unexpected(admin.error());
  service->admin_ = std::move(*admin);
  service->announce(service->manager_.ready(service->status_line()));
  return service;
}

Service::~Service() {
  is_ending_ = true;
  // Their threads call the gateway, whose workers call them: so they end first, and go last.
  key_keeper_->stop();
  introspector_->stop();
  desk_->stop();
  notifier_->stop();
}

void Service::start_notifier() {
  notifier_->start({.post = control::https_post,
                    .clock = wall_now,
                    .chance =
                        [source = std::minstd_rand(std::random_device{}())]() mutable {
                          return std::generate_canonical<double, 32>(source);
                        },
                    .record =
                        [this](const audit::Record& record) {
                          return gateway_->record_approval(record, false);
                        }});
}

Result<void> Service::start_desk() {
  using Weight = control::Desk::Weight;
  return desk_->start(
      {.record =
           [this](const audit::Record& record, Weight weight) {
             return gateway_->record_approval(record, weight == Weight::effect);
           },
       .clock = clocks,
       .tell = [this](control::StoredRequest request) { tell(std::move(request)); }});
}

void Service::tell(control::StoredRequest request) {
  if (request.state == text(control::RequestState::unreviewed)) {
    fmt::print(stderr, "sluice: request {} was let through by breaking the glass\n", request.id);
  }
  notifier_->tell(std::move(request));
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

void Service::start_introspector() {
  introspector_->start({.get = control::https_get,
                        .post = control::https_post,
                        .clock = clocks,
                        .note = [this](std::string_view event, std::string_view detail) {
                          gateway_->record_event(event, detail);
                        }});
  introspector_->adopt(gateway_->snapshot()->settings.identity.oidc);
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
      .identify = [this](std::string_view authorization,
                         std::string_view source) { return identify(authorization, source); },
      .roles = [this] { return gateway_->snapshot()->settings.admin.roles; },
      .record = [this](const audit::Record& record,
                       bool durably) { return gateway_->record_call(record, durably); },
      .alarm = [this](std::string_view event, std::string_view detail) { alarm(event, detail); },
      .is_ready = [this] { return !draining_ && gateway_->log_status().failure.empty(); },
      .metrics = [this] { return control::metrics_text(view()); },
      .status = [this] { return control::status_json(view()); },
      .reload = [this] { return reload(); },
      .drain = [this] { drain(); },
      .listeners = [this] { return listeners(); },
      .sessions = [this](const auto& query) { return LiveSessions(*gateway_).list(query); },
      .session = [this](const std::string& id) { return LiveSessions(*gateway_).find(id); },
      .kill_session = [this](const std::string& id) { return LiveSessions(*gateway_).kill(id); },
      .policy = [this] { return gateway_->snapshot()->settings.text; },
      .test_policy = [this](const control::api::PolicyQuestion& question)
          -> Result<control::api::PolicyAnswer> {
        const auto rehearsal = dataplane::Rehearsal::under(gateway_->snapshot());
        if (!rehearsal) return tl::unexpected(rehearsal.error());
        return answer(**rehearsal, question);
      },
      .policy_versions = [this] { return PolicyVersions(gateway_->snapshot()).list(); },
      .policy_version =
          [this](std::string_view version) {
            return PolicyVersions(gateway_->snapshot()).show(version);
          },
      .diff_policy =
          [this](const control::api::PolicyDiffQuestion& question) {
            return PolicyVersions(gateway_->snapshot()).diff(question);
          },
      .dry_run_policy =
          [this](const control::api::DryRunQuestion& question) { return dry_run(question); },
      .records =
          [this, directory = gateway_->snapshot()->settings.audit.directory](
              audit::RecordQuery query, const auto& mark, std::size_t limit) {
            // From the first record on that is new to who asks.
            SearchTime time(is_ending_);
            return audit::search_page(directory, std::move(query), mark, limit,
                                      [&time] { return time.goes_on(); });
          },
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
      .recordings =
          [this](const control::api::RecordingsQuery& query) {
            SearchTime time(is_ending_);
            return kept_recordings(gateway_->snapshot()->settings).list(query, [&time] {
              return time.goes_on();
            });
          },
      .recording =
          [this](const std::string& name) {
            return kept_recordings(gateway_->snapshot()->settings).show(name);
          },
      .chunk =
          [this](const std::string& name, std::uint64_t number) {
            return kept_recordings(gateway_->snapshot()->settings).chunk(name, number);
          },
      .delete_recording = [this](
                              const std::string& name, const std::string& reason,
                              std::string_view by) { return delete_recording(name, reason, by); },
      .evidence =
          [this](const control::api::EvidenceQuestion& question) {
            return packing_.make(gateway_->snapshot()->settings, question);
          },
      .issuers = [this] { return gateway_->snapshot()->settings.identity.oidc; },
      .mint = [this](const control::MintRequest& request) { return mint_token(request); },
      .revoke = [this](const std::string& id, std::string_view by) { return revoke_token(id, by); },
      .keys = [this] { return gateway_->snapshot()->keys; },
      .revoke_key = [this](const std::string& id,
                           std::string_view by) { return revoke_key(id, by); }};
}

control::api::Outcome<std::string> Service::dry_run(const control::api::DryRunQuestion& question) {
  const std::unique_lock lock(dry_running_, std::try_to_lock);
  if (!lock) return control::api::refuse(503, "another dry run is under way: try again");
  std::optional<control::api::Outcome<std::string>> report;
  run_unhurried([&] {
    SearchTime time(is_ending_);
    report =
        PolicyVersions(gateway_->snapshot()).dry_run(question, [&time] { return time.goes_on(); });
  });
  return std::move(*report);
}

control::OidcPages::World Service::oidc_world() {
  return {.issuers = [this] { return gateway_->snapshot()->settings.identity.oidc; },
          .has_saml = [this] { return gateway_->snapshot()->settings.identity.saml.has_value(); },
          .provider =
              [](const config::OidcIssuer& issuer) {
                return control::OidcWorld::real(issuer.ca_file, wall_now);
              },
          .random = random_bytes,
          .identify = [this](std::string_view authorization,
                             std::string_view source) { return identify(authorization, source); },
          .record =
              [this](const audit::Record& record) { return gateway_->record_call(record, false); },
          .mint = [this](const control::MintRequest& request) { return mint_token(request); }};
}

control::SamlPages::World Service::saml_world() {
  return {.provider = [this]() -> std::shared_ptr<const saml::ServiceProvider> {
            const auto snapshot = gateway_->snapshot();
            const auto& settings = snapshot->settings.identity.saml;
            if (!settings) return nullptr;
            // It was made when the configuration was read, too: what is faulty is not in force.
            return saml::ServiceProvider::make(*settings).value_or(nullptr);
          },
          .now = wall_now,
          .random = random_bytes,
          .ask_reader = saml::ask_reader,
          .record =
              [this](const audit::Record& record) { return gateway_->record_call(record, false); },
          .mint = [this](const control::MintRequest& request) { return mint_token(request); }};
}

control::api::Proving Service::identify(std::string_view authorization, std::string_view source) {
  const auto snapshot = gateway_->snapshot();
  const auto keys = token_keys();
  const Now now = clocks();
  auto verdict =
      authorization_.prove(authorization, source, {*snapshot, *keys, now.wall, now.monotonic});
  if (!verdict.awaited_issuer.empty()) key_keeper_->ask(verdict.awaited_issuer);
  return std::move(verdict.proving);
}

/// With the certificate in force. A context is made again only when that has changed.
Result<std::unique_ptr<control::Channel>> Service::secure(control::Channel& below) {
  const auto plan = gateway_->snapshot()->admin_tls;
  std::shared_ptr<const dataplane::TlsContext> context;
  {
    const std::lock_guard lock(admin_tls_mutex_);
    if (!admin_tls_ || admin_tls_->server() != plan.get()) {
      auto made = dataplane::TlsContext::make(plan);
      if (!made) return tl::unexpected(made.error());
      admin_tls_ = std::move(*made);
    }
    context = admin_tls_;
  }
  return TlsChannel::open(below, std::move(context));
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
                                                         std::string_view by) {
  const auto snapshot = gateway_->snapshot();
  const auto keys = token_keys();
  auto revoked = token_mint_.revoke(
      id, by, {snapshot->settings, snapshot->gateway_tokens.get(), *snapshot->keys, *keys});
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

control::api::Outcome<void> Service::revoke_key(const std::string& id, std::string_view by) {
  // A reload may name another list.
  const std::lock_guard lock(reloading_);
  const auto current = gateway_->snapshot();
  auto revoked =
      key_revoker_.revoke(id, by, *current->keys, current->settings.identity.revoked_keys);
  if (!revoked) return revoked;
  if (auto done = adopt_without(*current, id); !done) {
    return control::api::refuse(
        503,
        fmt::format("it is in the list, and still in force: ask again ({})", done.error().message));
  }
  return {};
}

/// Of the keys in force: a keys file that is just being edited must not keep one in force.
Result<void> Service::adopt_without(const dataplane::Snapshot& current, const std::string& key) {
  auto next = std::make_shared<dataplane::Snapshot>(current);
  next->generation = current.generation + 1;
  next->keys = current.keys->without({key});
  const auto adopted = adopt(std::shared_ptr<const dataplane::Snapshot>(std::move(next)));
  if (!adopted) return tl::unexpected(adopted.error());
  return {};
}

/// Of the configuration as it is on the disk.
Result<std::shared_ptr<const dataplane::Snapshot>> Service::read_snapshot() const {
  const auto settings = read_settings(configuration_);
  if (!settings) return tl::unexpected(settings.error());
  if (auto done = expect_revoked_keys(*settings); !done) return tl::unexpected(done.error());
  return make_snapshot(*settings, mocks_, gateway_->snapshot()->generation + 1);
}

/// A list that is gone would make what was revoked good again.
Result<void> Service::expect_revoked_keys(const config::Settings& settings) const {
  const std::string& list = settings.identity.revoked_keys;
  std::error_code unknown;
  if (gateway_->snapshot()->keys->revoked().empty() || std::filesystem::exists(list, unknown)) {
    return {};
  }
  return fail(fmt::format(
      "identity.revoked_keys: {} is missing, and names keys that were revoked: bring it back",
      list));
}

Result<std::uint64_t> Service::reload() {
  const std::lock_guard lock(reloading_);
  announce(manager_.reloading(clocks().monotonic));
  const auto generation = adopt(read_snapshot());
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
  const auto has_list = expect_revoked_keys(current->settings);
  auto keys = has_list ? read_keys(current->settings, mocks_) : tl::unexpected(has_list.error());
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
    announce(manager_.ready(status_line()));
    return tl::unexpected(error);
  };
  if (!next) return note_failure(next.error());
  const std::uint64_t generation = (*next)->generation;
  if (auto done = gateway_->reload(std::move(*next)); !done) return note_failure(done.error());
  watch(gateway_->snapshot()->settings);
  desk_->take_up(gateway_->snapshot()->settings.approvals);
  notifier_->take_up(gateway_->snapshot()->settings.notifications);
  key_keeper_->adopt(gateway_->snapshot()->settings.identity.oidc);
  introspector_->adopt(gateway_->snapshot()->settings.identity.oidc);
  ++reloads_;
  last_reload_error_.clear();
  announce(manager_.ready(status_line()));
  return generation;
}

void Service::announce(const Result<void>& told) {
  if (!told) fmt::print(stderr, "sluice: {}\n", told.error().message);
}

std::string Service::status_line() const {
  return fmt::format("configuration {} is in force{}", gateway_->snapshot()->generation,
                     last_reload_error_.empty() ? "" : "; the last reload was refused");
}

void Service::drain() {
  if (draining_.exchange(true)) return;
  const Duration timeout = gateway_->snapshot()->settings.drain_timeout;
  drain_until_ns_ = wall_now().ns + timeout.ns;
  announce(manager_.stopping({timeout.ns + closing_time.ns}));
  gateway_->drain();
}

bool Service::is_drained() const {
  return gateway_->is_drained() || wall_now().ns >= drain_until_ns_;
}

}  // namespace sluice::cli
