#include <catch2/catch.hpp>

#include "cases.h"

using namespace sluice;
using namespace sluice::testing;
using http1::Method;

namespace {

std::string fault_of(std::string_view stream, Method method = Method::get,
                     const http1::Limits& limits = {}) {
  return fault_in(response_steps(stream, method, limits));
}

}  // namespace

TEST_CASE("responses come out as head, data and end, one after another") {
  CHECK(response_steps("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                       "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nno\r\n0\r\nETag: x\r\n\r\n"
                       "HTTP/1.1 204\r\nConnection: close\r\n\r\n") ==
        "\nresponse 200 OK 1.1 body=length 5 keep-alive [Content-Length=5 known]"
        "\ndata hello"
        "\nend "
        "\nresponse 404 Not Found 1.1 body=chunked keep-alive [Transfer-Encoding=chunked known]"
        "\ndata no"
        "\nend [ETag=x]"
        "\nresponse 204  1.1 body=none [Connection=close known]"
        "\nend "
        "\nclose: malformed truncated");
}

TEST_CASE("interim heads come before the final one and have no end") {
  CHECK(response_steps("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                       Method::post) ==
        "\nresponse 100 Continue 1.1 body=none keep-alive "
        "\nresponse 103 Early Hints 1.1 body=none keep-alive [Link=a]"
        "\nresponse 200 OK 1.1 body=length 0 keep-alive [Content-Length=0 known]"
        "\nend "
        "\nclose: malformed truncated");
  std::string endless;
  for (int i = 0; i < 17; ++i) endless += "HTTP/1.1 102 \r\n\r\n";
  CHECK(fault_of(endless) == "too_many_interim");
}

TEST_CASE("a response's length follows from request, status and fields") {
  struct Case {
    std::string_view expected;
    Method method;
    std::string_view stream;
  };
  const Case cases[] = {
      {"body=none keep-alive", Method::head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
      {"body=none keep-alive", Method::head,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"body=none keep-alive", Method::head, "HTTP/1.1 200 OK\r\n\r\n"},
      {"body=none keep-alive", Method::get, "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n"},
      {"body=none keep-alive", Method::get, "HTTP/1.1 204 \r\nContent-Length: 0\r\n\r\n"},
      {"body=length 0 keep-alive", Method::get, "HTTP/1.1 205 \r\nContent-Length: 0\r\n\r\n"},
      {"body=until_close [", Method::get, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"},
      {"body=until_close ", Method::get, "HTTP/1.0 200 OK\r\n\r\n"},
      {"1.0 body=length 1 [", Method::get, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"},
      {"1.0 body=length 1 keep-alive [", Method::get,
       "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx"},
      {"\ndata the rest\nclose: end ", Method::get, "HTTP/1.1 200 OK\r\n\r\nthe rest"},
      {"200 caf\xE9 ok 1.1", Method::get, "HTTP/1.1 200 caf\xE9 ok\r\nContent-Length: 0\r\n\r\n"},
  };
  for (const Case& one : cases) {
    INFO(one.stream);
    CHECK_THAT(response_steps(one.stream, one.method), Catch::Contains(std::string(one.expected)));
  }
}

TEST_CASE("responses are refused when their start or length is doubtful") {
  const std::pair<std::string_view, std::string_view> refusals[] = {
      {"bad_status_line", "HTTP/1.1 99 x\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1 099 x\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1 600 x\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1 2000 x\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1 20x OK\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1  200 OK\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1\r\n\r\n"},
      {"bad_status_line", "http/1.1 200 OK\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1 200 O\rK\r\n\r\n"},
      {"bad_status_line", "HTTP/1.1 200 O\x01K\r\n\r\n"},
      {"bad_status_line", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
      {"bad_status_line", "<html>\r\n"},
      {"bad_version", "HTTP/2.0 200 OK\r\n\r\n"},
      {"bare_line_feed", "HTTP/1.1 200 OK\n\n"},
      {"unexpected_upgrade", "HTTP/1.1 101 x\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"},
      {"length_with_transfer_encoding",
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"unsupported_transfer_encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"},
      {"unsupported_transfer_encoding", "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"bad_content_length", "HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n"},
      {"bad_content_length", "HTTP/1.1 100 x\r\nContent-Length: 1\r\n\r\n"},
      {"repeated_content_length",
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
      {"transfer_encoding_in_http10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"obsolete_fold", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"},
      {"body_too_large", "HTTP/1.1 200 OK\r\nContent-Length: 17179869185\r\n\r\n"},
      {"bad_connection_option", "HTTP/1.1 200 OK\r\nConnection: content-length\r\n\r\n"},
  };
  for (const auto& [fault, stream] : refusals) {
    INFO(stream);
    CHECK(fault_of(stream) == fault);
  }
  CHECK(fault_of("HTTP/1.1 200 OK\r\n\r\n", Method::connect) == "unexpected_upgrade");
}

TEST_CASE("a close-delimited body has a limit too") {
  http1::Limits limits;
  limits.body_bytes_max = 4;
  CHECK_THAT(response_steps("HTTP/1.1 200 OK\r\n\r\n1234", Method::get, limits),
             Catch::EndsWith("\ndata 1234\nclose: end "));
  CHECK_THAT(response_steps("HTTP/1.1 200 OK\r\n\r\n12345", Method::get, limits),
             Catch::EndsWith("\ndata 1234\nmalformed body_too_large"));
}

TEST_CASE("bytes that no request asked for are refused, silence is not") {
  const http1::Limits limits;
  http1::FieldTable table;
  http1::ResponseDecoder decoder(limits);
  CHECK(decoder.is_idle());
  CHECK(decoder.decode({}, table).kind == http1::Step::Kind::needs_more);
  CHECK(decoder.on_close().kind == http1::Step::Kind::needs_more);
  for (int i = 0; i < 2; ++i) {
    const http1::Step step = decoder.decode(as_bytes("HTTP/1.1 200 OK\r\n\r\n"), table);
    CHECK(step.kind == http1::Step::Kind::malformed);
    CHECK(step.fault == http1::Fault::bad_status_line);
    decoder.expect(Method::get);  // does not revive it
  }
  CHECK(decoder.on_close().fault == http1::Fault::bad_status_line);
}

TEST_CASE("a target that closes inside a head is truncated") {
  const http1::Limits limits;
  http1::FieldTable table;
  http1::ResponseDecoder decoder(limits);
  decoder.expect(Method::get);
  CHECK(decoder.decode(as_bytes("HTTP/1.1 2"), table).kind == http1::Step::Kind::needs_more);
  CHECK(decoder.on_close().fault == http1::Fault::truncated);
}
