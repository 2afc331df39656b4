#include "dataplane/gateway.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/timex.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "audit/policy_store.h"
#include "dataplane/loop/loop.h"
#include "dataplane/prover.h"
#include "dataplane/transport/uring_transport.h"
#include "matcher/self_test.h"

namespace sluice::dataplane {

extern template class Loop<UringTransport>;

namespace {

/// The cores this process may use, in order.
std::vector<int> available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
    }
  }
  return cores;
}

void pin(std::thread& thread, int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  // Best effort: an unpinned worker is slower, not wrong.
  pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
}

Now clocks() {
  using std::chrono::nanoseconds;
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {{nanoseconds(monotonic).count()}, {nanoseconds(wall).count()}};
}

constexpr std::chrono::milliseconds durable_poll{1};

struct Worker {
  std::unique_ptr<UringTransport> transport;
  std::unique_ptr<Mailbox<WorkerMail>> mailbox;
  WorkerMetrics metrics;
  std::thread thread;
};

std::string listener_key(const config::Listener& listener) {
  // Clients that are there already would go on in clear.
  return fmt::format("{} {}:{}{}", listener.name, listener.address.host, listener.address.port,
                     listener.tls ? " tls" : "");
}

bool is_same_export(const config::AuditExport& one, const config::AuditExport& other) {
  // A member that is added does not compile until it is compared. Where the export stands
  // in its file is nothing that it is.
  const auto& [name, format, file, syslog, s3, kafka, otlp, lag_alarm, place] = one;
  static_cast<void>(place);
  return name == other.name && format == other.format && file == other.file &&
         syslog == other.syslog && s3 == other.s3 && kafka == other.kafka && otlp == other.otlp &&
         lag_alarm == other.lag_alarm;
}

/// But for its certificate.
bool is_same_port(const std::optional<config::AdminListen>& now,
                  const std::optional<config::AdminListen>& next) {
  if (!now || !next) return now.has_value() == next.has_value();
  return now->address == next->address && now->connections_max == next->connections_max &&
         now->connections_per_source_max == next->connections_per_source_max &&
         now->timeout == next->timeout;
}

/// Why `next` needs a restart; empty when it does not.
std::string restart_reason(const config::Settings& now, const config::Settings& next) {
  if (!std::ranges::equal(now.listeners, next.listeners, {}, listener_key, listener_key)) {
    return "listeners were added, removed, renamed or moved, or their TLS switched on or off";
  }
  if (now.audit.directory != next.audit.directory ||
      now.audit.signing_key != next.audit.signing_key || now.audit.token != next.audit.token ||
      now.audit.signer.state != next.audit.signer.state ||
      now.audit.signer.user != next.audit.signer.user ||
      now.audit.signer.seal_every != next.audit.signer.seal_every ||
      now.audit.release != next.audit.release || now.audit.ring_bytes != next.audit.ring_bytes ||
      now.audit.segment_bytes != next.audit.segment_bytes ||
      !std::ranges::equal(now.audit.exports, next.audit.exports, is_same_export) ||
      now.audit.timestamps.authority != next.audit.timestamps.authority ||
      now.audit.timestamps.every != next.audit.timestamps.every ||
      now.audit.witness_policy != next.audit.witness_policy) {
    return "the audit section changed";
  }
  // What is too old is forgotten, and would be fresh again.
  if (next.identity.dpop.max_age > now.identity.dpop.max_age) return "identity.dpop.max_age rose";
  if (now.approvals.store != next.approvals.store) return "the store of approvals moved";
  if (now.admin.socket != next.admin.socket || now.admin.socket_group != next.admin.socket_group ||
      now.admin.tcp != next.admin.tcp || !is_same_port(now.admin.listen, next.admin.listen)) {
    return "the control API moved";
  }
  if (now.workers.count != next.workers.count || now.workers.pin != next.workers.pin ||
      now.workers.connections_max != next.workers.connections_max ||
      now.workers.buffer_bytes != next.workers.buffer_bytes ||
      now.workers.kernel_tls != next.workers.kernel_tls) {
    return "the workers section changed";
  }
  if (now.recordings != next.recordings) return "the recordings section changed";
  return {};
}

bool speaks_tls(const config::Settings& settings) {
  const auto has_tls = [](const auto& one) { return one.tls.has_value(); };
  return std::ranges::any_of(settings.listeners, has_tls) ||
         std::ranges::any_of(settings.targets, has_tls);
}

/// Whether what records say of the time can be believed, as the kernel knows it.
std::string clock_state() {
  timex state{};
  const int found = ::adjtimex(&state);
  if (found < 0) return "clock: the kernel does not say";
  if (found == TIME_ERROR || (state.status & STA_UNSYNC) != 0) return "clock: not synchronised";
  return fmt::format("clock: synchronised, off by at most {} us", state.maxerror);
}

}  // namespace

