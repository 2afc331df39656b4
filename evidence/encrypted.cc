#include "evidence/encrypted.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "audit/age.h"

namespace sluice::evidence {
namespace {

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

Result<void> encrypt(std::FILE* from, std::FILE* to,
                     std::span<const audit::AgeRecipient> recipients) {
  auto writer = audit::AgeWriter::begin(recipients, [to](ByteView bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), to) == bytes.size();
  });
  if (!writer) return tl::unexpected(writer.error());
  std::array<std::uint8_t, 64 * 1024> room;
  while (const std::size_t got = std::fread(room.data(), 1, room.size(), from)) {
    if (auto done = writer->write(ByteView(room).first(got)); !done) return done;
  }
  if (std::ferror(from) != 0) return fail("the package cannot be read");
  if (auto done = writer->finish(); !done) return done;
  if (std::fflush(to) != 0 || ::fsync(::fileno(to)) != 0) return fail(std::strerror(errno));
  return {};
}

}  // namespace

Result<void> encrypt_file(const std::filesystem::path& from, const std::filesystem::path& to,
                          std::span<const audit::AgeRecipient> recipients) {
  const File in(std::fopen(from.c_str(), "rbe"));
  const File out(in ? std::fopen(to.c_str(), "wxbe") : nullptr);
  if (!out) return fail(fmt::format("{}: {}", (in ? to : from).string(), std::strerror(errno)));
  auto done = encrypt(in.get(), out.get(), recipients);
  if (!done) ::unlink(to.c_str());
  return done;
}

}  // namespace sluice::evidence
