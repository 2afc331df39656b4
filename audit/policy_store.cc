#include "audit/policy_store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "audit/file.h"
#include "audit/segment_log.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {
constexpr std::size_t policy_bytes_max = std::size_t{16} << 20;
constexpr std::string_view suffix = ".json";

/// Nothing: it is not exactly what policy_name() writes.
std::optional<Hash> parse_name(std::string_view name) {
  if (!name.ends_with(suffix)) return std::nullopt;
  const auto digest = parse_policy_digest(name.substr(0, name.size() - suffix.size()));
  return digest && policy_name(*digest) == name ? digest : std::nullopt;
}
}  // namespace

std::optional<Hash> parse_policy_digest(std::string_view hex) {
  const auto bytes = from_hex(hex);
  Hash digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

std::string policy_name(const Hash& digest) {
  return fmt::format("{}{}", to_hex(digest), suffix);
}

Result<void> keep_policy(const std::filesystem::path& directory, std::string_view text) {
  const std::filesystem::path folder = directory / policies_folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(fmt::format("cannot create {}: {}", folder.string(), error.message()));
  if (text.size() > policy_bytes_max) {
    return fail(fmt::format("the configuration is longer than {} bytes", policy_bytes_max));
  }
  const Hash digest = sha256(as_bytes(text));
  if (read_policy(directory, digest)) return {};
  return replace_file(real_disk(), folder / policy_name(digest), text);
}

Result<std::vector<KeptPolicy>> list_policies(const std::filesystem::path& directory) {
  const std::filesystem::path folder = directory / policies_folder;
  std::vector<KeptPolicy> out;
  std::error_code fault;
  std::filesystem::directory_iterator entry(folder, fault);
  for (; !fault && entry != std::filesystem::directory_iterator(); entry.increment(fault)) {
    const auto digest = parse_name(entry->path().filename().string());
    if (!digest) continue;
    struct stat status {};
    if (::stat(entry->path().c_str(), &status) != 0) continue;  // It went meanwhile.
    out.push_back({*digest, {status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec}});
  }
  if (fault) return fail(fmt::format("cannot read {}: {}", folder.string(), fault.message()));
  std::ranges::sort(out, [](const KeptPolicy& one, const KeptPolicy& other) {
    return std::pair(other.since, other.digest) < std::pair(one.since, one.digest);
  });
  return out;
}

Result<std::string> read_policy(const std::filesystem::path& directory, const Hash& digest) {
  const std::filesystem::path path = directory / policies_folder / policy_name(digest);
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return fail(fmt::format("the policy {} is missing", path.filename().string()));
  }
  if (error) return fail(fmt::format("cannot read {}: {}", path.string(), error.message()));
  std::string text(std::min<std::uintmax_t>(bytes, policy_bytes_max), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file) return fail("cannot read " + path.string());
  if (bytes > policy_bytes_max || sha256(as_bytes(text)) != digest) {
    return fail(fmt::format("the policy {} was changed", path.filename().string()));
  }
  return text;
}

}  // namespace sluice::audit
