// One GET or POST by HTTPS, for a thread that may block. The only place here that knows libcurl.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "base/result.h"

namespace sluice::control {

struct HttpsGet {
  std::string url = {};  ///< https://, or http:// of this host.
  std::string ca_file =
      {};  ///< Who may have signed the other side's certificate; empty: the system's.
  std::size_t body_bytes_max = 0;
  const std::atomic<bool>* stop = nullptr;  ///< Set: ends the exchange within a second.
};

/// The body of an answer with status 200. Follows no redirection; takes at most 4 seconds.
/// errors   anything else, in words.
Result<std::string> https_get(const HttpsGet& request);

struct HttpsReply {
  int status = 0;
  std::string body;
};

/// The same as a POST of `form`, which is application/x-www-form-urlencoded; what has any status
/// is an answer.
Result<HttpsReply> https_post(const HttpsGet& request, const std::string& form);

}  // namespace sluice::control
