// How a client proves who it is: by SCRAM-SHA-256, or with a key or a token in clear text where
// the connection may carry that.
//
// source   PostgreSQL manual, "SASL Authentication"; RFC 5802.
#include <fmt/format.h>

#include <strings.h>

#include <algorithm>
#include <utility>

#include "dataplane/session/client_scram.h"
#include "dataplane/session/postgres_session.h"
#include "identity/credential.h"
#include "parsers/postgres/header.h"

namespace sluice::dataplane {

using postgres::FrontendType;
using postgres::HeaderStep;

namespace {

/// A token, with its end.
constexpr std::size_t proof_bytes_max = identity::token_bytes_max + 1;
static_assert(proof_bytes_max >= identity::scram_message_bytes_max);
constexpr std::string_view protocol_violation = "08P01";

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]");
}

}  // namespace

/// Whom the client's certificate proves, needs no password; whoever logs in as somebody else is
/// asked for one, and a certificate that does not hold lets nobody in (docs/decisions/0033).
PostgresSession::Admission PostgresSession::admit_by_certificate() {
  using identity::CertificateFault;
  const CertificateProof::Answer& answer =
      certificate_->prove(worker_.current->snapshot(), listener_, worker_.now.wall);
  if (identity::ends_trust(answer.fault)) {
    worker_.metrics.certificates_refused[static_cast<std::size_t>(answer.fault)].add();
    refuse_login("28000", "the client certificate is not accepted", identity::text(answer.fault));
    return Admission::refused;
  }
  if (answer.principal && answer.principal->subject == user_) {
    admit(SessionPrincipal(certificate_, answer));
    return stage_ == Stage::closing ? Admission::refused : Admission::admitted;
  }
  if (answer.fault != CertificateFault::none) {
    worker_.metrics.certificates_refused[static_cast<std::size_t>(answer.fault)].add();
    certificate_note_ = identity::text(answer.fault);
  } else if (answer.principal) {
    certificate_note_ = "the certificate is another subject's";
  }
  return Admission::undecided;
}

/// Who has a verifier is asked by SCRAM, which shows nothing of the key. Who has none
/// may show its key only inside of TLS, or where the listener takes that; elsewhere it is asked
/// like somebody who has one, so that nobody learns who is known here. False when it was refused.
bool PostgresSession::ask_for_proof() {
  const Admission admission = admit_by_certificate();
  if (admission != Admission::undecided) return admission == Admission::admitted;
  const Snapshot& snapshot = worker_.current->snapshot();
  if (!may_try_proof(snapshot)) {
    refuse_login("28000", "too many logins of this address have failed; try again later",
                 too_many_failures);
    return false;
  }
  auto login = snapshot.keys->scram_login(user_, worker_.now.wall);
  if (!login) {
    refuse_login("58000", "the gateway's cryptography failed", identity::text(login.error()));
    return false;
  }
  const bool uses_scram = login->index || !takes_passwords();
  if (uses_scram) {
    const Fingerprint nonce = worker_.fingerprint_key.of(fmt::format("scram server {}", number_));
    client_scram_ = std::make_unique<ClientScram>(
        snapshot.keys, std::move(*login), fmt::format("{:016x}{:016x}", nonce[0], nonce[1]),
        channel_ ? channel_->server_end_point : identity::ChannelBinding());
  }
  const bool asked = client_out_.write([&](postgres::Writer& writer) {
    uses_scram ? writer.authentication_sasl(client_scram_->mechanisms())
               : writer.authentication_cleartext_password();
  });
  if (!asked) {
    close_now();
    return false;
  }
  stage_ = Stage::proof;
  return true;
}

/// Whether what a password says can be read by nobody on the way.
bool PostgresSession::takes_passwords() const {
  return channel_ || (plan().settings.postgres.passwords_from_loopback && is_loopback(peer_text_));
}

/// A password, or a step of SCRAM.
bool PostgresSession::read_proof() {
  const HeaderStep step = client_inbox_.peek(worker_, postgres::Side::frontend);
  if (step.kind == HeaderStep::Kind::needs_more) return false;
  const bool is_proof = step.kind == HeaderStep::Kind::header &&
                        step.header.frontend() == FrontendType::password &&
                        step.header.body_bytes <= proof_bytes_max;
  if (!is_proof) {
    // psql closes here, to ask its user and come back.
    refuse_login(protocol_violation, "a password was expected", "no-password");
    return true;
  }
  const auto message = client_inbox_.whole(worker_, step.header);
  if (!message) return false;
  const bool is_taken =
      client_scram_ ? take_scram(message->body()) : take_password(message->body());
  if (is_taken) client_inbox_.consume(worker_, *message);
  return true;
}

