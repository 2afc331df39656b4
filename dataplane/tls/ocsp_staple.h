// What the responder of a certificate's authority said of it (OCSP, RFC 6960), which a listener
// shows with the certificate (RFC 6066 §8) so that clients need not ask there.
#pragma once

#include <openssl/types.h>

#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/values.h"
#include "dataplane/tls/openssl.h"

namespace sluice::dataplane {

struct OcspStaple {
  std::string response;  ///< DER; empty: there is none.
  WallTime good_until;   ///< Its nextUpdate.
};

/// chain  behind the leaf; its first one has signed the leaf.
/// errors  with the file's place: no response, one about another certificate, signed by nobody
///         who may say it, one that says anything but `good`, one whose time is over or has not
///         come, one without an end (no nextUpdate).
Result<OcspStaple> read_staple(const config::FileText& file, const X509* leaf,
                               STACK_OF(X509) * chain);

}  // namespace sluice::dataplane
