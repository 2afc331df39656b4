// sluice connect: a tunnel from this host to a target of a gateway's, which shows who its user is.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "cli/describe_words.h"
#include "cli/output.h"
#include "cli/remote_gateway.h"
#include "cli/steering.h"
#include "cli/tunnel/http_codec.h"
#include "cli/tunnel/place.h"
#include "cli/tunnel/postgres_codec.h"
#include "cli/tunnel/server.h"
#include "cli/tunnel/tokens.h"
#include "cli/verbs.h"
#include "control/api/target.h"
#include "control/shown_text.h"
#include "control/signals.h"
#include "control/socket.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "connect";

/// Where the tunnel leads.
struct Destination {
  HostPort place;
  config::Protocol protocol = config::Protocol::http;
  std::string subject;  ///< As whom; empty: the gateway was not asked.
};

std::optional<config::Protocol> protocol_of(std::string_view word) {
  for (const auto protocol : {config::Protocol::http, config::Protocol::postgres}) {
    if (word == text(protocol)) return protocol;
  }
  return std::nullopt;
}

/// The listener that is meant, of those that lead to the target.
Result<Json> choose(const Json& listeners, const std::string& name) {
  std::vector<Json> secured;
  std::string names;
  for (const Json& one : listeners) {
    if (!name.empty() && one.at("name") != name) continue;
    // A token in clear is anybody's who sees it pass.
    if (!one.at("tls").get<bool>()) continue;
    names += (names.empty() ? "" : ", ") + one.at("name").get<std::string>();
    secured.push_back(one);
  }
  if (secured.size() == 1) return std::move(secured.front());
  if (!secured.empty()) return fail(fmt::format("say which, by --listener: {}", names));
  return fail(name.empty() ? "no listener with TLS leads there"
                           : fmt::format("no listener '{}' with TLS leads there", name));
}

Result<Destination> read_target(const std::string& body, const ConnectOptions& options,
                                const RemoteGateway& gateway) {
  try {
    const Json page = Json::parse(body);
    const auto listener = choose(page.at("listeners"), options.listener);
    if (!listener) return tl::unexpected(listener.error());
    // The gateway may listen on all addresses; its name is known here.
    const auto place = parse_host_port(listener->at("address").get<std::string>());
    const auto protocol = protocol_of(listener->at("protocol").get<std::string>());
    if (!place || !protocol) return fail("the gateway's answer is not understood");
    return Destination{
        {gateway.host(), place->port}, *protocol, page.at("subject").get<std::string>()};
  } catch (const Json::exception&) {
    return fail("the gateway's answer is not understood");
  }
}

/// Nothing: its user was told why.
struct Found {
  std::optional<Destination> destination;
  ExitCode code = ExitCode::ok;
};

Found find(const ConnectOptions& options, const RemoteGateway* gateway) {
  if (!options.to.empty()) {
    auto place = parse_host_port(options.to);
    const auto protocol = protocol_of(options.protocol);
    if (!place || !protocol) {
      return {{}, complain(verb, "--to takes HOST:PORT, with --protocol", ExitCode::usage)};
    }
    return {Destination{std::move(*place), *protocol, {}}};
  }
  if (gateway == nullptr) {
    return {{},
            complain(verb, "say which gateway, by --gateway, or where, by --to", ExitCode::usage)};
  }
  const auto answer =
      ask_gateway(verb, options.gateway,
                  {.target = fmt::format("/v1/targets/{}", control::api::escaped(options.target))});
  if (answer.code != ExitCode::ok) return {{}, answer.code};
  auto destination = read_target(answer.body, options, *gateway);
  if (!destination) {
    return {{}, complain(verb, shown_text(destination.error().message), ExitCode::usage)};
  }
  return {std::move(*destination)};
}

void print(const ConnectOptions& options, const Destination& destination, std::uint16_t port) {
  const std::string line =
      tunnel::command_line(destination.protocol, port, destination.subject, options.database);
  if (options.json) {
    Json page{{"target", options.target},
              {"protocol", text(destination.protocol)},
              {"address", "127.0.0.1"},
              {"port", port},
              {"gateway", text(destination.place)},
              {"command", line}};
    if (!destination.subject.empty()) page["subject"] = destination.subject;
    fmt::print("{}\n", page.dump());
  } else {
    fmt::print("{}\n", shown_text(line));
    fmt::print(stderr, "{} by {}, until Ctrl-C, for programs of your own account\n",
               shown_text(options.target), text(destination.place));
  }
  std::fflush(stdout);
}

std::unique_ptr<tunnel::Codec> make_codec(const Destination& destination, std::uint16_t port,
                                          tunnel::Tokens tokens) {
  if (destination.protocol == config::Protocol::postgres) {
    return std::make_unique<tunnel::PostgresCodec>(std::move(tokens));
  }
  return std::make_unique<tunnel::HttpCodec>(port, text(destination.place), std::move(tokens));
}

}  // namespace

ExitCode perform(const ConnectOptions& options) {
  std::optional<RemoteGateway> gateway;
  if (!options.gateway.url.empty()) {
    auto made = RemoteGateway::at(options.gateway.url, options.gateway.ca);
    if (!made) return complain(verb, made.error().message, ExitCode::usage);
    gateway = std::move(*made);
  }
  const RemoteGateway* const remote = gateway ? &*gateway : nullptr;
  tunnel::CurrentToken token([&] { return caller_token(options.gateway, remote); });
  if (const auto first = token.get(); !first) {
    return complain(verb, first.error().message, ExitCode::denied);
  }
  const Found found = find(options, remote);
  if (!found.destination) return found.code;
  const Destination& destination = *found.destination;
  auto context = client_tls(destination.place, options.gateway.ca, destination.protocol);
  if (!context) return complain(verb, context.error().message, ExitCode::usage);

  const std::uint16_t port =
      options.port != 0 ? options.port : tunnel::usual_port(destination.place.host, options.target);
  auto listener = control::listen_loopback({.host = "127.0.0.1", .port = port});
  if (!listener) {
    return complain(verb,
                    fmt::format("{}: another tunnel, or somebody else; choose one by --port",
                                listener.error().message),
                    ExitCode::failed);
  }
  const control::Signals signals;
  const auto server = tunnel::Server::start(
      std::move(*listener),
      {.gateway = {destination.place.host, destination.place.port, std::move(*context)},
       .make_codec =
           [&] { return make_codec(destination, port, [&token] { return token.get(); }); },
       .complain =
           [](std::string_view why) {
             static_cast<void>(complain(verb, shown_text(why), ExitCode::failed));
           }});
  if (!server) return complain(verb, server.error().message, ExitCode::failed);
  print(options, destination, port);
  while (signals.wait(seconds(3600)) == control::Wish::nothing) {
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
