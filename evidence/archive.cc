#include "evidence/archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <array>

namespace sluice::evidence {
namespace {

struct CloseFile {
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};
using OpenFile = std::unique_ptr<zip_file_t, CloseFile>;

Error error_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  Error out{zip_error_strerror(&error)};
  zip_error_fini(&error);
  return out;
}

bool add(zip_t* archive, const std::string& name, zip_source_t* source) {
  if (source == nullptr) return false;
  if (zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) >= 0) return true;
  zip_source_free(source);
  return false;
}

}  // namespace

Result<void> write_archive(const std::filesystem::path& path, std::span<const Member> members,
                           std::span<const FileMember> files) {
  int code = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_EXCL, &code);
  if (archive == nullptr) {
    return fail(fmt::format("cannot make {}: {}", path.string(), error_of(code).message));
  }
  bool ok = true;
  for (const Member& member : members) {
    ok = ok && add(archive, member.name,
                   zip_source_buffer(archive, member.content.data(), member.content.size(), 0));
  }
  for (const FileMember& file : files) {
    ok = ok && add(archive, file.name, zip_source_file(archive, file.file.c_str(), 0, -1));
  }
  if (ok && zip_close(archive) == 0) return {};
  Error error{fmt::format("cannot write {}: {}", path.string(), zip_strerror(archive))};
  zip_discard(archive);
  return tl::unexpected(std::move(error));
}

void Archive::Discard::operator()(zip* archive) const noexcept {
  zip_discard(archive);
}

Result<Archive> Archive::open(const std::filesystem::path& path) {
  int code = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (archive == nullptr) {
    return fail(fmt::format("cannot read {} as an evidence package: {}", path.string(),
                            error_of(code).message));
  }
  return Archive(archive);
}

std::vector<std::string> Archive::names() const {
  std::vector<std::string> out;
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
    out.emplace_back(name == nullptr ? "" : name);
  }
  return out;
}

Result<std::string> Archive::read(const std::string& name, std::size_t bytes_max) const {
  std::string out;
  bool is_too_long = false;
  auto done = stream(name, [&](ByteView piece) {
    is_too_long = out.size() + piece.size() > bytes_max;
    if (!is_too_long) out += as_text(piece);
    return !is_too_long;
  });
  if (!done) return tl::unexpected(done.error());
  if (is_too_long) return fail(fmt::format("{} is longer than {} bytes", name, bytes_max));
  return out;
}

Result<void> Archive::stream(const std::string& name,
                             const std::function<bool(ByteView)>& each) const {
  const OpenFile file(zip_fopen(archive_.get(), name.c_str(), 0));
  if (file == nullptr) return fail(fmt::format("{} is missing, or cannot be read", name));
  std::array<std::uint8_t, 64 * 1024> room;
  for (;;) {
    const zip_int64_t got = zip_fread(file.get(), room.data(), room.size());
    if (got < 0) return fail(fmt::format("{} is damaged", name));
    if (got == 0) return {};
    if (!each(ByteView(room).first(static_cast<std::size_t>(got)))) return {};
  }
}

}  // namespace sluice::evidence
