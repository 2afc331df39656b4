#include <catch2/catch.hpp>
#include <set>

#include "cases.h"

using namespace sluice;
using namespace sluice::testing;
using namespace std::string_view_literals;

namespace {

std::string fault_of(std::string_view stream, const http1::Limits& limits = {}) {
  return fault_in(request_steps(stream, limits));
}

struct Refusal {
  std::string_view fault;
  std::string_view stream;
};

void check(std::span<const Refusal> refusals) {
  for (const Refusal& refusal : refusals) {
    INFO(refusal.stream);
    CHECK(fault_of(refusal.stream) == refusal.fault);
  }
}

}  // namespace

TEST_CASE("requests come out as head, data and end, one after another") {
  CHECK(request_steps("GET /v1/a?b=c HTTP/1.1\r\nHost: api\r\nAccept:  */* \t\r\n\r\n"
                      "POST /b HTTP/1.1\r\nhost:api:8080\r\nContent-Length: 5\r\n\r\nhello"
                      "DELETE * HTTP/1.1\r\nHost: [::1]:443\r\n\r\n") ==
        "\nrequest 0 GET /v1/a?b=c 1.1 host=api body=none keep-alive [Host=api known][Accept=*/*]"
        "\nend "
        "\nrequest 2 POST /b 1.1 host=api:8080 body=length 5 keep-alive [host=api:8080 known]"
        "[Content-Length=5 known]"
        "\ndata hello"
        "\nend "
        "\nrequest 4 DELETE * 1.1 host=[::1]:443 body=none keep-alive [Host=[::1]:443 known]"
        "\nend "
        "\nclose: idle");
}

TEST_CASE("chunked bodies come out as their payload, with trailers at the end") {
  CHECK(request_steps("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                      "5\r\nhello\r\n00A;name=\"v\"\r\n, world...\r\n0;last\r\n"
                      "Server-Timing: x\r\nEtag:\r\n\r\n"
                      "GET / HTTP/1.1\r\nHost: a\r\n\r\n") ==
        "\nrequest 3 PUT / 1.1 host=a body=chunked keep-alive [Host=a known]"
        "[Transfer-Encoding=Chunked known]"
        "\ndata hello, world..."
        "\nend [Server-Timing=x][Etag=]"
        "\nrequest 0 GET / 1.1 host=a body=none keep-alive [Host=a known]"
        "\nend "
        "\nclose: idle");
}

TEST_CASE("what the client wants of the connection follows version and options") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "none ["},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, CLOSE\r\n\r\n", "none ["},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: , Keep-Alive ,\r\n\r\n", "none keep-alive ["},
      {"GET / HTTP/1.0\r\n\r\n", "host= body=none "},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "host= body=none keep-alive ["},
      {"GET http://h:1/a HTTP/1.0\r\n\r\n", "1.0 host=h:1 body=none"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\nx",
       "length 1 keep-alive continue ["},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
       "length 0 keep-alive ["},
      {"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx", "length 1 ["},
      {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
       "keep-alive upgrade ["},
      {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", "keep-alive ["},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "request 8 CONNECT a:443 1.1"},
      {"FROB / HTTP/1.1\r\nHost: a\r\n\r\n", "request 9 FROB / 1.1"},
      {"PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", "request 9 PURGE / 1.1"},
  };
  for (const auto& [stream, expected] : cases) {
    INFO(stream);
    CHECK_THAT(request_steps(stream), Catch::Contains(std::string(expected)));
  }
}

TEST_CASE("fields that a Connection option names are marked for this hop") {
  CHECK_THAT(request_steps("GET / HTTP/1.1\r\nX-Hop: 1\r\nConnection: x-hop, close\r\nHost: a\r\n"
                           "X-End: 2\r\nx-HOP: 3\r\n\r\n"),
             Catch::Contains("[X-Hop=1 hop]") && Catch::Contains("[X-End=2]") &&
                 Catch::Contains("[x-HOP=3 hop]"));
}

