#include "sim_worker.h"

#include <utility>

#include "audit/policy_store.h"
#include "audit/reader.h"
#include "dataplane/loop/loop_impl.h"
#include "must.h"

namespace sluice::dataplane {

using test::must;

template class Loop<SimTransport>;

SimWorker::SimWorker(const SimOptions& options, const SimLog& log)
    : random_(options.seed),
      writes_per_mille_(log.disk != nullptr ? 0 : 10 + static_cast<unsigned>(random_.up_to(150))),
      transport_(options) {
  log_options_.directory = folder_.path() / "audit";
  log_options_.signing_key = folder_.path() / "audit.key";
  log_options_.flush_interval = milliseconds(1);
  log_options_.disk = log.disk == nullptr ? &disk_ : log.disk;
  log_options_.has_thread = false;
  if (log.ring_bytes != 0) log_options_.ring_bytes = log.ring_bytes;
  verifier_ = must(audit::create_signing_key(log_options_.signing_key, "sim"));
  log_ = must(audit::Log::open(log_options_, transport_.now(),
                               [this](std::uint32_t) { transport_.waker().wake(); }));
}

SimWorker::~SimWorker() {
  stop();
}

void SimWorker::start(std::shared_ptr<const Snapshot> snapshot, LoopOptions options) {
  is_durable_ = options.durable;
  must(audit::keep_policy(log_options_.directory, snapshot->settings.text));
  loop_ = std::make_unique<Loop<SimTransport>>(transport_, log_->worker(0), *metrics_, mailbox_,
                                               std::move(snapshot), std::move(options));
}

void SimWorker::post(WorkerMail mail) {
  if (mail.snapshot) must(audit::keep_policy(log_options_.directory, mail.snapshot->settings.text));
  mailbox_.post(std::move(mail));
}

bool SimWorker::run_until(const std::function<bool()>& is_done, Duration patience) {
  const Instant end = transport_.now().monotonic + patience;
  while (!is_done()) {
    write_log();
    // While something waits for the log, time must not run ahead into every deadline.
    const std::uint64_t stalls = metrics_->log_stalls.read();
    const bool is_full = !is_stuck_ && !log_->worker(0).has_room();
    const bool waits = is_durable_ || is_full || std::exchange(log_stalls_, stalls) != stalls;
    const Duration step = waits ? milliseconds(1) : milliseconds(100);
    if (transport_.now().monotonic > end || !loop_->turn(step)) return false;
  }
  return true;
}

void SimWorker::write_log() {
  if (!is_stuck_ && random_.chance(writes_per_mille_)) log_->turn();
}

void SimWorker::fill_log() {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.time = transport_.now();
  record.event = "noise";
  while (log_->worker(0).append_single(record)) {
  }
}

void SimWorker::stop() {
  if (loop_) {
    WorkerMail mail;
    mail.stop = true;
    mailbox_.post(std::move(mail));
    while (loop_->turn(milliseconds(100))) log_->turn();
    loop_.reset();
  }
  log_.reset();
}

audit::VerifyReport SimWorker::verify_log() const {
  return must(audit::verify(folder_.path() / "audit", verifier_));
}

std::vector<std::string> SimWorker::records() const {
  std::vector<std::string> records;
  must(audit::read_records(folder_.path() / "audit", 0, [&](std::uint64_t, ByteView record) {
    records.push_back(must(audit::to_json(record)));
    return true;
  }));
  return records;
}

}  // namespace sluice::dataplane
