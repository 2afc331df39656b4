// A simulated peer of a PostgreSQL connection that asks for TLS in clear, or is asked for it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/assert.h"
#include "parsers/postgres/encryption.h"
#include "tls_sim_peer.h"

namespace sluice::test {

class TlsUpgradeSimPeer final : public dataplane::SimPeer {
 public:
  /// As TlsSimPeer. A server consents to what it is asked.
  TlsUpgradeSimPeer(dataplane::SimPeer& script,
                    std::shared_ptr<const dataplane::TlsContext> context,
                    const std::string& peer_name = {})
      : is_server_(context->is_server()), tls_(script, std::move(context), peer_name) {}

  [[nodiscard]] const dataplane::TlsStream& stream() const { return tls_.stream(); }

  void on_connected(dataplane::SimRemote& remote) override {
    if (!is_server_) remote.send(postgres::ssl_request_packet);
  }
  void on_bytes(dataplane::SimRemote& remote, ByteView bytes) override {
    if (is_secured_) return tls_.on_bytes(remote, bytes);
    const std::size_t awaited = is_server_ ? postgres::ssl_request_packet.size() : 1;
    clear_ += as_text(bytes);
    if (clear_.size() < awaited) return;
    // Whoever asks waits for the answer, and who answers says no more than that.
    ASSERT(clear_ == (is_server_ ? as_text(postgres::ssl_request_packet) : "S"));
    is_secured_ = true;
    if (is_server_) remote.send({&postgres::encryption_accepted, 1});
    tls_.on_connected(remote);
  }
  void on_drained(dataplane::SimRemote& remote) override {
    if (is_secured_) tls_.on_drained(remote);
  }
  void on_finished(dataplane::SimRemote& remote) override {
    is_secured_ ? tls_.on_finished(remote) : remote.finish();
  }
  void on_reset(dataplane::SimRemote& remote) override { tls_.on_reset(remote); }
  void on_alarm(dataplane::SimRemote& remote) override { tls_.on_alarm(remote); }

 private:
  bool is_server_;
  bool is_secured_ = false;
  std::string clear_;
  TlsSimPeer tls_;
};

}  // namespace sluice::test
