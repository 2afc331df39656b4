// The simulated PostgreSQL server: one target connection each, with its login.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backend.h"
#include "dataplane/tls/tls_stream.h"
#include "dataplane/transport/sim_peer.h"
#include "dataplane/transport/sim_random.h"
#include "identity/scram.h"

namespace sluice::dataplane::postgres_sim {

struct TargetOptions {
  unsigned dies_per_mille = 0;    ///< Of connections: at some byte, with or without a word.
  unsigned slow_per_mille = 300;  ///< Of executions.
  unsigned naps_per_mille = 0;    ///< Of connections: end at some time, mostly unused.
};

class Target;

/// What all connections to the server share, and what the oracles need to know of it.
class Database {
 public:
  /// durable  how much of the gateway's log is on disk.
  Database(SimRandom& random, const TargetOptions& options, std::function<std::uint64_t()> durable)
      : durable_through(std::move(durable)), random_(random), options_(options) {}

  struct Execution {
    std::string tag;
    Instant at;
    bool is_cancelled = false;
    Kind kind = Kind::unknown;
    std::string application{};  ///< As the server knew who asks.
    std::uint64_t durable = 0;  ///< How far the log was, by then.
  };

  const std::function<std::uint64_t()> durable_through;

  Target& connect();
  void cancel(std::uint32_t process, const std::string& key, Instant now);

  [[nodiscard]] SimRandom& random() { return random_; }
  [[nodiscard]] const TargetOptions& options() const { return options_; }

  // What happened.
  std::vector<Execution> executions;
  std::vector<std::string> texts;           ///< Every statement that came.
  std::set<std::string> committed;          ///< Tags of what was inserted.
  std::vector<Instant> cancels;             ///< Requests that fit a connection.
  std::vector<std::string> cancelled_tags;  ///< What they ended.
  std::size_t wrong_cancels = 0;
  std::size_t deaths = 0;
  std::size_t logins = 0;
  std::size_t best_proofs = 0;          ///< By the best mechanism that was offered.
  std::vector<std::string> trespasses;  ///< What found another client's state.

 private:
  SimRandom& random_;
  TargetOptions options_;
  std::vector<std::unique_ptr<Target>> targets_;
};

class Target final : public SimPeer, private Surroundings {
 public:
  Target(Database& database, std::uint32_t process, std::string key);

  void on_connected(SimRemote& remote) override;
  void on_bytes(SimRemote& remote, ByteView bytes) override;
  void on_finished(SimRemote& remote) override;
  void on_reset(SimRemote& remote) override;
  void on_alarm(SimRemote& remote) override;

  /// It speaks inside of TLS, and offers to be bound to that.
  void set_channel(const TlsStream& tls) { tls_ = &tls; }

  /// Somebody's key fits: what runs ends.
  void cancel();
  [[nodiscard]] std::uint32_t process() const { return process_; }
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  enum class Stage : std::uint8_t { startup, password, sasl, sasl_proof, session, dead };

  void on_text(const std::string& text) override;
  void on_execution(const Statement& statement) override;
  void on_commit(const std::vector<std::string>& inserted) override;

  void on_startup(const std::string& packet);
  void on_password(const Message& message);
  void welcome();
  void run_session();
  void fall_asleep();
  void die();
  void send(const std::string& bytes);
  void say(char tag, std::string body) { send(bytes_of(tag, body)); }

  Database& database_;
  std::uint32_t process_;
  std::string key_;
  SimRemote* remote_ = nullptr;
  const TlsStream* tls_ = nullptr;
  Stage stage_ = Stage::startup;
  Cutter in_;
  std::string user_;
  std::optional<identity::ScramServer> scram_;
  Backend backend_{*this};
  std::size_t sent_ = 0;  ///< Of the backend's replies.
  Instant done_at_;       ///< What it runs.
  bool waits_ = false;
  std::optional<Instant> falls_asleep_at_;
  std::optional<Instant> breaks_at_;
  std::optional<std::size_t> client_;        ///< That executed something last.
  std::optional<std::size_t> block_client_;  ///< Likewise, in the transaction block.
  std::optional<std::size_t> bytes_left_;    ///< Until it dies.
};

}  // namespace sluice::dataplane::postgres_sim
