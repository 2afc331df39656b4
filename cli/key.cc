// sluice key new, signing, operations, tokens: the secrets that Sluice itself makes. Keys of a
// running gateway are in gateway_keys.cc.
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "audit/keys.h"
#include "audit/log.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/signer.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "config/load/load.h"
#include "control/descriptor.h"
#include "control/socket.h"
#include "identity/api_keys.h"
#include "identity/gateway_tokens.h"

namespace sluice::cli {
namespace {

/// What the keys file holds now; nothing when there is none.
Result<std::string> present_entries(const std::string& path) {
  std::error_code unknown;
  if (path.empty() || (!std::filesystem::exists(path, unknown) && !unknown)) return std::string();
  auto text = config::World::real().read_file(path);
  if (!text) return fail(fmt::format("cannot read '{}'", path));
  return std::move(*text);
}

/// Adds the entry in one write, so that a gateway watching the file sees all of it or none.
Result<void> append(const std::string& path, const std::string& entry) {
  const control::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) return fail(control::system_error(fmt::format("open '{}'", path), errno));
  if (::write(file.get(), entry.data(), entry.size()) != static_cast<ssize_t>(entry.size())) {
    return fail(control::system_error(fmt::format("write '{}'", path), errno));
  }
  return {};
}

}  // namespace

ExitCode perform(const KeyNewOptions& options) {
  const auto expires = parse_time(options.expires, wall_now(), true);
  if (!expires) return complain("key new", expires.error().message, ExitCode::usage);
  constexpr std::size_t secret_bytes = 32;
  std::array<std::uint8_t, secret_bytes + identity::scram_salt_bytes> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return complain("key new", control::system_error("getrandom", errno), ExitCode::failed);
  }
  const ByteView secret = ByteView(random).first(secret_bytes);
  const ByteView salt = options.scram ? ByteView(random).subspan(secret_bytes) : ByteView();
  const auto key = identity::make_key(options.subject, options.groups, *expires, secret, salt);
  const auto present = present_entries(options.append_to);
  if (!present) return complain("key new", present.error().message, ExitCode::failed);
  // An entry must not continue a last line that has no end.
  const bool is_open = !present->empty() && !present->ends_with('\n');
  const std::string entry = (is_open ? "\n" : "") + key.yaml_entry;
  // What the gateway would refuse is not made, nor added to a file that it refuses.
  const bool appends = !options.append_to.empty();
  const std::string name = appends ? options.append_to : "the entry";
  if (const auto good = identity::ApiKeys::parse(*present + entry, name, {}); !good) {
    return complain("key new", good.error().message,
                    appends ? ExitCode::bad_configuration : ExitCode::usage);
  }
  if (appends) {
    if (auto added = append(options.append_to, entry); !added) {
      return complain("key new", added.error().message, ExitCode::failed);
    }
  }

  if (options.json) {
    const nlohmann::ordered_json page{{"secret", key.secret},
                                      {"subject", options.subject},
                                      {"groups", options.groups},
                                      {"expires", timestamp_text(*expires)},
                                      {"entry", key.yaml_entry}};
    fmt::print("{}\n", page.dump());
    return ExitCode::ok;
  }
  fmt::print("secret, shown only now: {}\n", key.secret);
  if (options.append_to.empty()) {
    fmt::print("add this to the keys file:\n{}", key.yaml_entry);
  } else {
    fmt::print("added to {}; a running gateway takes it up by itself\n", options.append_to);
  }
  return ExitCode::ok;
}

ExitCode perform(const KeySigningOptions& options) {
  const auto verifier = audit::create_signing_key(options.path, options.origin);
  if (!verifier) return complain("key signing", verifier.error().message, ExitCode::failed);
  if (options.json) {
    fmt::print("{}\n",
               nlohmann::ordered_json{{"file", options.path}, {"verifier", *verifier}}.dump());
  } else {
    // Alone on stdout, so that it can be redirected into a file for the auditor.
    fmt::print("{}\n", *verifier);
    fmt::print(stderr,
               "the secret half is in {}; give the line above to whoever verifies the log\n",
               options.path);
  }
  return ExitCode::ok;
}

ExitCode perform(const KeyOperationsOptions& options) {
  if (options.path.empty() == options.configuration.empty()) {
    return complain("key operations", "name the key with --file, or its configuration with -c",
                    ExitCode::usage);
  }
  std::optional<config::Settings> settings;
  if (options.path.empty()) {
    settings = load_settings("key operations", options.configuration);
    if (!settings) return ExitCode::bad_configuration;
  }
  const auto signer =
      settings ? open_signing_key(settings->audit) : audit::Signer::load(options.path);
  if (!signer) return complain("key operations", signer.error().message, ExitCode::failed);
  const std::string key = to_hex(signer->derived_keys().operations);
  if (options.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"key", key}}.dump());
    return ExitCode::ok;
  }
  // Alone on stdout, so that it can be redirected.
  fmt::print("{}\n", key);
  fmt::print(stderr, "who has this key can try what masked values were: keep it secret\n");
  return ExitCode::ok;
}

ExitCode perform(const KeyTokensOptions& options) {
  constexpr std::string_view verb = "key tokens";
  auto key = identity::make_token_key();
  if (!key) return complain(verb, key.error().message, ExitCode::failed);
  const control::Descriptor file(
      ::open(options.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool is_written =
      file.is_open() &&
      ::write(file.get(), key->data(), key->size()) == static_cast<ssize_t>(key->size()) &&
      ::fsync(file.get()) == 0;
  const int error = errno;
  explicit_bzero(key->data(), key->size());
  if (!is_written) {
    return complain(verb, control::system_error(fmt::format("write '{}'", options.path), error),
                    ExitCode::failed);
  }
  if (options.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"file", options.path}}.dump());
  } else {
    fmt::print("name it in the configuration: identity: {{gateway_tokens: {{key: file:{}}}}}\n",
               options.path);
  }
  return ExitCode::ok;
}

}  // namespace sluice::cli
