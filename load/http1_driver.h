// HTTP/1.1 over one keep-alive connection, the same request again and again.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "load/driver.h"
#include "load/url.h"
#include "parsers/http1/decoder.h"

namespace sluice::load {

struct Http1Request {
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

/// The request's bytes, encoded once and shared by all connections.
Result<std::string> encode(const Http1Request& request, const Url& url);

class Http1DriverFactory final : public DriverFactory {
 public:
  Http1DriverFactory(std::string bytes, http1::Method method)
      : bytes_(std::move(bytes)), method_(method) {}
  [[nodiscard]] std::unique_ptr<Driver> make() const override;

 private:
  std::string bytes_;
  http1::Method method_;
};

}  // namespace sluice::load
