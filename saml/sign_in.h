// Sign-ins by SAML from the first redirection to the principal: what the web endpoints call.
//
// A request is remembered by nobody: its ID says when it was made, under a MAC whose key ends with
// the gateway. So whoever begins a million of them takes nothing from others. What is remembered is
// only what was answered in full.
//
// source   SAML Profiles §4.1, SAML Bindings §3.5 (HTTP-POST)
#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "saml/judge.h"
#include "saml/message.h"
#include "saml/service_provider.h"

namespace sluice::saml {

/// Base64 makes four bytes of three, and a browser three of some of those.
inline constexpr std::size_t form_bytes_max = 2 * response_bytes_max;

struct BegunSignIn {
  std::string url;  ///< Where the browser goes.
  /// For a cookie, which the browser sends along with the response: a response that another
  /// browser was given signs nobody in here.
  std::string browser_secret;
};

class SignIns {
 public:
  static constexpr std::size_t random_bytes = 16;
  static constexpr std::size_t key_bytes = 32;
  static constexpr std::size_t remembered_max = 65'536;
  static constexpr std::ptrdiff_t readings_max = 4;  ///< At a time; more are refused.

  /// What saml/reader.h answers, in a process of its own (saml/reader_client.h).
  using AskReader = std::function<std::string(std::string_view message)>;

  /// key  random, of this process.
  SignIns(std::array<std::uint8_t, key_bytes> key, AskReader ask)
      : key_(key), ask_(std::move(ask)) {}

  // Thread-safe.
  /// random  new for each.
  [[nodiscard]] Result<BegunSignIn> begin(
      const ServiceProvider& provider, WallTime now,
      const std::array<std::uint8_t, random_bytes>& random) const;
  /// form            what the browser posted: application/x-www-form-urlencoded.
  /// browser_secret  of its cookie.
  [[nodiscard]] Verdict finish(const ServiceProvider& provider, std::string_view form,
                               std::string_view browser_secret, WallTime now);

 private:
  [[nodiscard]] Verdict read(const ServiceProvider& provider, const std::string& response,
                             std::string_view request, WallTime now);
  [[nodiscard]] Fault check_request(std::string_view request, std::string_view browser_secret,
                                    Duration timeout, WallTime now, WallTime& until) const;
  [[nodiscard]] Fault spend(const std::string& assertion, const std::string& request,
                            WallTime until, WallTime now);
  [[nodiscard]] std::string mac(std::string_view label, std::string_view text) const;

  std::array<std::uint8_t, key_bytes> key_;
  AskReader ask_;
  std::counting_semaphore<readings_max> readings_{readings_max};
  std::mutex mutex_;
  /// Assertions and requests that signed somebody in, until no request of their time is taken.
  std::map<std::string, WallTime, std::less<>> spent_;
};

}  // namespace sluice::saml
