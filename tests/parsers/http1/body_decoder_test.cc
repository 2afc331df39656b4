#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::testing;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view chunked_head =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What follows the head: payload, end and fault.
std::string chunked_steps(std::string_view body, const http1::Limits& limits = {}) {
  const std::string steps = request_steps(std::string(chunked_head).append(body), limits);
  return steps.substr(steps.find('\n', 1));
}

}  // namespace

TEST_CASE("chunk framing never shows") {
  CHECK(chunked_steps("0\r\n\r\n") == "\nend \nclose: idle");
  CHECK(chunked_steps("1\r\na\r\n1\r\nb\r\n000\r\n\r\n") == "\ndata ab\nend \nclose: idle");
  CHECK(chunked_steps("4;a=\"\xC2\"\r\nwxyz\r\n0\r\n\r\n") == "\nmalformed bad_chunk_extension");
  CHECK(chunked_steps("4;a=b \t;c\r\n\r\n\r\n\r\n0;d\r\nA: b\r\nC:\r\n\r\n") ==
        "\ndata \r\n\r\n\nend [A=b][C=]\nclose: idle");
  CHECK(chunked_steps("1\r\na\r\n") == "\ndata a\nclose: inside a message");
}

TEST_CASE("chunk framing is refused for each way of ending somewhere else") {
  const std::pair<std::string_view, std::string_view> refusals[] = {
      {"bad_chunk_size", "\r\n"},
      {"bad_chunk_size", "x\r\n"},
      {"bad_chunk_size", "0x1\r\n"},
      {"bad_chunk_size", "+1\r\n"},
      {"bad_chunk_size", " 1\r\n"},
      {"bad_chunk_size", "1 \r\n"},
      {"bad_chunk_size", "1\rx"},
      {"bad_chunk_size", ";a\r\n"},
      {"bad_chunk_size", "00000000000000001\r\n"},
      {"bad_chunk_size", "1;a\rb\r\n"},
      {"bad_chunk_extension", "1;\0\r\n"sv},
      {"bare_line_feed", "1\n"},
      {"bare_line_feed", "1;a\n"},
      {"bare_line_feed", "\n"},
      {"bare_line_feed", "1\r\na\n"},
      {"bad_chunk_end", "1\r\nab"},
      {"bad_chunk_end", "1\r\na\rb"},
      {"body_too_large", "ffffffffffffffff\r\n"},
      {"bare_line_feed", "0\r\n\n"},
      {"bad_field_name", "0\r\nA\r\n\r\n"},
      {"obsolete_fold", "0\r\nA: b\r\n c\r\n\r\n"},
      {"bad_trailer", "0\r\nContent-Length: 1\r\n\r\n"},
      {"bad_trailer", "0\r\nTRANSFER-ENCODING: chunked\r\n\r\n"},
      {"bad_trailer", "0\r\nA: b\r\nHost: a\r\n\r\n"},
      {"bad_trailer", "0\r\nauthorization: x\r\n\r\n"},
      {"bad_trailer", "0\r\nSet-Cookie: x\r\n\r\n"},
      {"bad_trailer", "0\r\nContent-Digest: x\r\n\r\n"},
  };
  for (const auto& [fault, body] : refusals) {
    INFO(body);
    CHECK(fault_in(chunked_steps(body)) == fault);
  }
}

