// Who calls: what a request shows is proved, remembered, and refused with a reason for the record.
#include <fmt/format.h>

#include <utility>

#include "dataplane/session/dpop_uri.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/http_judged.h"
#include "dataplane/session/http_session.h"
#include "identity/dpop.h"

namespace sluice::dataplane {
namespace {

/// RFC 9449 §4.3: exactly one field, with exactly one proof.
Result<identity::DpopProof, identity::TokenFault> presented_dpop(const http1::RequestHead& head) {
  using identity::TokenFault;
  const http1::Field* shown = nullptr;
  for (const http1::Field& field : head.fields) {
    if (field.id != http1::FieldName::dpop) continue;
    if (shown != nullptr) return tl::unexpected(TokenFault::repeated_dpop);
    shown = &field;
  }
  if (shown == nullptr) return tl::unexpected(TokenFault::no_dpop);
  return identity::read_dpop(shown->value);
}

}  // namespace

/// Finds out who calls. False when the request was refused or waits for a proof. A credential in
/// the request says it; without one the connection's certificate does (docs/decisions/0033).
bool HttpSession::identify(const http1::RequestHead& head, Judged& judged) {
  const CertificateProof::Answer& certificate =
      certificate_.prove(exchange_->view->snapshot(), listener_, worker_.now.wall);
  if (identity::ends_trust(certificate.fault)) {
    exchange_->client_keeps_alive = false;
    return refuse_certificate(head, judged, certificate.fault);
  }
  const PresentedCredential presented = presented_credential(head);
  if (presented.is_repeated) {
    return refuse_unproved(head, judged, "more than one credential was presented");
  }
  if (!presented.credential) return identify_without_credential(head, judged, certificate);
  if (presented.credential->holds_token()) {
    return identify_by_token(head, judged, *presented.credential);
  }
  const auto verdict = prove(head, judged, presented.credential->presented());
  if (!verdict) return false;
  if (verdict->fault != identity::KeyFault::none) {
    note_failed_proof(exchange_->view->snapshot());
    return refuse_unproved(head, judged, identity::text(verdict->fault));
  }
  judged.principal = verdict->principal;
  note_principal(*judged.principal);
  judged.view = exchange_->view->principal(listener_, verdict->index).get();
  return true;
}

bool HttpSession::identify_without_credential(const http1::RequestHead& head, Judged& judged,
                                              const CertificateProof::Answer& certificate) {
  if (certificate.fault != identity::CertificateFault::none) {
    return refuse_certificate(head, judged, certificate.fault);
  }
  if (certificate.principal) {
    judged.principal = certificate.principal.get();
    note_principal(*judged.principal);
    judged.view = certificate.view.get();
    return true;
  }
  if (!exchange_->view->snapshot().settings.identity.allow_anonymous) {
    return refuse_unproved(head, judged, "no credential was presented; send one as a bearer token");
  }
  judged.view = &exchange_->view->anonymous(listener_);
  return true;
}

/// The record says why, the client does not learn it.
bool HttpSession::refuse_certificate(const http1::RequestHead& head, Judged& judged,
                                     identity::CertificateFault fault) {
  worker_.metrics.certificates_refused[static_cast<std::size_t>(fault)].add();
  judged.reason = identity::text(fault);
  return refuse_unproved(head, judged, "the client certificate is not accepted");
}

bool HttpSession::identify_by_token(const http1::RequestHead& head, Judged& judged,
                                    const identity::Credential& credential) {
  using Form = identity::Credential::Form;
  using identity::TokenFault;
  const Snapshot& snapshot = exchange_->view->snapshot();
  const std::string_view token = credential.presented();
  const bool is_bound = credential.form() == Form::bound_token;
  const bool waited = is_awaiting_news();
  const Fingerprint print = worker_.fingerprint_key.of(token);
  // A proof of a key is another with each request.
  const bool is_guess = !waited && (is_bound || !worker_.tokens.knows(print));
  if (is_guess && !may_try_proof(snapshot)) return refuse_unseen(head, judged);
  Result<identity::DpopProof, TokenFault> shown = tl::unexpected(TokenFault::none);
  if (is_bound) {
    shown = presented_dpop(head);
    if (!shown) return refuse_token(head, judged, shown.error());
  }
  const identity::Possession has{.certificate = certificate_.fingerprint(),
                                 .key = shown ? ByteView(shown->thumbprint) : ByteView()};
  const TokenProofs::Answer answer =
      worker_.tokens.prove(token, print, snapshot, listener_, has, worker_.now);
  if (awaits_keys(answer) || awaits_issuer(answer, token, print, snapshot)) {
    stage_ = Stage::proof;
    if (!waited) note_progress();
    return false;
  }
  if (answer.asked != nullptr) return refuse_outdated(head, judged);
  if (answer.fault != TokenFault::none) return refuse_token(head, judged, answer.fault);
  // It counts once, however often the request is looked at.
  if (shown && !exchange_->has_shown_key) {
    const TokenFault fault = check_dpop(*shown, head, judged.target, token);
    if (fault != TokenFault::none) return refuse_token(head, judged, fault);
    exchange_->has_shown_key = true;
  }
  judged.principal = &answer.proof->principal();
  note_principal(*judged.principal);
  judged.view = answer.proof->view(snapshot, listener_).get();
  return true;
}

/// Whether a proof whose key the token is bound to is about this request, and the first of its
/// name.
identity::TokenFault HttpSession::check_dpop(const identity::DpopProof& proof,
                                             const http1::RequestHead& head,
                                             const http1::Target& target, std::string_view token) {
  using identity::TokenFault;
  const config::Dpop& settings = exchange_->view->snapshot().settings.identity.dpop;
  const bool is_secure = exchange_->listener->settings.tls.has_value();
  if (!is_about(proof.uri, {is_secure ? "https" : "http", head.host, target.path}, settings.origins,
                worker_.record_room)) {
    return TokenFault::wrong_dpop_uri;
  }
  const TokenFault fault =
      identity::verify_dpop(proof, {head.method_text, token}, worker_.now.wall, settings.max_age);
  if (fault != TokenFault::none) return fault;
  if (worker_.replays == nullptr) return TokenFault::too_many_dpops;
  // RFC 9449 §11.1: what tells proofs of one key apart.
  const std::string name = fmt::format("{}{}", as_text(proof.thumbprint), proof.id);
  switch (worker_.replays->show(name, proof.issued, proof.issued + settings.max_age,
                                worker_.now.wall)) {
    case ReplayFilter::Verdict::fresh:
      return TokenFault::none;
    case ReplayFilter::Verdict::seen:
      return TokenFault::replayed_dpop;
    case ReplayFilter::Verdict::full:
      break;
  }
  return TokenFault::too_many_dpops;
}

/// False. The record says why, the client does not learn it.
bool HttpSession::refuse_token(const http1::RequestHead& head, Judged& judged,
                               identity::TokenFault fault) {
  worker_.metrics.tokens_refused[static_cast<std::size_t>(fault)].add();
  // When a provider is away, its tokens are no guesses.
  if (!identity::is_about_issuer(fault)) note_failed_proof(exchange_->view->snapshot());
  judged.reason = identity::text(fault);
  return refuse_unproved(head, judged, "the token was not accepted");
}

bool HttpSession::refuse_unproved(const http1::RequestHead& head, const Judged& judged,
                                  std::string_view detail) {
  worker_.metrics.requests_unauthenticated.add();
  refuse(head, judged, 401, identity_rule, detail);
  return false;
}

/// False.
bool HttpSession::refuse_unseen(const http1::RequestHead& head, Judged& judged) {
  judged.reason = too_many_failures;
  worker_.metrics.requests_unauthenticated.add();
  refuse(head, judged, 429, identity_rule,
         "too many credentials of this address were wrong; try again later");
  return false;
}

/// False. It waited across a change of the configuration, and its token's issuer would be asked for
/// one that is no longer in force.
bool HttpSession::refuse_outdated(const http1::RequestHead& head, const Judged& judged) {
  worker_.metrics.requests_unauthenticated.add();
  refuse(head, judged, 503, identity_rule, "the configuration changed meanwhile; try again");
  return false;
}

/// Nothing while a slow check is under way, or when it was refused.
std::optional<identity::KeyVerdict> HttpSession::prove(const http1::RequestHead& head,
                                                       Judged& judged, std::string_view secret) {
  const Snapshot& snapshot = exchange_->view->snapshot();
  const identity::ApiKeys* const keys = snapshot.keys.get();
  const Fingerprint print = worker_.fingerprint_key.of(secret);
  if (const auto proven = proven_.find(print, snapshot.generation, worker_.now.wall)) {
    return proven;
  }
  if (!has_proof_ && !may_try_proof(snapshot)) {
    refuse_unseen(head, judged);
    return std::nullopt;
  }
  const identity::KeyVerdict verdict = keys->verify(secret, worker_.now.wall);
  if (verdict.fault == identity::KeyFault::none) {
    proven_.remember(print, snapshot.generation, verdict);
  }
  if (verdict.fault != identity::KeyFault::needs_slow_proof) return verdict;
  if (std::exchange(has_proof_, false)) {
    worker_.proofs.remember(keys, secret, proof_, worker_.now);
    return proof_;
  }
  if (const auto proved = worker_.proofs.find(keys, secret, worker_.now)) return proved;
  // The exchange keeps its snapshot: the proof is about that snapshot's keys.
  proof_wish_.assign(secret);
  stage_ = Stage::proof;
  note_progress();
  return std::nullopt;
}

/// A client that keeps its connection is nearly always the same one.
void HttpSession::note_principal(const config::Principal& who) {
  if (subject_ != who.subject) subject_ = who.subject;
  if (issuer_ != who.issuer) issuer_ = who.issuer;
}

}  // namespace sluice::dataplane
