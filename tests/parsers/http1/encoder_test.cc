#include "parsers/http1/encoder.h"

#include <array>
#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::http1;

TEST_CASE("heads are written as lines that end in CRLF") {
  std::array<std::uint8_t, 256> room{};
  HeadWriter request(room);
  request.request_line("POST", "/a?b");
  request.field("Host", "api");
  request.field("Content-Length", std::uint64_t{18446744073709551615U});
  request.field("X-Empty", "");
  request.finish();
  CHECK_FALSE(request.overflowed());
  CHECK(as_text(request.written()) ==
        "POST /a?b HTTP/1.1\r\nHost: api\r\nContent-Length: 18446744073709551615\r\n"
        "X-Empty: \r\n\r\n");

  HeadWriter response(room);
  response.status_line(204, reason_phrase(204));
  response.finish();
  CHECK(as_text(response.written()) == "HTTP/1.1 204 No Content\r\n\r\n");

  HeadWriter unnamed(room);
  unnamed.status_line(599, reason_phrase(599));
  CHECK(as_text(unnamed.written()) == "HTTP/1.1 599 \r\n");
}

TEST_CASE("a head without room is never cut inside a line, and never forgets it") {
  const std::string_view whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::array<std::uint8_t, 64> bytes{};
    HeadWriter writer(ByteSpan(bytes).first(size));
    writer.request_line("GET", "/");
    writer.field("Host", "a");
    writer.finish();
    CHECK(writer.overflowed() == (size < whole.size()));
    CHECK(whole.starts_with(as_text(writer.written())));
    for (std::size_t i = size; i < bytes.size(); ++i) CHECK(bytes[i] == 0);
  }
  std::array<std::uint8_t, 24> bytes{};
  HeadWriter writer(bytes);
  writer.request_line("GET", "/a-target-that-is-too-long");
  writer.field("A", "b");  // would fit, but not behind a line that is missing
  CHECK(writer.overflowed());
  CHECK(writer.written().empty());
}

TEST_CASE("chunk prefixes end just before the payload") {
  const std::pair<std::uint64_t, std::string_view> cases[] = {{1, "1\r\n"},
                                                              {15, "f\r\n"},
                                                              {16, "10\r\n"},
                                                              {0xABCDEF, "abcdef\r\n"},
                                                              {UINT64_MAX, "ffffffffffffffff\r\n"}};
  for (const auto& [size, expected] : cases) {
    std::array<std::uint8_t, chunk_prefix_bytes_max> room{};
    std::uint8_t* const end = room.data() + room.size();
    const std::uint8_t* const begin = write_chunk_prefix_before(end, size);
    CHECK(as_text({begin, static_cast<std::size_t>(end - begin)}) == expected);
  }
}
