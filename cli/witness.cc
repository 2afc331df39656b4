// sluice witness: remembers the logs of other teams' gateways, and signs what continues
// what it saw.
#include <chrono>

#include "cli/key_line.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "config/load/quantity.h"
#include "control/json_text.h"
#include "control/signals.h"
#include "control/socket.h"
#include "control/witness.h"

namespace sluice::cli {
namespace {

std::uint64_t seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

Result<std::vector<audit::Verifier>> read_logs(const std::vector<std::string>& logs) {
  std::vector<audit::Verifier> out;
  for (const std::string& log : logs) {
    const auto line = key_line(log);
    if (!line) return tl::unexpected(line.error());
    auto key = audit::Verifier::parse(*line);
    if (!key) return tl::unexpected(key.error());
    out.push_back(std::move(*key));
  }
  return out;
}

}  // namespace

ExitCode perform(const WitnessOptions& options) {
  const control::Signals signals;  // before any thread is started
  const auto address = config::parse_address(options.listen);
  if (!address) return complain("witness", address.error().message, ExitCode::usage);
  auto logs = read_logs(options.logs);
  if (!logs) return complain("witness", logs.error().message, ExitCode::usage);
  auto key = audit::Signer::load(options.key);
  if (!key) return complain("witness", key.error().message, ExitCode::failed);
  const std::string line = audit::WitnessVerifier::of(key->verifier()).line();
  const auto witness =
      control::Witness::open({std::move(*key), std::move(*logs), options.state, seconds_now});
  if (!witness) return complain("witness", witness.error().message, ExitCode::failed);
  auto listener = control::listen_tcp(*address);
  if (!listener) return complain("witness", listener.error().message, ExitCode::failed);
  const auto port = control::local_port(*listener);
  if (!port) return complain("witness", port.error().message, ExitCode::failed);
  const auto server = control::HttpServer::start(
      std::move(*listener),
      [&witness](const control::HttpRequest& request) { return (*witness)->answer(request); });
  if (!server) return complain("witness", server.error().message, ExitCode::failed);
  // Alone on stdout: the line that policies and verifiers take.
  if (options.json) {
    fmt::print("{{\"verifier\":{},\"port\":{}}}\n", control::json_text(line), *port);
  } else {
    fmt::print("{}\n", line);
  }
  static_cast<void>(std::fflush(stdout));
  fmt::print(stderr, "sluice: witness on port {}\n", *port);
  while (signals.wait(seconds(3'600)) != control::Wish::stop) {
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
