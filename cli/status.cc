// sluice status: how the running gateway fares.
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/steering.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

void print_text(const Json& page) {
  fmt::print("{} for {:.0f} s, configuration {}, {}, {}\n", page.at("state").get<std::string>(),
             page.at("uptime_s").get<double>(), page.at("configuration").get<std::uint64_t>(),
             counted(page.at("workers").get<std::uint64_t>(), "worker"),
             counted(page.at("api_keys").get<std::uint64_t>(), "API key"));
  for (const auto& listener : page.at("listeners")) {
    fmt::print("  listener {} on {} → {}\n", listener.at("name").get<std::string>(),
               listener.at("address").get<std::string>(), listener.at("target").get<std::string>());
  }
  if (const auto address = page.at("control_api").get<std::string>(); !address.empty()) {
    fmt::print("  control API on https://{}\n", address);
  }
  const auto number = [](const Json& object, const char* key) {
    return object.at(key).get<std::uint64_t>();
  };
  const Json& connections = page.at("connections");
  const Json& requests = page.at("requests");
  fmt::print("  connections: {} clients, {} to targets\n", number(connections, "clients"),
             number(connections, "upstreams"));
  fmt::print(
      "  requests: {} allowed, {} denied, {} unauthenticated, {} malformed, {} unavailable\n",
      number(requests, "allowed"), number(requests, "denied"), number(requests, "unauthenticated"),
      number(requests, "malformed"), number(requests, "unavailable"));
  fmt::print("  values masked: {}\n", number(page, "masks_applied"));
  for (const auto& latency : page.at("latency_us")) {
    fmt::print("  latency of {}: p50 {:.0f} µs, p99 {:.0f} µs, max {:.0f} µs\n",
               latency.at("target").get<std::string>(), latency.at("p50").get<double>(),
               latency.at("p99").get<double>(), latency.at("max").get<double>());
  }
  const Json& tls = page.at("tls");
  if (number(tls, "handshakes") != 0) {
    fmt::print("  TLS: {}, the kernel makes {}\n", counted(number(tls, "handshakes"), "handshake"),
               tls.at("kernel").get<bool>()
                   ? fmt::format("the records of {}, and opens those received by {}",
                                 number(tls, "by_kernel"), number(tls, "received_by_kernel"))
                   : std::string("no records"));
  }
  const Json& audit = page.at("audit");
  fmt::print("  audit: {}, {}\n", counted(number(audit, "records"), "record"),
             counted(number(audit, "checkpoints"), "checkpoint"));
  if (const auto failure = audit.at("failure").get<std::string>(); !failure.empty()) {
    fmt::print("  AUDIT FAILED, nothing is released: {}\n", failure);
  }
  const Json& retention = page.at("retention");
  if (number(retention, "removed_segments") + number(retention, "held_segments") +
          number(retention, "awaited_segments") !=
      0) {
    fmt::print("  retention: {} removed, {} under legal hold, {} not exported yet\n",
               counted(number(retention, "removed_segments"), "segment"),
               number(retention, "held_segments"), number(retention, "awaited_segments"));
  }
  if (page.contains("recordings")) {
    const Json& recordings = page.at("recordings");
    fmt::print("  recordings: {} being made, {} bytes in all, {} removed, {} under legal hold{}\n",
               number(recordings, "open"), number(recordings, "total_bytes"),
               number(recordings, "removed"), number(recordings, "held"),
               recordings.at("full").get<bool>() ? "; FULL, nothing new is recorded" : "");
  }
  for (const auto& one : page.at("exports")) {
    fmt::print("  export {}: {} arrived, {:.0f} s behind\n", one.at("name").get<std::string>(),
               counted(number(one, "exported"), "record"), one.at("lag_seconds").get<double>());
    if (const auto error = one.at("last_error").get<std::string>(); !error.empty()) {
      fmt::print("    it {}: {}\n",
                 one.at("stopped").get<bool>() ? "HAS STOPPED, until sluice reload" : "fails",
                 error);
    }
  }
  for (const auto& one : page.at("issuers")) {
    const auto keys = number(one, "keys");
    fmt::print("  issuer {}: {}{}\n", one.at("name").get<std::string>(), counted(keys, "key"),
               keys == 0
                   ? std::string()
                   : fmt::format(", fetched {:.0f} s ago", one.at("age_seconds").get<double>()));
    if (const auto error = one.at("last_error").get<std::string>(); !error.empty()) {
      fmt::print("    its keys cannot be fetched: {}\n", error);
    }
  }
  for (const auto& one : page.at("webhooks")) {
    fmt::print("  webhook {}: {} delivered, {} pending, {} given up\n",
               one.at("name").get<std::string>(), number(one, "delivered"), number(one, "pending"),
               number(one, "given_up"));
    if (const auto error = one.at("last_error").get<std::string>(); !error.empty()) {
      fmt::print("    it fails: {}\n", error);
    }
  }
  if (const auto error = page.at("last_reload_error").get<std::string>(); !error.empty()) {
    fmt::print("  the last reload was refused: {}\n", error);
  }
}

}  // namespace

ExitCode perform(const StatusOptions& options) {
  const auto answer =
      ask_gateway("status", options.gateway, {.method = "GET", .target = "/v1/status"});
  if (answer.code != ExitCode::ok) return answer.code;
  const auto page = Json::parse(answer.body);
  if (options.json) {
    fmt::print("{}", answer.body);
  } else {
    print_text(page);
  }
  // A gateway that drains is there but takes nothing: ask its successor.
  return page.value("state", "") == "running" ? ExitCode::ok : ExitCode::try_again;
}

}  // namespace sluice::cli
