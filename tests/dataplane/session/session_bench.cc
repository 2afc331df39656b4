#include "session_bench.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace sluice::dataplane {

using test::must;

SessionBench::SessionBench(std::shared_ptr<const Snapshot> snapshot,
                           std::shared_ptr<const PeerCertificate> certificate) {
  audit::LogOptions options;
  options.directory = folder_.path() / "audit";
  options.signing_key = folder_.path() / "audit.key";
  must(audit::create_signing_key(options.signing_key, "test"));
  log_ = must(audit::Log::open(options, {}, [](std::uint32_t) {}));

  worker_ = std::make_unique<WorkerContext>(pool_, log_->worker(0), metrics_);
  adopt(std::move(snapshot));
  session_ = std::make_unique<HttpSession>(*worker_, 0, must(parse_endpoint("127.0.0.1", 1)), 1,
                                           std::move(certificate));
}

void SessionBench::adopt(std::shared_ptr<const Snapshot> snapshot) {
  const TargetPlan& target = snapshot->targets.front();
  upstreams_ =
      std::make_unique<UpstreamPool>(target.settings.name, target.endpoints, target.endpoint_texts);
  worker_->make_room_for(*snapshot);
  view_ = std::make_unique<SnapshotView>(
      std::move(snapshot),
      std::vector<TargetUse>{{upstreams_.get(), std::make_shared<Histogram>()}});
  worker_->current = view_.get();
}

void SessionBench::client_sends(std::string_view bytes) {
  session_->on_client_bytes(buffer_with(bytes), static_cast<std::uint32_t>(bytes.size()));
}

void SessionBench::upstream_sends(std::string_view bytes) {
  session_->on_upstream_bytes(buffer_with(bytes), static_cast<std::uint32_t>(bytes.size()));
}

void SessionBench::pass(Duration time) {
  worker_->now.monotonic = worker_->now.monotonic + time;
  session_->on_tick();
}

void SessionBench::prove() {
  const std::string credential = session_->take_proof_wish();
  REQUIRE_FALSE(credential.empty());
  session_->on_proof(session_->keys()->verify_slow(credential, worker_->now.wall));
}

void SessionBench::connect_upstream() {
  REQUIRE(session_->take_upstream_wish() == HttpSession::UpstreamWish::acquire);
  session_->on_upstream_ready(0, false, nullptr, std::nullopt);
}

std::string SessionBench::to_upstream() {
  return drain(session_->to_upstream(), &HttpSession::on_upstream_sent);
}

std::string SessionBench::to_client() {
  return drain(session_->to_client(), &HttpSession::on_client_sent);
}

BufferId SessionBench::buffer_with(std::string_view bytes) {
  const BufferId buffer = pool_.take();
  std::memcpy(pool_.data(buffer), bytes.data(), bytes.size());
  return buffer;
}

std::string SessionBench::drain(SliceQueue& queue, void (HttpSession::*on_sent)()) {
  std::array<Slice, slices_per_send_max> slices;
  std::array<BufferId, slices_per_send_max> buffers;
  std::string all;
  while (!queue.empty()) {
    const std::size_t count = queue.begin_send(slices, buffers, UINT64_MAX);
    for (std::size_t i = 0; i < count; ++i) all += as_text({slices[i].data, slices[i].size_bytes});
    ((*session_).*on_sent)();
  }
  return all;
}

}  // namespace sluice::dataplane