struct Gateway::State {
  std::vector<std::unique_ptr<Worker>> workers;
  std::unique_ptr<audit::Log> log;
  std::unique_ptr<recordings::Recorder> recorder;  ///< Null: nothing is recorded.
  std::optional<ReplayFilter> replays;             ///< Of this run: for all workers.
  std::unique_ptr<Prover> prover;
  std::vector<std::string> addresses;
  KernelTls kernel_tls;
  GatewayHooks hooks;
  mutable std::mutex mutex;  ///< Guards what follows, and the control thread's own log.
  std::shared_ptr<const Snapshot> snapshot;

  Result<void> open_transports();
  Result<void> open_log(audit::LogSigner& signer);
  Result<void> open_recordings();
  void run_workers();
  void post(const WorkerMail& mail);
  [[nodiscard]] Result<void> adopt(const Snapshot& next, std::string_view event);
  /// Its sequence; nothing when the log cannot take it.
  std::optional<std::uint64_t> append(audit::Record& record);
  [[nodiscard]] Result<void> append_durably(audit::Record& record);
  [[nodiscard]] bool is_control_broken() const;
  [[nodiscard]] std::uint64_t control_durable_through() const;
};

Result<void> Gateway::State::open_transports() {
  const config::Settings& settings = snapshot->settings;
  if (settings.workers.kernel_tls && speaks_tls(settings)) kernel_tls = KernelTls::probe();
  for (std::size_t i = 0; i < worker_count(settings.workers); ++i) {
    UringOptions options;
    options.kernel_tls = kernel_tls;
    options.connections_max = settings.workers.connections_max;
    options.buffer_bytes = settings.workers.buffer_bytes;
    auto transport = UringTransport::make(options);
    if (!transport) return fail(transport.error().message);
    auto worker = std::make_unique<Worker>();
    worker->transport = std::move(*transport);
    worker->mailbox = std::make_unique<Mailbox<WorkerMail>>(
        [&waker = worker->transport->waker()] { waker.wake(); });
    for (std::size_t k = 0; k < snapshot->listeners.size(); ++k) {
      const ListenerPlan& plan = snapshot->listeners[k];
      const auto index = static_cast<std::uint16_t>(k);
      // The workers share a port; one that was left to the kernel is the first worker's.
      const auto chosen = i == 0 ? Result<Endpoint>(plan.endpoint)
                                 : workers.front()->transport->local_endpoint(index);
      if (!chosen) return fail(chosen.error().message);
      if (auto ok = worker->transport->listen(*chosen, index); !ok) {
        return fail(fmt::format("listener '{}': {}", plan.settings.name, ok.error().message));
      }
      if (i != 0) continue;
      const auto local = worker->transport->local_endpoint(index);
      if (!local) return fail(local.error().message);
      addresses.push_back(text(*local));
    }
    workers.push_back(std::move(worker));
  }
  return {};
}

Result<void> Gateway::State::open_log(audit::LogSigner& signer) {
  const config::Audit& settings = snapshot->settings.audit;
  audit::LogOptions options;
  options.directory = settings.directory;
  options.signer = &signer;
  options.workers = static_cast<std::uint32_t>(workers.size());
  options.ring_bytes = settings.ring_bytes;
  options.segment_bytes = settings.segment_bytes;
  auto opened = audit::Log::open(options, clocks(), [this](std::uint32_t worker) {
    if (worker < workers.size()) workers[worker]->transport->waker().wake();
  });
  if (!opened) return fail(opened.error().message);
  log = std::move(*opened);
  return {};
}

Result<void> Gateway::State::open_recordings() {
  if (!snapshot->settings.recordings) return {};
  const config::Recordings& settings = *snapshot->settings.recordings;
  auto started =
      recordings::Recorder::start({.directory = settings.directory,
                                   .recipients = snapshot->auditors,
                                   .workers = static_cast<std::uint32_t>(workers.size()),
                                   .bytes_max = settings.bytes_max,
                                   .stops_when_full = settings.on_full == config::OnFull::stop,
                                   .chunk_bytes = settings.chunk_bytes,
                                   .chunk_time = settings.chunk_time,
                                   .memory_bytes = settings.memory_bytes,
                                   .backlog_bytes = settings.backlog_bytes,
                                   .record =
                                       [this](const recordings::Event& event) {
                                         audit::Record record = recordings::record_of(event);
                                         return append(record).has_value();
                                       },
                                   .clock = clocks,
                                   .disk = &audit::real_disk()});
  if (!started) return tl::unexpected(started.error());
  recorder = std::move(*started);
  return {};
}

