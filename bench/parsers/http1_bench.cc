// What HTTP/1.1 costs per head and per byte. Each case checks its output first.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "parsers/http1/decoder.h"
#include "parsers/http1/encoder.h"
#include "parsers/http1/target.h"

namespace {

using namespace sluice;
using namespace sluice::http1;

constexpr std::string_view api_request =
    "POST /v1/payments/9f1c2d7e/capture?expand=card HTTP/1.1\r\n"
    "Host: payments.internal.example:8443\r\n"
    "User-Agent: settlement-worker/4.12.1 (linux; amd64) okhttp/4.10.0\r\n"
    "Accept: application/json\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 0\r\n"
    "X-Api-Key: sk_live_51H8x0aJ2eZvKYlo2C\r\n"
    "Idempotency-Key: 2f0c2e52-4bb0-4c2e-9a3b-f0d8a2c6f1de\r\n"
    "\r\n";

constexpr std::string_view browser_request =
    "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n"
    "Host: www.kittyhell.example\r\n"
    "User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) "
    "Gecko/20100401 Firefox/3.6.3\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip,deflate\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: wp_ozh_wsa_visits=2; session=b4a3f1d2c5e6; theme=dark; consent=all; "
    "region=eu-west-1\r\n"
    "\r\n";

constexpr std::string_view api_response =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.22.1\r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 0\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: no-store\r\n"
    "X-Request-Id: 7b0f3a52c1d94e0f\r\n"
    "\r\n";

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench reference check failed: %s\n", what);
  std::abort();
}

void report(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.counters["bytes"] = static_cast<double>(bytes);
}

void decode_request(benchmark::State& state, std::string_view bytes, std::size_t fields) {
  const Limits limits;
  FieldTable table;
  RequestDecoder decoder(limits);
  expect(decoder.decode(as_bytes(bytes), table).kind == Step::Kind::head, "head");
  expect(decoder.request().fields.size() == fields, "fields");
  expect(decoder.decode({}, table).kind == Step::Kind::end, "end");
  for (auto _ : state) {
    benchmark::DoNotOptimize(decoder.decode(as_bytes(bytes), table));
    benchmark::DoNotOptimize(decoder.decode({}, table));
    benchmark::ClobberMemory();
  }
  report(state, bytes.size());
}
BENCHMARK_CAPTURE(decode_request, api_8_fields, api_request, 8);
BENCHMARK_CAPTURE(decode_request, browser_7_fields, browser_request, 7);

void decode_response(benchmark::State& state) {
  const Limits limits;
  FieldTable table;
  ResponseDecoder decoder(limits);
  decoder.expect(Method::get);
  expect(decoder.decode(as_bytes(api_response), table).kind == Step::Kind::head, "head");
  expect(decoder.decode({}, table).kind == Step::Kind::end, "end");
  for (auto _ : state) {
    decoder.expect(Method::get);
    benchmark::DoNotOptimize(decoder.decode(as_bytes(api_response), table));
    benchmark::DoNotOptimize(decoder.decode({}, table));
    benchmark::ClobberMemory();
  }
  report(state, api_response.size());
}
BENCHMARK(decode_response);

void decode_chunked(benchmark::State& state) {
  const auto chunk_bytes = static_cast<std::size_t>(state.range(0));
  std::string body;
  std::size_t payload_bytes = 0;
  while (body.size() < 256 * 1024) {
    std::array<std::uint8_t, chunk_prefix_bytes_max> room{};
    std::uint8_t* const end = room.data() + room.size();
    const std::uint8_t* const begin = write_chunk_prefix_before(end, chunk_bytes);
    body.append(as_text({begin, static_cast<std::size_t>(end - begin)}));
    body.append(chunk_bytes, 'x').append("\r\n");
    payload_bytes += chunk_bytes;
  }
  body.append(last_chunk);

  const Limits limits;
  FieldTable table;
  const auto decode = [&] {
    BodyDecoder decoder;
    decoder.start(Framing::chunked, 0, limits);
    ByteView in = as_bytes(body);
    std::size_t found = 0;
    for (;;) {
      const Step step = decoder.decode(in, table);
      if (step.kind != Step::Kind::data) return step.kind == Step::Kind::end ? found : 0;
      found += step.data.size();
      in = in.subspan(step.size_bytes);
    }
  };
  expect(decode() == payload_bytes, "payload");
  for (auto _ : state) benchmark::DoNotOptimize(decode());
  report(state, body.size());
  state.counters["chunks"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(payload_bytes / chunk_bytes),
      benchmark::Counter::kIsRate);
}
BENCHMARK(decode_chunked)->Arg(16)->Arg(1024)->Arg(16 * 1024);

void normalise(benchmark::State& state, std::string_view target, std::string_view whole) {
  std::array<std::uint8_t, 256> scratch;
  const auto normalised = normalise_target(target, "h", Method::get, scratch);
  expect(normalised.fault == TargetFault::none, "target accepted");
  expect(normalised.target.whole == whole, "target");
  for (auto _ : state) {
    benchmark::DoNotOptimize(normalise_target(target, "h", Method::get, scratch));
    benchmark::ClobberMemory();
  }
  report(state, target.size());
}
BENCHMARK_CAPTURE(normalise, plain, "/v1/payments/9f1c2d7e/capture?expand=card",
                  "/v1/payments/9f1c2d7e/capture?expand=card");
BENCHMARK_CAPTURE(normalise, escaped, "/v1/./payments//9f1c%2d7e/x/../capture?expand=%63ard",
                  "/v1/payments/9f1c-7e/capture?expand=%63ard");

void encode_request(benchmark::State& state) {
  const Limits limits;
  FieldTable table;
  RequestDecoder decoder(limits);
  decoder.decode(as_bytes(api_request), table);
  const RequestHead& head = decoder.request();
  std::array<std::uint8_t, 4096> room;
  const auto encode = [&] {
    HeadWriter writer(room);
    writer.request_line(head.method_text, head.target);
    for (const Field& field : head.fields) writer.field(field.name, field.value);
    writer.finish();
    return writer.written();
  };
  expect(as_text(encode()) == api_request, "encoded");
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode().size());
    benchmark::ClobberMemory();
  }
  report(state, api_request.size());
}
BENCHMARK(encode_request);

}  // namespace

BENCHMARK_MAIN();
