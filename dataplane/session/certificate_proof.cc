#include "dataplane/session/certificate_proof.h"

#include <algorithm>
#include <utility>

namespace sluice::dataplane {
namespace {

using identity::CertificateFault;

CertificateFault fault_of(TlsFault fault) noexcept {
  switch (fault) {
    case TlsFault::none:
      return CertificateFault::none;
    case TlsFault::expired:
    case TlsFault::no_crl:
      return CertificateFault::expired;
    case TlsFault::revoked:
      return CertificateFault::revoked;
    default:
      return CertificateFault::untrusted;
  }
}

}  // namespace

const CertificateProof::Answer& CertificateProof::prove(const Snapshot& snapshot,
                                                        std::size_t listener, WallTime now) {
  if (snapshot.generation != std::exchange(generation_, snapshot.generation)) {
    answer_ = work_out(snapshot, listener, now);
  }
  if (answer_.good_until <= now) {
    answer_ = {};
    answer_.fault = CertificateFault::expired;
  }
  return answer_;
}

CertificateProof::Answer CertificateProof::work_out(const Snapshot& snapshot, std::size_t listener,
                                                    WallTime now) const {
  const ListenerPlan& plan = snapshot.listeners[listener];
  const ClientTrust* const trust = plan.tls ? plan.tls->clients.get() : nullptr;
  Answer answer;
  if (trust == nullptr) return answer;
  if (!shown_) {
    if (plan.tls->requires_certificate) answer.fault = CertificateFault::missing;
    return answer;
  }
  if (shown_->verified_by() != trust->digest()) {
    answer.fault = fault_of(trust->verify(*shown_, now));
  }
  answer.good_until = std::min(shown_->facts().good_until, trust->good_until());
  if (answer.fault != CertificateFault::none) return answer;
  auto verdict =
      identity::map_certificate(shown_->facts(), snapshot.settings.identity.mtls->principals);
  answer.fault = verdict.fault;
  if (answer.fault != CertificateFault::none) return answer;
  verdict.principal.expires = answer.good_until;
  answer.view =
      std::make_shared<const config::PrincipalView>(plan.policy.view_of(verdict.principal));
  answer.principal = std::make_shared<const config::Principal>(std::move(verdict.principal));
  return answer;
}

}  // namespace sluice::dataplane
