// A simulated client of the gateway's PostgreSQL listener: logs in, sends its script
// and keeps what comes back.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/tls/tls_stream.h"
#include "dataplane/transport/sim_peer.h"
#include "identity/scram.h"
#include "script.h"
#include "wire.h"

namespace sluice::dataplane::postgres_sim {

struct CancelTicket {
  std::uint32_t process = 0;
  std::string key;
};

class Client final : public SimPeer {
 public:
  struct Identity {
    std::string user;
    std::string password;
    bool sees_all = false;  ///< No mask applies.
    bool may_log_in = true;
  };
  using Cancel = std::function<void(const CancelTicket&)>;
  using Durable = std::function<std::uint64_t()>;

  /// durable  how much of the gateway's log is on disk.
  /// silence  after which nothing more is expected.
  Client(Identity identity, std::vector<Step> script, Cancel cancel, Durable durable,
         Duration silence)
      : identity_(std::move(identity)),
        script_(std::move(script)),
        cancel_(std::move(cancel)),
        durable_(std::move(durable)),
        silence_(silence) {}

  void on_connected(SimRemote& remote) override;
  void on_bytes(SimRemote& remote, ByteView bytes) override;
  void on_finished(SimRemote& remote) override;
  void on_reset(SimRemote& remote) override;
  void on_alarm(SimRemote& remote) override;

  /// It speaks inside of TLS, and binds its proof to that where it may.
  void set_channel(const TlsStream& tls) { tls_ = &tls; }

  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] bool is_over() const { return stage_ == Stage::over; }
  [[nodiscard]] bool is_logged_in() const { return is_logged_in_; }
  /// Told so.
  [[nodiscard]] bool is_refused() const { return is_refused_; }
  /// It sent all that it wanted to, and was not cut off.
  [[nodiscard]] bool is_complete() const { return is_complete_; }
  /// What it sent after the login.
  [[nodiscard]] const std::string& sent() const { return sent_; }
  /// When it sent the `number`th message, from 1 on.
  [[nodiscard]] Instant sent_at(std::size_t number) const;
  /// What it was told after the login.
  [[nodiscard]] const std::vector<Message>& received() const { return received_; }
  /// How much of the log was on disk when each of them came.
  [[nodiscard]] const std::vector<std::uint64_t>& durable_then() const { return durable_then_; }
  /// Every byte it ever got.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string_view rest() const { return in_.rest(); }
  [[nodiscard]] std::size_t cancels() const { return cancels_; }
  /// That something waits for people.
  [[nodiscard]] std::size_t notices() const { return notices_; }

 private:
  enum class Stage : std::uint8_t { login, script, farewell, over };

  void on_login(SimRemote& remote, const Message& message);
  void authenticate(SimRemote& remote, Fields fields);
  void progress(SimRemote& remote);
  void take(SimRemote& remote, const Step& step);
  [[nodiscard]] bool is_awaited(const Step& step) const;
  void say_goodbye(SimRemote& remote);

  Identity identity_;
  const TlsStream* tls_ = nullptr;
  std::vector<Step> script_;
  Cancel cancel_;
  Durable durable_;
  Duration silence_;
  Stage stage_ = Stage::login;
  std::optional<identity::ScramClient> scram_;
  Cutter in_;
  Cutter out_;
  std::string bytes_;
  std::string sent_;
  std::vector<Instant> message_times_;
  std::vector<Message> received_;
  std::vector<std::uint64_t> durable_then_;
  CancelTicket ticket_;
  std::size_t next_ = 0;        ///< Of the script.
  std::size_t readies_ = 0;     ///< ReadyForQuery since the last mark.
  std::size_t since_mark_ = 0;  ///< Messages.
  bool copies_ = false;         ///< CopyInResponse came since the last mark.
  Instant waits_until_;
  std::size_t cancels_ = 0;
  std::size_t notices_ = 0;
  bool is_logged_in_ = false;
  bool is_refused_ = false;
  bool is_complete_ = false;
};

/// Shows a cancel key on a connection of its own.
class Canceller final : public SimPeer {
 public:
  explicit Canceller(CancelTicket ticket) : ticket_(std::move(ticket)) {}
  void on_connected(SimRemote& remote) override;
  void on_bytes(SimRemote& /*remote*/, ByteView /*bytes*/) override {}
  void on_finished(SimRemote& remote) override;
  /// From then on it must not have an effect.
  [[nodiscard]] Instant ended() const { return ended_; }

 private:
  CancelTicket ticket_;
  Instant ended_{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace sluice::dataplane::postgres_sim