TEST_CASE("one empty line before a request is forgiven, a second is not") {
  CHECK_THAT(
      request_steps("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
      Catch::EndsWith("\nend \nclose: idle"));
  CHECK(fault_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == "bad_request_line");
  CHECK(fault_of("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n") == "bad_request_line");
  CHECK(fault_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == "bare_line_feed");
}

TEST_CASE("request lines are refused for anything but method, target and version") {
  const Refusal refusals[] = {
      {"bad_request_line", "GET /\r\n\r\n"},
      {"bad_request_line", "GET  / HTTP/1.1\r\n\r\n"},
      {"bad_request_line", "GET /  HTTP/1.1\r\n\r\n"},
      {"bad_request_line", "GET / HTTP/1.1 \r\n\r\n"},
      {"bad_request_line", "GET / http/1.1\r\n\r\n"},
      {"bad_request_line", "GET / HTTP/11\r\n\r\n"},
      {"bad_request_line", "GET / HTTP/1.1\rX\n\r\n"},
      {"bad_request_line", "GET\r\n\r\n"},
      {"bad_method", " GET / HTTP/1.1\r\n\r\n"},
      {"bad_method", "G(T / HTTP/1.1\r\n\r\n"},
      {"bad_method", "GET\t/ HTTP/1.1\r\n\r\n"},
      {"bad_method", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n"},
      {"bad_target", "GET /\t HTTP/1.1\r\n\r\n"},
      {"bad_target", "GET /\x01 HTTP/1.1\r\n\r\n"},
      {"bad_target", "GET /caf\xC3\xA9 HTTP/1.1\r\n\r\n"},
      {"bad_version", "GET / HTTP/2.0\r\n\r\n"},
      {"bad_version", "GET / HTTP/1.2\r\n\r\n"},
      {"bad_version", "GET / HTTP/0.9\r\n\r\n"},
      {"bad_version", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"bare_line_feed", "GET / HTTP/1.1\n\n"},
      {"bare_line_feed", "GET /\n"},
  };
  check(refusals);
}

TEST_CASE("field lines are refused for each way of saying two things") {
  const Refusal refusals[] = {
      {"bare_line_feed", "GET / HTTP/1.1\r\nHost: a\n\r\n"},
      {"bare_line_feed", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"obsolete_fold", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"},
      {"obsolete_fold", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"},
      {"space_before_colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
      {"bad_field_name", "GET / HTTP/1.1\r\n: a\r\n\r\n"},
      {"bad_field_name", "GET / HTTP/1.1\r\nHo(st: a\r\n\r\n"},
      {"bad_field_name", "GET / HTTP/1.1\r\nHost\r\n\r\n"},
      {"bad_field_name", "GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n"},
      {"bad_field_value", "GET / HTTP/1.1\r\nA: \0\r\n\r\n"sv},
      {"bad_field_value", "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n"},
      {"bad_field_value", "GET / HTTP/1.1\r\nA: \x7F\r\n\r\n"},
      {"missing_host", "GET / HTTP/1.1\r\n\r\n"},
      {"repeated_host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"bad_host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
      {"repeated_content_length",
       "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"},
      {"bad_content_length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"},
      {"length_with_transfer_encoding",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
      {"unsupported_transfer_encoding",
       "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
      {"transfer_encoding_in_http10", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"bad_connection_option", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n"},
      {"bad_expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: other\r\n\r\n"},
      {"body_too_large", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 17179869185\r\n\r\n"},
  };
  check(refusals);
}

TEST_CASE("limits hold exactly, and before more bytes are awaited") {
  http1::Limits limits;
  limits.head_bytes_max = 60;
  limits.target_bytes_max = 10;
  limits.fields_max = 2;
  limits.body_bytes_max = 8;
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";  // 28 bytes, 4 to come
  CHECK_THAT(request_steps(head + std::string(28, 'x') + "\r\n\r\n", limits),
             Catch::Contains("\nend"));
  CHECK(fault_of(head + std::string(29, 'x') + "\r\n\r\n", limits) == "head_too_large");
  CHECK(fault_of(head + std::string(32, 'x'), limits) == "head_too_large");
  CHECK_THAT(fault_of(head + std::string(31, 'x'), limits), Catch::EndsWith("close: idle"));

  CHECK_THAT(request_steps("GET /234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits),
             Catch::Contains("\nend"));
  CHECK(fault_of("GET /2345678901 HTTP/1.1\r\nHost: a\r\n\r\n", limits) == "target_too_long");
  CHECK(fault_of("GET /" + std::string(60, 'a'), limits) == "target_too_long");

  CHECK_THAT(request_steps("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n", limits),
             Catch::Contains("\nend"));
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\n\r\n", limits) == "too_many_fields");

  CHECK_THAT(
      request_steps("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678", limits),
      Catch::Contains("\nend"));
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", limits) ==
        "body_too_large");

  limits.fields_max = 1000;  // more than a table holds
  limits.head_bytes_max = 16 * 1024;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < http1::fields_max; ++i) many += "X: y\r\n";
  CHECK_THAT(request_steps(many + "\r\n", limits), Catch::Contains("\nend"));
  CHECK(fault_of(many + "X: y\r\n\r\n", limits) == "too_many_fields");
}

TEST_CASE("a refusal does not wait for the end of the head") {
  http1::FieldTable table;
  const http1::Limits limits;
  for (const std::string_view stream : {"GET\n"sv, "G\x01"sv, "GET / HTTP/1.1\r\nHost : a\r"sv,
                                        "\x16\x03\x01"sv, "GET / HTTP/1.1\r\n\0"sv}) {
    http1::RequestDecoder decoder(limits);
    CHECK(decoder.decode(as_bytes(stream), table).kind == http1::Step::Kind::malformed);
  }
}

TEST_CASE("an unfinished head uses no bytes, and one that grew is read on") {
  const http1::Limits limits;
  http1::FieldTable table;
  http1::RequestDecoder decoder(limits);
  const std::string_view stream = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < stream.size(); ++size) {
    const http1::Step step = decoder.decode(as_bytes(stream.substr(0, size)), table);
    CHECK(step.kind == http1::Step::Kind::needs_more);
    CHECK(step.size_bytes == 0);
    CHECK(decoder.is_idle());
  }
  CHECK(decoder.decode(as_bytes(stream), table).size_bytes == stream.size());
  CHECK_FALSE(decoder.is_idle());
  CHECK(decoder.decode({}, table).kind == http1::Step::Kind::end);
  CHECK(decoder.is_idle());
}

TEST_CASE("every fault has a name and a status of its own kind") {
  CHECK(http1::status_of(http1::Fault::bad_version) == 505);
  CHECK(http1::status_of(http1::Fault::target_too_long) == 414);
  CHECK(http1::status_of(http1::Fault::head_too_large) == 431);
  CHECK(http1::status_of(http1::Fault::too_many_fields) == 431);
  CHECK(http1::status_of(http1::Fault::body_too_large) == 413);
  CHECK(http1::status_of(http1::Fault::unsupported_transfer_encoding) == 501);
  CHECK(http1::status_of(http1::Fault::bad_expectation) == 417);
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(http1::Fault::truncated); ++i) {
    const auto fault = static_cast<http1::Fault>(i);
    names.insert(http1::text(fault));
    CHECK(http1::status_of(fault) >= 400);
  }
  CHECK(names.size() == static_cast<std::size_t>(http1::Fault::truncated) + 1);
  CHECK(names.count("unknown") == 0);
}
