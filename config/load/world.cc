// The one file of this room that touches the system.
#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "config/load/load.h"

namespace sluice::config {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{64} << 20;

std::optional<std::string> file_text(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 16384> piece{};
  for (std::size_t count = piece.size(); count == piece.size();) {
    count = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), count);
    if (text.size() > file_bytes_max) return std::nullopt;
  }
  // A folder opens like a file and fails here.
  if (std::ferror(file.get()) != 0) return std::nullopt;
  return text;
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::optional<std::vector<std::string>> names_in(const std::string& path) {
  std::vector<std::string> names;
  std::error_code fault;
  std::filesystem::directory_iterator entry(path, fault);
  if (fault == std::errc::no_such_file_or_directory) return names;
  if (fault) return std::nullopt;
  for (; entry != std::filesystem::directory_iterator(); entry.increment(fault)) {
    names.push_back(entry->path().filename().string());
    if (fault) return std::nullopt;
  }
  return names;
}

std::vector<std::string> hosts_of(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &first) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(first, &freeaddrinfo);
  std::vector<std::string> hosts;
  for (const addrinfo* address = first; address != nullptr; address = address->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(address->ai_addr, address->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      hosts.emplace_back(text.data());
    }
  }
  return hosts;
}

}  // namespace

World World::real() {
  return {file_text, variable, names_in, hosts_of};
}

}  // namespace sluice::config
