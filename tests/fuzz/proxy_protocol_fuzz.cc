// PROXY headers, from bytes of anyone's choosing.
//
// Oracles: a prefix is awaited or refused as the whole is; what follows does not count;
// addresses that were read are read again from both versions' own form.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "parsers/proxy_protocol/header.h"
#include "proxy_protocol_words.h"

namespace {

using namespace sluice;
using namespace sluice::proxy_protocol;
using Kind = HeaderStep::Kind;

void check_prefix(ByteView prefix, const HeaderStep& whole) {
  const HeaderStep step = decode_header(prefix);
  if (step.kind == Kind::needs_more) return;
  if (testing::describe(step) != testing::describe(whole)) std::abort();
}

void check_written(Version version, const HeaderStep& read) {
  std::array<std::uint8_t, written_bytes_max> room{};
  const std::size_t size = write_header(version, read.source, read.destination, room);
  const HeaderStep again = decode_header(ByteView(room).first(size));
  if (again.kind != Kind::header || again.size_bytes != size || again.source != read.source ||
      again.destination != read.destination) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const HeaderStep step = decode_header(input);
  if (step.size_bytes > size) std::abort();
  if ((step.kind == Kind::header) == (step.size_bytes == 0)) std::abort();
  const std::size_t longest = packet_body_bytes_max + 16;
  for (std::size_t cut = 0; cut < std::min(size, longest); ++cut) {
    check_prefix(input.first(cut), step);
  }
  if (step.kind == Kind::needs_more && size >= longest) std::abort();
  if (step.kind != Kind::header || !step.has_addresses) return 0;
  check_written(Version::v1, step);
  check_written(Version::v2, step);
  return 0;
}
