// What PEM files of the configuration hold, and what is wrong with them, told with their place.
#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/values.h"
#include "dataplane/tls/openssl.h"

namespace sluice::dataplane {

tl::unexpected<Error> fail_at(const config::FileText& file, std::string_view what);
/// OpenSSL's last error in its words. Empties the thread's queue of errors.
std::string last_openssl_reason();

/// All of them, in order.
/// errors  with the file's place: none, or one that is broken.
Result<std::vector<Openssl<X509>>> read_certificates(const config::FileText& file);
Result<std::vector<Openssl<X509_CRL>>> read_crls(const config::FileText& file);
/// errors  with the file's place: none, or one with a passphrase, which nobody could type here.
Result<Openssl<EVP_PKEY>> read_private_key(const config::FileText& file);

/// "CN=batch,O=Corp" (RFC 4514), in printable ASCII; empty when it cannot be written.
std::string text(const X509_NAME* name);
/// Nothing before 1970 or beyond what a WallTime holds: then its first, or its last.
WallTime wall_time(const ASN1_TIME* time) noexcept;

}  // namespace sluice::dataplane
