#include "dataplane/session/dpop_uri.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace sluice;
using dataplane::Resource;

namespace {

constexpr Resource here{"https", "api.example.com", "/v1/payments"};

bool is_about(std::string_view uri, const Resource& resource = here,
              const std::vector<std::string>& origins = {}) {
  std::array<std::uint8_t, 5'000> room{};
  return dataplane::is_about(uri, resource, origins, room);
}

}  // namespace

TEST_CASE("a proof names the resource in any of its spellings") {
  for (const char* const uri :
       {"https://api.example.com/v1/payments", "HTTPS://API.example.COM/v1/payments",
        "https://api.example.com:443/v1/payments", "https://api.example.com/v1/payments?a=b",
        "https://api.example.com/v1/payments#part", "https://api.example.com/v1/./%70ayments",
        "https://api.example.com//v1/x/../payments"}) {
    INFO(uri);
    CHECK(is_about(uri));
  }
  CHECK(is_about("http://api:8080/", {"http", "api:8080", "/"}));
  CHECK(is_about("http://api:80", {"http", "api", "/"}));
  CHECK(is_about("http://api?query", {"http", "API:80", "/"}));
}

TEST_CASE("a proof of another resource is none") {
  for (const char* const uri :
       {"", "x", "/v1/payments", "https://", "https:///v1/payments",
        "://api.example.com/v1/payments", "http://api.example.com/v1/payments",
        "https://api.example.com/v1/Payments", "https://api.example.com/v1/payments/",
        "https://api.example.com/v1", "https://api.example.com:8443/v1/payments",
        "https://api.example.com.evil/v1/payments", "https://ann@api.example.com/v1/payments",
        "https://api.example.com/v1%2Fpayments", "https://api.example.com/v1/payments/%zz",
        "https://api.example.com/../v1/payments", "https://api.example.com:80/v1/payments",
        "https:/api.example.com/v1/payments"}) {
    INFO(uri);
    CHECK_FALSE(is_about(uri));
  }
}

TEST_CASE("where clients reach the listeners is what the operator says") {
  const Resource clear{"http", "10.0.0.7:8080", "/v1/payments"};
  const std::vector<std::string> origins{"https://api.example.com", "https://eu.example.com:8443"};
  CHECK(is_about("https://api.example.com/v1/payments", clear, origins));
  CHECK(is_about("https://eu.example.com:8443/v1/payments", clear, origins));
  CHECK_FALSE(is_about("http://10.0.0.7:8080/v1/payments", clear, origins));
  CHECK_FALSE(is_about("https://eu.example.com/v1/payments", clear, origins));
}

TEST_CASE("a URI that has no room is not the one") {
  std::array<std::uint8_t, 8> room{};
  CHECK_FALSE(dataplane::is_about("https://api.example.com/v1/payments", here, {}, room));
}
