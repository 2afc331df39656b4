// One GET or POST by HTTPS, for a thread that may block. The only place here that knows libcurl.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace sluice::control {

struct HttpsGet {
  std::string url = {};  ///< https://, or http:// of this host.
  std::string ca_file =
      {};  ///< Who may have signed the other side's certificate; empty: the system's.
  std::size_t body_bytes_max = 0;
  const std::atomic<bool>* stop = nullptr;  ///< Set: ends the exchange within a second.
  Duration timeout = seconds(4);            ///< Of all of it.
  std::vector<std::string> fields = {};     ///< "Name: value", beside those of every request.
};

/// The body of an answer with status 200. Follows no redirection.
/// errors   anything else, in words.
Result<std::string> https_get(const HttpsGet& request);

struct HttpsReply {
  int status = 0;
  std::string body = {};
  Duration retry_after = {};  ///< That the other side asks for (RFC 9110 §10.2.3); 0: nothing.
};

/// The same as a POST of `body`, which is application/x-www-form-urlencoded where `fields` have no
/// Content-Type; what has any status is an answer.
/// body_bytes_max  what the answer has beyond that is left out.
/// errors   in words that name the host at most: the rest of a URL may be a secret.
Result<HttpsReply> https_post(const HttpsGet& request, const std::string& body);

}  // namespace sluice::control
