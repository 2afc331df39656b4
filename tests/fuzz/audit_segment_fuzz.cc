// Any bytes as a segment file. Frames are sealed again with a right check, so that
// the fuzzer gets behind the CRC: the first byte of each piece of the input says
// how long the next frame's body is.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "audit/segment_reader.h"

namespace {

using namespace sluice;
using namespace sluice::audit;

std::string as_segment(ByteView in) {
  std::string out(segment_magic);
  while (in.size() >= 2) {
    const std::size_t length = std::min<std::size_t>(std::size_t{in[0]} + 1, in.size() - 1);
    std::vector<std::uint8_t> frame(frame_head_bytes + length);
    std::copy_n(in.begin() + 1, length, frame.begin() + frame_head_bytes);
    seal_frame(frame.data(), length);
    out += as_text(frame);
    in = in.subspan(1 + length);
  }
  return out + std::string(as_text(in));
}

/// Walks the file as verification does; nothing unsigned may come out committed.
void walk(const std::string& path) {
  auto reader = SegmentReader::open(path);
  if (!reader) std::abort();
  Chain chain("fuzz.test/audit");
  for (bool has_header = false;; has_header = true) {
    const auto step = reader->next();
    if (!step || step->kind != SegmentReader::Step::Kind::frame) {
      if (step) (void)reader->count_commits_behind(step->offset);
      return;
    }
    if (!has_header) {
      const auto header = parse_header(step->frame.payload());
      if (!header) return;
      // One spelling only.
      const auto again = encode_header(*header);
      if (!std::equal(again.begin(), again.end(), step->frame.payload().begin(),
                      step->frame.payload().end())) {
        std::abort();
      }
      if (!chain.check_header(*header, 1) && !chain.resume(*header)) return;
      continue;
    }
    if (step->frame.type() == FrameType::record) {
      if (!chain.add_record(step->frame.body)) return;
    } else if (!chain.add_commit(step->frame.payload())) {
      return;
    }
  }
}

/// What stands for removed records has one spelling, too.
void read_removed(ByteView payload) {
  const auto removed = parse_removed(payload);
  if (!removed) return;
  const auto again = encode_removed(*removed);
  if (!std::equal(again.begin(), again.end(), payload.begin(), payload.end())) std::abort();
  Chain chain("fuzz.test/audit");
  const bool is_taken = chain.add_removed(payload).has_value();
  if (is_taken != (chain.tree().size() == removed->end && removed->end != 0)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int fd = ::memfd_create("segment", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  read_removed({data, size});
  const std::string framed = as_segment({data, size});
  // As given, and with frames that pass their check.
  for (const std::string_view content : {as_text({data, size}), std::string_view(framed)}) {
    if (::ftruncate(fd, 0) != 0 ||
        ::pwrite(fd, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
      std::abort();
    }
    walk(path);
  }
  return 0;
}
