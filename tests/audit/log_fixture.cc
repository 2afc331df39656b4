#include "log_fixture.h"

#include <cstdio>

namespace sluice::audit {
namespace {

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, FileClose>;

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const FileHandle file(std::fopen(path.c_str(), "rb"));
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::string out(std::filesystem::file_size(path), '\0');
  out.resize(std::fread(out.data(), 1, out.size(), file.get()));
  return out;
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  const FileHandle file(std::fopen(path.c_str(), "wb"));
  if (!file || std::fwrite(content.data(), 1, content.size(), file.get()) != content.size()) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

void write_byte(const std::filesystem::path& path, std::size_t offset, unsigned value) {
  const FileHandle file(std::fopen(path.c_str(), "r+b"));
  if (!file || std::fseek(file.get(), static_cast<long>(offset), SEEK_SET) != 0 ||
      std::fputc(static_cast<int>(value), file.get()) == EOF) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

}  // namespace sluice::audit