void Gateway::State::run_workers() {
  prover = std::make_unique<Prover>(
      [this](const ProofRequest& request, const identity::KeyVerdict& verdict) {
        WorkerMail mail;
        mail.proved = request.client;
        mail.verdict = verdict;
        workers[request.worker]->mailbox->post(std::move(mail));
      });
  const std::vector<int> cores = available_cores();
  replays.emplace(FingerprintKey::random(), clocks().wall);
  const auto ticket_seed = std::make_shared<const TicketSeed>(clocks().monotonic);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    Worker& worker = *workers[i];
    LoopOptions options;
    options.worker = static_cast<std::uint32_t>(i);
    options.durable = snapshot->settings.audit.release == config::Release::durable;
    if (recorder) options.recordings = &recorder->feed(options.worker);
    options.replays = &*replays;
    options.prove = [this](ProofRequest request) { return prover->request(std::move(request)); };
    options.want_keys = hooks.want_keys;
    options.ask_issuer = [this, i](TokenQuestion question) {
      return hooks.ask_issuer(
          question.issuer, std::move(question.token),
          [this, i, print = question.print,
           configuration = question.configuration](identity::IntrospectionVerdict verdict) {
            WorkerMail mail;
            mail.token_answer = std::make_shared<const TokenAnswer>(
                TokenAnswer{print, configuration, std::move(verdict)});
            workers[i]->mailbox->post(std::move(mail));
          });
    };
    options.hold = [this, i](ConnId client, config::HeldOperation what) {
      hooks.hold(std::move(what), [this, i, client](config::HoldAnswer answer) {
        WorkerMail mail;
        mail.held = client;
        mail.hold_answer = std::move(answer);
        workers[i]->mailbox->post(std::move(mail));
      });
    };
    options.ticket_seed = ticket_seed;
    options.end_hold = hooks.end_hold;
    options.post = [this](std::uint32_t number, WorkerMail mail) {
      if (number >= workers.size()) return false;
      workers[number]->mailbox->post(std::move(mail));
      return true;
    };
    worker.thread = std::thread([&worker, &log_end = log->worker(options.worker), first = snapshot,
                                 options = std::move(options)]() mutable {
      Loop<UringTransport> loop(*worker.transport, log_end, worker.metrics, *worker.mailbox, first,
                                std::move(options));
      loop.run();
    });
    ::pthread_setname_np(worker.thread.native_handle(), fmt::format("worker-{}", i).c_str());
    if (snapshot->settings.workers.pin && !cores.empty()) {
      pin(worker.thread, cores[i % cores.size()]);
    }
  }
}

void Gateway::State::post(const WorkerMail& mail) {
  for (const auto& worker : workers) worker->mailbox->post(mail);
}

/// A policy is kept before the first record names it.
Result<void> Gateway::State::adopt(const Snapshot& next, std::string_view event) {
  const auto kept = audit::keep_policy(next.settings.audit.directory, next.settings.text);
  if (!kept) return kept;
  const std::string detail = fmt::format("configuration {}", next.generation);
  audit::Record record;
  record.phase = audit::Phase::control;
  record.configuration = next.generation;
  record.policy = next.policy_digest;
  record.event = event;
  record.detail = detail;
  if (append(record)) return {};
  return fail("the audit log cannot take a record");
}

/// Into the control thread's own ring.
std::optional<std::uint64_t> Gateway::State::append(audit::Record& record) {
  const std::lock_guard lock(mutex);
  record.time = clocks();
  return log->control().append_single(record);
}

/// Returns when the record is durable.
Result<void> Gateway::State::append_durably(audit::Record& record) {
  const auto sequence = append(record);
  while (sequence && !is_control_broken()) {
    if (control_durable_through() >= *sequence) return {};
    std::this_thread::sleep_for(durable_poll);
  }
  return fail("the audit log cannot take a record");
}

bool Gateway::State::is_control_broken() const {
  const std::lock_guard lock(mutex);
  return log->control().is_broken();
}

std::uint64_t Gateway::State::control_durable_through() const {
  const std::lock_guard lock(mutex);
  return log->control().durable_through();
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Gateway>> Gateway::start(std::shared_ptr<const Snapshot> snapshot,
                                                audit::LogSigner& signer, GatewayHooks hooks) {
  if (auto ok = matcher::self_test(); !ok) return fail(ok.error().message);
  auto state = std::make_unique<State>();
  state->snapshot = std::move(snapshot);
  state->hooks = std::move(hooks);
  if (auto ok = state->open_transports(); !ok) return fail(ok.error().message);
  if (auto ok = state->open_log(signer); !ok) return fail(ok.error().message);
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(state)));
  if (auto ok = gateway->state_->adopt(*gateway->snapshot(), "started"); !ok) {
    return fail(ok.error().message);
  }
  if (auto ok = gateway->state_->open_recordings(); !ok) return tl::unexpected(ok.error());
  gateway->state_->run_workers();
  return gateway;
}

