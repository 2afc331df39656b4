#include "evidence/archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <array>
#include <cerrno>

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

/// A file that libzip writes into, as libzip calls it: without a name it cannot be opened by one.
class Target {
 public:
  explicit Target(NamelessFile& file) : file_(file) { zip_error_init(&error_); }
  ~Target() { zip_error_fini(&error_); }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  static zip_int64_t call(void* self, void* data, zip_uint64_t size, zip_source_cmd_t what) {
    return static_cast<Target*>(self)->answer(data, size, what);
  }
  /// Why a write failed; empty: none did.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

 private:
  zip_int64_t answer(void* data, zip_uint64_t size, zip_source_cmd_t what) {
    switch (what) {
      case ZIP_SOURCE_SUPPORTS:
        // libzip asks for what reads, too, of a file that it is to write.
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
            ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_BEGIN_WRITE,
            ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_COMMIT_WRITE,
            ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_REMOVE, -1);
      case ZIP_SOURCE_STAT:
      case ZIP_SOURCE_OPEN:
        // There is nothing in it to go on with.
        return refuse(ZIP_ER_READ, ENOENT);
      case ZIP_SOURCE_WRITE:
        return write(data, size);
      case ZIP_SOURCE_SEEK_WRITE: {
        const zip_int64_t to =
            zip_source_seek_compute_offset(at_, file_.bytes(), data, size, &error_);
        if (to < 0) return -1;
        at_ = static_cast<std::uint64_t>(to);
        return 0;
      }
      case ZIP_SOURCE_TELL_WRITE:
        return static_cast<zip_int64_t>(at_);
      case ZIP_SOURCE_BEGIN_WRITE:
      case ZIP_SOURCE_COMMIT_WRITE:
      case ZIP_SOURCE_ROLLBACK_WRITE:
      case ZIP_SOURCE_REMOVE:
      case ZIP_SOURCE_FREE:
        return 0;
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error_, data, size);
      default:
        return refuse(ZIP_ER_OPNOTSUPP, 0);
    }
  }

  zip_int64_t refuse(int code, int system) {
    zip_error_set(&error_, code, system);
    return -1;
  }

  zip_int64_t write(const void* data, zip_uint64_t size) {
    auto done = file_.write(at_, {static_cast<const std::uint8_t*>(data), size});
    if (!done) {
      fault_ = done.error().message;
      return refuse(ZIP_ER_WRITE, EIO);
    }
    at_ += size;
    return static_cast<zip_int64_t>(size);
  }

  NamelessFile& file_;
  zip_error_t error_{};
  std::uint64_t at_ = 0;
  std::string fault_;
};

zip_t* open_for_writing(Target& target, zip_error_t& error) {
  zip_source_t* const source = zip_source_function_create(Target::call, &target, &error);
  if (source == nullptr) return nullptr;
  zip_t* const archive = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (archive == nullptr) zip_source_free(source);
  return archive;
}

}  // namespace

Result<void> write_archive(NamelessFile& to, std::span<const Member> members,
                           std::span<const FileMember> files) {
  Target target(to);
  zip_error_t error;
  zip_error_init(&error);
  zip_t* const archive = open_for_writing(target, error);
  if (archive == nullptr) {
    Error out{fmt::format("cannot make a zip file: {}", zip_error_strerror(&error))};
    zip_error_fini(&error);
    return tl::unexpected(std::move(out));
  }
  zip_error_fini(&error);
  bool ok = true;
  for (const Member& member : members) {
    ok = ok && add(archive, member.name,
                   zip_source_buffer(archive, member.content.data(), member.content.size(), 0));
  }
  for (const FileMember& file : files) {
    ok = ok && add(archive, file.name, zip_source_file(archive, file.file.c_str(), 0, -1));
  }
  if (ok && zip_close(archive) == 0) return to.flush();
  Error fault{target.fault().empty()
                  ? fmt::format("cannot write a zip file: {}", zip_strerror(archive))
                  : target.fault()};
  zip_discard(archive);
  return tl::unexpected(std::move(fault));
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
