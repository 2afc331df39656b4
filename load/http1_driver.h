// HTTP/1.1 over one keep-alive connection: requests of a mix, written and judged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "load/driver.h"
#include "load/mix.h"
#include "load/url.h"
#include "parsers/http1/message.h"

namespace sluice::load {

/// A request of the mix, compiled; all connections share it.
struct Http1Request {
  /// Appends one request's bytes. `scratch` is overwritten.
  void write(Random& random, std::string_view identity, std::string& scratch,
             std::string& out) const;

  http1::Method method = http1::Method::other;
  std::uint64_t weight = 1;
  std::string constant = {};  ///< The bytes, where they are the same each time.
  Template head = {};         ///< Without Content-Length and what follows it.
  Template body = {};
  bool has_length = false;
  Expectation expect = {};
  bool is_checked = false;
};

/// errors  a method, path or header that cannot be sent.
Result<Http1Request> compile(const MixRequest& request, const Url& url);

class Http1DriverFactory final : public DriverFactory {
 public:
  static Result<std::unique_ptr<Http1DriverFactory>> make(const Mix& mix, const Url& url,
                                                          std::uint64_t seed);
  [[nodiscard]] std::unique_ptr<Driver> make_driver(std::uint64_t connection) const override;
  [[nodiscard]] std::vector<std::string> check_names() const override { return check_names_; }

 private:
  friend class Http1Driver;
  Http1DriverFactory() = default;

  std::vector<Http1Request> requests_;
  std::uint64_t weights_ = 0;  ///< Of all requests.
  std::vector<std::string> identities_;
  Duration think_min_;
  Duration think_max_;
  std::uint64_t seed_ = 0;
  std::vector<std::string> check_names_;
};

}  // namespace sluice::load
