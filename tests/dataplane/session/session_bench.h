// One worker's world around one session, which is told event by event what its
// loop would tell it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "audit/log.h"
#include "dataplane/session/http_session.h"
#include "must.h"
#include "temporary_folder.h"

namespace sluice::dataplane {

class SessionBench {
 public:
  /// The session is a client of the snapshot's first listener.
  /// certificate  that the client showed; null: none.
  explicit SessionBench(std::shared_ptr<const Snapshot> snapshot,
                        std::shared_ptr<const PeerCertificate> certificate = nullptr);

  HttpSession& session() { return *session_; }
  WorkerContext& worker() { return *worker_; }
  BufferPool& pool() { return pool_; }

  /// From now on this snapshot is in force, and the one before it is gone.
  void adopt(std::shared_ptr<const Snapshot> snapshot);

  void client_sends(std::string_view bytes);
  void upstream_sends(std::string_view bytes);
  void pass(Duration time);

  /// Answers the proof that the session must be waiting for, by its keys.
  void prove();
  /// Gives the session the upstream that it must be asking for.
  void connect_upstream();
  /// What goes out now, taken as sent.
  std::string to_upstream();
  std::string to_client();

 private:
  BufferId buffer_with(std::string_view bytes);
  std::string drain(SliceQueue& queue, void (HttpSession::*on_sent)());

  test::TemporaryFolder folder_;
  std::unique_ptr<audit::Log> log_;
  BufferPool pool_ = test::must(BufferPool::make(std::size_t{1} << 20));
  WorkerMetrics metrics_;
  std::unique_ptr<UpstreamPool> upstreams_;
  std::unique_ptr<SnapshotView> view_;
  std::unique_ptr<WorkerContext> worker_;
  std::unique_ptr<HttpSession> session_;
};

}  // namespace sluice::dataplane
