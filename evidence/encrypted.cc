#include "evidence/encrypted.h"

#include <array>
#include <cstdio>
#include <memory>

#include "audit/age.h"

namespace sluice::evidence {
namespace {

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

}  // namespace

Result<void> encrypt_file(const NamelessFile& from, NamelessFile& to,
                          std::span<const audit::AgeRecipient> recipients) {
  const File in(std::fopen(from.path().c_str(), "rbe"));
  if (!in) return fail("the package cannot be read");
  Result<void> written;
  auto writer = audit::AgeWriter::begin(recipients, [&](ByteView bytes) {
    written = to.append(bytes);
    return written.has_value();
  });
  const auto fault_of = [&written](const Error& error) {
    return written ? tl::unexpected(error) : tl::unexpected(written.error());
  };
  if (!writer) return fault_of(writer.error());
  std::array<std::uint8_t, 64 * 1024> room;
  while (const std::size_t got = std::fread(room.data(), 1, room.size(), in.get())) {
    if (auto done = writer->write(ByteView(room).first(got)); !done) return fault_of(done.error());
  }
  if (std::ferror(in.get()) != 0) return fail("the package cannot be read");
  if (auto done = writer->finish(); !done) return fault_of(done.error());
  return to.flush();
}

}  // namespace sluice::evidence
