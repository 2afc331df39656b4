// HTTP and HTTPS for an export's own thread, which may block. The only place that knows libcurl.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

using CURL = void;

namespace sluice::exports {

/// Who signs requests with AWS Signature Version 4, and for where.
struct AwsSigning {
  std::string region;
  std::string access_key;
  std::string secret_key;
};

struct HttpRequest {
  std::string method;
  std::string url;
  /// "Name: value". None of them empty: libcurl 7.88 would sign it and not send it.
  std::vector<std::string> fields;
  std::string_view body;
  std::string ca_file;  ///< Who may have signed the other side's certificate; empty: the system's.
  std::optional<AwsSigning> signing;
};

struct HttpAnswer {
  long status = 0;
  std::string body;      ///< Its first 64 KiB.
  Duration retry_after;  ///< What "Retry-After" asks for, at most an hour; 0: nothing.
};

/// Keeps its connection from one request to the next. Follows no redirection.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Takes at most 30 seconds.
  /// errors   no whole answer came.
  [[nodiscard]] Result<HttpAnswer> send(const HttpRequest& request);

 private:
  CURL* curl_;
};

}  // namespace sluice::exports
