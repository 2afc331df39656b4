// Says what the request decoder makes of streams, for oracle_test.py.
//
// In: streams one after another, each with its size before it (4 bytes, little
// endian). Out: one line a stream, all text in hex:
//   "request METHOD TARGET MINOR [NAME=VALUE]… body DATA [NAME=VALUE]… end" …
// and at last "idle", "open" (more is awaited) or "refused FAULT".
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/text_codec.h"
#include "parsers/http1/decoder.h"

namespace {

using namespace sluice;

std::string hex(std::string_view text) {
  return to_hex(as_bytes(text));
}

void print_fields(std::span<const http1::Field> fields) {
  for (const http1::Field& field : fields) {
    std::printf("%s=%s ", hex(field.name).c_str(), hex(field.value).c_str());
  }
}

void print_stream(ByteView in) {
  const http1::Limits limits;
  http1::RequestDecoder decoder(limits);
  http1::FieldTable table;
  std::string body;
  for (;;) {
    const http1::Step step = decoder.decode(in, table);
    in = in.subspan(step.size_bytes);
    switch (step.kind) {
      case http1::Step::Kind::head: {
        const http1::RequestHead& head = decoder.request();
        std::printf("request %s %s %d ", hex(head.method_text).c_str(), hex(head.target).c_str(),
                    int{head.version_minor});
        print_fields(head.fields);
        body.clear();
        break;
      }
      case http1::Step::Kind::data:
        body += as_text(step.data);
        break;
      case http1::Step::Kind::end:
        std::printf("body %s ", hex(body).c_str());
        print_fields(step.trailers);
        std::printf("end ");
        break;
      case http1::Step::Kind::needs_more:
        std::puts(decoder.is_idle() && in.empty() ? "idle" : "open");
        return;
      case http1::Step::Kind::malformed:
        std::printf("refused %s\n", std::string(text(step.fault)).c_str());
        return;
    }
  }
}

}  // namespace

int main() {
  std::uint32_t size = 0;
  while (std::fread(&size, sizeof(size), 1, stdin) == 1) {
    std::vector<std::uint8_t> stream(size);
    if (size > 0 && std::fread(stream.data(), size, 1, stdin) != 1) return 1;
    print_stream(stream);
  }
  return 0;
}