Gateway::~Gateway() {
  WorkerMail mail;
  mail.stop = true;
  state_->post(mail);
  for (const auto& worker : state_->workers) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  state_->prover.reset();
  state_->recorder.reset();
  record_event("stopped", {});
  state_->log.reset();
}

Result<void> Gateway::reload(std::shared_ptr<const Snapshot> snapshot) {
  const auto before = this->snapshot();
  if (const auto reason = restart_reason(before->settings, snapshot->settings); !reason.empty()) {
    return fail(fmt::format("{}: that needs a restart", reason));
  }
  if (auto done = state_->adopt(*snapshot, "reloaded"); !done) return done;
  WorkerMail mail;
  mail.snapshot = snapshot;
  state_->post(mail);
  const std::lock_guard lock(state_->mutex);
  state_->snapshot = std::move(snapshot);
  return {};
}

std::shared_ptr<const Snapshot> Gateway::snapshot() const {
  const std::lock_guard lock(state_->mutex);
  return state_->snapshot;
}

void Gateway::take_up(const std::shared_ptr<const identity::TokenKeys>& keys) {
  WorkerMail mail;
  mail.token_keys = keys;
  state_->post(mail);
}

void Gateway::drain() {
  record_event("draining", {});
  WorkerMail mail;
  mail.drain = true;
  state_->post(mail);
}

bool Gateway::ask(std::size_t worker, SessionSurvey survey) {
  if (worker >= state_->workers.size()) return false;
  WorkerMail mail;
  mail.survey = std::make_shared<const SessionSurvey>(std::move(survey));
  state_->workers[worker]->mailbox->post(std::move(mail));
  return true;
}

bool Gateway::ask(std::size_t worker, SessionLookup lookup) {
  if (worker >= state_->workers.size()) return false;
  WorkerMail mail;
  mail.lookup = std::make_shared<const SessionLookup>(std::move(lookup));
  state_->workers[worker]->mailbox->post(std::move(mail));
  return true;
}

std::uint64_t Gateway::epoch() const noexcept {
  return state_->log->control().epoch();
}

bool Gateway::is_drained() const noexcept {
  return std::ranges::all_of(
      state_->workers, [](const auto& worker) { return worker->metrics.clients_open.read() == 0; });
}

std::size_t Gateway::workers() const noexcept {
  return state_->workers.size();
}

Gateway::WorkerView Gateway::worker(std::size_t index) const noexcept {
  return {state_->workers[index]->metrics, state_->workers[index]->transport->counters()};
}

std::optional<recordings::RecorderStatus> Gateway::recordings() const noexcept {
  if (!state_->recorder) return std::nullopt;
  return state_->recorder->status();
}

void Gateway::discount_recordings(const std::function<std::uint64_t()>& removal) {
  if (state_->recorder) state_->recorder->discount(removal);
}

audit::LogStatus Gateway::log_status() const {
  return state_->log->status();
}

const KernelTls& Gateway::kernel_tls() const noexcept {
  return state_->kernel_tls;
}

const std::vector<std::string>& Gateway::addresses() const noexcept {
  return state_->addresses;
}

bool Gateway::record_event(std::string_view event, std::string_view detail) {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = event;
  record.detail = detail;
  return state_->append(record).has_value();
}

Result<void> Gateway::record_durably(std::string_view event, std::string_view detail) {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = event;
  record.detail = detail;
  return record_durably(record);
}

Result<void> Gateway::record_durably(audit::Record record) {
  return state_->append_durably(record);
}

Result<void> Gateway::record_call(const audit::Record& record, bool durably) {
  audit::Record own = record;
  const auto current = snapshot();
  own.configuration = current->generation;
  own.policy = current->policy_digest;
  if (durably) return state_->append_durably(own);
  if (state_->append(own)) return {};
  return fail("the audit log cannot take a record");
}

Result<void> Gateway::record_approval(const audit::Record& record, bool takes_effect) {
  audit::Record own = record;
  const auto current = snapshot();
  own.phase = audit::Phase::approval;
  own.configuration = current->generation;
  own.policy = current->policy_digest;
  if (takes_effect && current->settings.audit.release == config::Release::durable) {
    return state_->append_durably(own);
  }
  if (state_->append(own)) return {};
  return fail("the audit log cannot take a record");
}

void Gateway::record_heartbeat() {
  const std::string clock = clock_state();
  audit::Record record;
  record.phase = audit::Phase::heartbeat;
  const auto current = snapshot();
  record.configuration = current->generation;
  record.policy = current->policy_digest;
  record.detail = clock;
  static_cast<void>(state_->append(record));  // a broken log is told by metrics and readiness
}

std::size_t worker_count(const config::Workers& settings) {
  if (settings.count != 0) return settings.count;
  return std::max<std::size_t>(1, available_cores().size());
}

}  // namespace sluice::dataplane