TEST_CASE("limits of a body hold exactly, and before its bytes are awaited") {
  http1::Limits limits;
  limits.body_bytes_max = 16;
  limits.chunk_extension_bytes_max = 4;
  limits.trailer_bytes_max = 10;
  CHECK_THAT(chunked_steps("8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n", limits),
             Catch::Contains("\nend"));
  CHECK(fault_in(chunked_steps("8\r\n12345678\r\n9\r\n", limits)) == "body_too_large");
  CHECK_THAT(chunked_steps("1;abc\r\nx\r\n1;abc\r\nx\r\n0\r\n\r\n", limits),
             Catch::Contains("\nend"));
  CHECK(fault_in(chunked_steps("1;abcd", limits)) == "bad_chunk_extension");
  CHECK_THAT(chunked_steps("0\r\nA: bcd\r\n\r\n", limits), Catch::Contains("\nend [A=bcd]"));
  CHECK(fault_in(chunked_steps("0\r\nA: bcde\r\n\r\n", limits)) == "trailers_too_large");
  CHECK(fault_in(chunked_steps("0\r\nABCDEFGHIJ", limits)) == "trailers_too_large");
  limits.chunk_extension_bytes_max = 0;
  CHECK(fault_in(chunked_steps("1;", limits)) == "bad_chunk_extension");
  limits.trailer_bytes_max = 4096;
  limits.fields_max = 3;
  CHECK_THAT(chunked_steps("0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", limits),
             Catch::Contains("\nend ["));
  CHECK(fault_in(chunked_steps("0\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", limits)) ==
        "too_many_fields");
}

TEST_CASE("a body decoder alone ends once and goes on saying so") {
  const http1::Limits limits;
  http1::FieldTable table;
  http1::BodyDecoder body;
  body.start(http1::Framing::length, 3, limits);
  CHECK(body.decode({}, table).kind == http1::Step::Kind::needs_more);
  const http1::Step data = body.decode(as_bytes("abcd"), table);
  CHECK(as_text(data.data) == "abc");
  CHECK(data.size_bytes == 3);
  for (int i = 0; i < 3; ++i) {
    const http1::Step end = body.decode(as_bytes("d"), table);
    CHECK(end.kind == http1::Step::Kind::end);
    CHECK(end.size_bytes == 0);
  }
}

TEST_CASE("a stream that ends inside a body is truncated, unless the end is the framing") {
  const http1::Limits limits;
  http1::FieldTable table;
  const auto on_close_after = [&](http1::Framing framing, std::string_view bytes) {
    http1::BodyDecoder body;
    body.start(framing, 3, limits);
    for (ByteView in = as_bytes(bytes);;) {
      const http1::Step step = body.decode(in, table);
      in = in.subspan(step.size_bytes);
      if (step.kind != http1::Step::Kind::data) break;
    }
    const http1::Step closed = body.on_close();
    return closed.kind == http1::Step::Kind::end ? std::string_view("end") : text(closed.fault);
  };
  CHECK(on_close_after(http1::Framing::none, "") == "end");
  CHECK(on_close_after(http1::Framing::length, "ab") == "truncated");
  CHECK(on_close_after(http1::Framing::length, "abc") == "end");
  CHECK(on_close_after(http1::Framing::until_close, "") == "end");
  CHECK(on_close_after(http1::Framing::until_close, "abc") == "end");
  CHECK(on_close_after(http1::Framing::chunked, "") == "truncated");
  CHECK(on_close_after(http1::Framing::chunked, "1\r\na\r\n0\r\n") == "truncated");
  CHECK(on_close_after(http1::Framing::chunked, "1\r\na\r\n0\r\n\r\n") == "end");
}

TEST_CASE("what is left of a body with a length may go another way") {
  const http1::Limits limits;
  http1::FieldTable table;
  http1::BodyDecoder body;
  body.start(http1::Framing::length, 10, limits);
  CHECK(body.left_bytes() == 10);
  CHECK(body.decode(as_bytes("ab"), table).size_bytes == 2);
  body.skip(7);
  CHECK(body.left_bytes() == 1);
  const http1::Step last = body.decode(as_bytes("jk"), table);
  CHECK(last.kind == http1::Step::Kind::data);
  CHECK(as_text(last.data) == "j");
  CHECK(body.decode(as_bytes("k"), table).kind == http1::Step::Kind::end);
  for (const auto framing : {http1::Framing::chunked, http1::Framing::until_close}) {
    body.start(framing, 0, limits);
    CHECK(body.left_bytes() == 0);
  }
}