/// False when the client was refused, or waits: then the message is read again.
bool PostgresSession::take_password(ByteSpan body) {
  const auto password = postgres::decode_password(body);
  if (!password) {
    refuse_login(protocol_violation, postgres::text(password.error()), "malformed");
    return false;
  }
  if (identity::is_compact_jws(password->password)) return take_token(password->password, body);
  std::string presented = fmt::format("{}:{}", user_, password->password);
  std::ranges::fill(body, std::uint8_t{0});
  authenticate(presented);
  explicit_bzero(presented.data(), presented.size());
  return stage_ != Stage::closing;
}

/// As take_password. body  that the token stands in.
bool PostgresSession::take_token(std::string_view token, ByteSpan body) {
  const Snapshot& snapshot = worker_.current->snapshot();
  const TokenProofs::Answer answer =
      worker_.tokens.prove(token, worker_.fingerprint_key.of(token), snapshot, listener_,
                           {.certificate = certificate_->fingerprint()}, worker_.now);
  if (awaits_keys(answer)) {
    stage_ = Stage::token_keys;
    return false;
  }
  std::ranges::fill(body, std::uint8_t{0});
  if (answer.fault != identity::TokenFault::none) {
    worker_.metrics.tokens_refused[static_cast<std::size_t>(answer.fault)].add();
    // When a provider is away, its tokens are no guesses.
    refuse_proof(identity::text(answer.fault), !identity::is_about_keys(answer.fault));
    return false;
  }
  admit(SessionPrincipal(*answer.proof, snapshot, listener_, worker_.tokens));
  return stage_ != Stage::closing;
}

/// False when the client was refused.
bool PostgresSession::take_scram(ByteView body) {
  const auto answer = client_scram_->answer(body);
  if (!answer) {
    const identity::ScramFault fault = answer.error();
    if (fault == identity::ScramFault::wrong_proof) {
      refuse_proof(identity::text(fault));
    } else {
      refuse_login(protocol_violation,
                   fmt::format("the SCRAM message cannot be taken: {}", identity::text(fault)),
                   identity::text(fault));
    }
    return false;
  }
  const bool is_last = client_scram_->is_proven();
  const identity::KeyVerdict verdict =
      is_last ? client_scram_->verdict(worker_.now.wall) : identity::KeyVerdict{};
  if (is_last && verdict.fault != identity::KeyFault::none) {
    refuse_proof(identity::text(verdict.fault));
    return false;
  }
  const bool told = client_out_.write([&](postgres::Writer& writer) {
    is_last ? writer.authentication_sasl_final(as_bytes(*answer))
            : writer.authentication_sasl_continue(as_bytes(*answer));
  });
  if (!told) {
    close_now();
    return false;
  }
  if (is_last) {
    keys_ = client_scram_->keys();
    client_scram_ = nullptr;
    on_verdict(verdict);
  }
  return stage_ != Stage::closing;
}

void PostgresSession::authenticate(std::string_view presented) {
  keys_ = worker_.current->snapshot().keys;
  const identity::KeyVerdict verdict = keys_->verify(presented, worker_.now.wall);
  if (verdict.fault != identity::KeyFault::needs_slow_proof) return on_verdict(verdict);
  proof_wish_.assign(presented);
  stage_ = Stage::slow_proof;
}

void PostgresSession::on_verdict(const identity::KeyVerdict& verdict) {
  if (verdict.fault != identity::KeyFault::none) return refuse_proof(identity::text(verdict.fault));
  admit(SessionPrincipal(std::exchange(keys_, nullptr), verdict.index));
}

/// It proved who it is: whom it says it is, and still is, may come in.
void PostgresSession::admit(SessionPrincipal principal) {
  if (principal.who().subject != user_) return refuse_proof("the credential is another subject's");
  principal_ = std::move(principal);
  if (!renew_principal()) {
    principal_.reset();
    return refuse_proof("the credential was withdrawn");
  }
  if (replication_ != Replication::none && !admit_replication()) return;
  stage_ = Stage::connect;
  acquire_upstream();
}

/// The client learns that it failed, the record why.
void PostgresSession::refuse_proof(std::string_view why, bool is_guess) {
  if (is_guess) note_failed_proof(worker_.current->snapshot());
  refuse_login("28P01", fmt::format("authentication failed for user \"{}\"", user_), why);
}

}  // namespace sluice::dataplane
