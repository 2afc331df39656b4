#include "audit/policy_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "audit/file.h"
#include "audit/segment_log.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {
constexpr std::size_t policy_bytes_max = std::size_t{16} << 20;
}  // namespace

std::string policy_name(const Hash& digest) {
  return to_hex(digest) + ".json";
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
