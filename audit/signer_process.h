// The signer process: holds the log's key, remembers what it signed, and signs what
// continues that. It is its gateway's child and ends when the socket to it does.
//
// One message, one answer; no threads, no files but its own, no clock but for syncs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "audit/token_key.h"
#include "base/instant.h"

namespace sluice::audit {

struct SignerSettings {
  std::filesystem::path key;    ///< See Signer::load.
  std::filesystem::path state;  ///< See SignerState.
  std::string user;             ///< Whom it becomes when it was started by root.
  Duration seal_every = seconds(3'600);
  TokenSettings token = {};  ///< Where it names one, the key is there and not in a file.
};

/// Its name, as `ps` shows it; who runs under this name must call `signer_main`.
inline constexpr const char* signer_process_name = "sluice-signer";
/// Where the gateway leaves its end of the socket.
inline constexpr int signer_socket = 3;

/// What it is started with: its name, then the settings.
std::vector<std::string> signer_arguments(const SignerSettings& settings);
/// For `main`: the arguments are those.
int signer_main(int argc, char** argv);
/// Greets, or says why not; then serves until the other end is closed.
int serve_signatures(int socket, const SignerSettings& settings);

}  // namespace sluice::audit
