#include "cli/stored_login.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/timestamp.h"
#include "control/descriptor.h"
#include "control/socket.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t file_bytes_max = std::size_t{256} << 10;

Result<std::string> read_all(const control::Descriptor& file) {
  std::string text;
  std::array<char, 4096> room{};
  for (;;) {
    const ssize_t got = ::read(file.get(), room.data(), room.size());
    if (got < 0) return fail(control::system_error("read", errno));
    if (got == 0) return text;
    text.append(room.data(), static_cast<std::size_t>(got));
    if (text.size() > file_bytes_max) return fail("it is too large");
  }
}

Result<void> write_all(const control::Descriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(file.get(), text.data(), text.size());
    if (put < 0) return fail(control::system_error("write", errno));
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

/// Nothing: it is not as it was written.
std::optional<StoredLogin> login_of(const std::string& text) {
  const Json page = Json::parse(text, nullptr, false);
  if (!page.is_object()) return std::nullopt;
  try {
    const auto expires = parse_timestamp(page.at("expires").get<std::string>());
    if (!expires) return std::nullopt;
    const Json& provider = page.at("provider");
    return StoredLogin{.token = {.token = page.at("token").get<std::string>(),
                                 .id = page.at("id").get<std::string>(),
                                 .subject = page.at("subject").get<std::string>(),
                                 .expires = *expires},
                       .provider = {.name = provider.at("name").get<std::string>(),
                                    .issuer = provider.at("issuer").get<std::string>(),
                                    .client_id = provider.at("client_id").get<std::string>(),
                                    .scopes = provider.at("scopes").get<std::vector<std::string>>(),
                                    .uses_id_token = provider.at("uses_id_token").get<bool>()},
                       .provider_ca = provider.at("ca").get<std::string>(),
                       .refresh = page.at("refresh").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Result<std::string> login_path(const std::string& host, std::uint16_t port) {
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state != nullptr && *state == '/') {
    folder = state;
  } else if (home != nullptr && *home == '/') {
    folder = std::filesystem::path(home) / ".local/state";
  } else {
    return fail("neither $XDG_STATE_HOME nor $HOME says where logins are kept");
  }
  return (folder / "sluice/logins" / fmt::format("{}_{}.json", host, port)).string();
}

Result<std::optional<StoredLogin>> read_login(const std::string& path) {
  const control::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    return fail(control::system_error(fmt::format("open '{}'", path), errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || (status.st_mode & 077U) != 0 ||
      status.st_uid != ::geteuid()) {
    return fail(fmt::format("'{}' is not yours alone: remove it and log in again", path));
  }
  const auto text = read_all(file);
  if (!text) return fail(fmt::format("'{}': {}", path, text.error().message));
  auto login = login_of(*text);
  if (!login) return fail(fmt::format("'{}' is damaged: log in again", path));
  return login;
}

Result<void> write_login(const std::string& path, const StoredLogin& login) {
  const control::SignInProvider& provider = login.provider;
  const Json page{{"token", login.token.token},
                  {"id", login.token.id},
                  {"subject", login.token.subject},
                  {"expires", timestamp_text(login.token.expires)},
                  {"refresh", login.refresh},
                  {"provider",
                   {{"name", provider.name},
                    {"issuer", provider.issuer},
                    {"client_id", provider.client_id},
                    {"scopes", provider.scopes},
                    {"uses_id_token", provider.uses_id_token},
                    {"ca", login.provider_ca}}}};
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(control::system_error(fmt::format("make '{}'", folder.string()), errno));
  }
  const std::string fresh = fmt::format("{}.{}", path, ::getpid());
  {
    const control::Descriptor file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return fail(control::system_error(fmt::format("open '{}'", fresh), errno));
    if (auto done = write_all(file, page.dump(2) + "\n"); !done) {
      ::unlink(fresh.c_str());
      return done;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(fresh.c_str());
    return fail(control::system_error(fmt::format("replace '{}'", path), why));
  }
  return {};
}

}  // namespace sluice::cli
