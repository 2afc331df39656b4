// One worker's OpenSSL context of a listener or target. One for each worker: a shared one
// would be locked in every handshake.
#pragma once

#include <memory>

#include "base/result.h"
#include "dataplane/tls/openssl.h"
#include "dataplane/tls/ticket_keys.h"
#include "dataplane/tls/tls_plan.h"

namespace sluice::dataplane {

/// OpenSSL's: RSA of 2048 bits, curves of 224, no SHA-1.
inline constexpr int tls_security_level = 2;

/// TLS 1.2 and 1.3, forward secrecy and AEAD ciphers only; no renegotiation, compression or
/// early data (RFC 9325 §3, §4; RFC 8446 §8 on why no early data).
class TlsContext {
 public:
  /// For a listener: shows the certificate of the name that a client asks for, else the first.
  /// tickets  by which clients resume, where the plan lets them; null: they cannot.
  static Result<std::shared_ptr<const TlsContext>> make(
      std::shared_ptr<const TlsServerPlan> plan,
      std::shared_ptr<const TicketKeys> tickets = nullptr);
  /// For a target.
  static Result<std::shared_ptr<const TlsContext>> make(std::shared_ptr<const TlsClientPlan> plan);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext() = default;

  [[nodiscard]] bool is_server() const noexcept { return server_ != nullptr; }
  [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }
  /// What it was made of; the other is null.
  [[nodiscard]] const TlsServerPlan* server() const noexcept { return server_.get(); }
  [[nodiscard]] const TlsClientPlan* client() const noexcept { return client_.get(); }
  /// Clients are given tickets, by which they resume.
  [[nodiscard]] bool gives_tickets() const noexcept { return tickets_ != nullptr; }

 private:
  TlsContext() = default;

  // They outlive the context, whose callbacks look into them.
  std::shared_ptr<const TlsServerPlan> server_;
  std::shared_ptr<const TlsClientPlan> client_;
  std::shared_ptr<const TicketKeys> tickets_;
  Openssl<SSL_CTX> context_;
};

}  // namespace sluice::dataplane
