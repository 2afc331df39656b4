// A log in a folder of its own, and who signs it.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "audit/log.h"
#include "audit/signer_client.h"

namespace sluice::audit {

/// In SLUICE_BENCH_FOLDER, or in memory when the writer's own work is in question.
class LogFolder {
 public:
  explicit LogFolder(const char* otherwise) {
    const char* base = std::getenv("SLUICE_BENCH_FOLDER");
    std::string name = std::string(base != nullptr ? base : otherwise) + "/sluice-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
    options.directory = path / "log";
    options.signing_key = path / "log.key";
    options.segment_bytes = std::size_t{1} << 40;
    if (auto made = create_signing_key(options.signing_key, "bench/audit"); !made) {
      throw std::runtime_error(made.error().message);
    }
  }
  ~LogFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;

  [[nodiscard]] std::unique_ptr<Log> open() const {
    auto log = Log::open(options, Now{}, {});
    if (!log) throw std::runtime_error(log.error().message);
    return std::move(*log);
  }

  std::filesystem::path path;
  LogOptions options;
};

/// A signer in a process, as the gateway has it; here a copy of this one.
inline std::unique_ptr<ProcessSigner> start_signer(const LogFolder& folder) {
  const SignerSettings settings{folder.options.signing_key, folder.path / "signed", "nobody"};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::runtime_error("socketpair");
  }
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("fork");
  if (process == 0) {
    ::close(ends[0]);
    ::_exit(serve_signatures(ends[1], settings));
  }
  ::close(ends[1]);
  auto signer = ProcessSigner::attach(ends[0], process, settings);
  if (!signer) throw std::runtime_error(signer.error().message);
  return std::move(*signer);
}

}  // namespace sluice::audit
