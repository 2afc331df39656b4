// What PostgreSQL's messages cost. Each case checks its output first.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "parsers/postgres/backend.h"
#include "parsers/postgres/data_row_cutter.h"
#include "parsers/postgres/frontend.h"
#include "parsers/postgres/header.h"
#include "parsers/postgres/writer.h"

namespace {

using namespace sluice;
using namespace sluice::postgres;

constexpr std::size_t row_columns = 10;
constexpr std::string_view row_value = "0123456789ab";

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench reference check failed: %s\n", what);
  std::abort();
}

void report(benchmark::State& state, std::size_t bytes, std::size_t messages) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.counters["messages"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(messages),
                         benchmark::Counter::kIsRate);
}

/// What a server answers to one small prepared SELECT, over and over.
std::string answers(std::size_t count) {
  std::array<std::uint8_t, 256> room;
  Writer writer(room);
  writer.empty(BackendType::bind_complete);
  writer.data_row_head(1, 2 + 4 + 4);
  writer.value_head(4);
  std::string one(as_text(writer.written()));
  one += "1234";
  Writer end(room);
  end.command_complete("SELECT 1");
  end.ready_for_query(TransactionStatus::idle);
  expect(!writer.failed() && !end.failed(), "written");
  one += as_text(end.written());
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += one;
  return out;
}

void decode_headers(benchmark::State& state) {
  constexpr std::size_t answers_count = 100;
  const std::string stream = answers(answers_count);
  const auto count = [&] {
    std::size_t messages = 0;
    for (ByteView in = as_bytes(stream); !in.empty();) {
      const HeaderStep step = decode_header(Side::backend, in);
      if (step.kind != HeaderStep::Kind::header) break;
      in = in.subspan(step.header.message_bytes());
      ++messages;
    }
    return messages;
  };
  expect(count() == 4 * answers_count, "messages");
  for (auto _ : state) benchmark::DoNotOptimize(count());
  report(state, stream.size(), 4 * answers_count);
}
BENCHMARK(decode_headers);

std::string body_of(std::string_view message) {
  return std::string(message.substr(header_bytes));
}

/// pgbench's SELECT, prepared: one parameter, one Execute, one Sync.
void decode_bind_execute_sync(benchmark::State& state) {
  using namespace std::string_view_literals;
  const std::string stream(
      "B\0\0\0\x1A\0P0_3\0\0\0\0\1\0\0\0\x06"
      "123456\0\0"
      "E\0\0\0\x09\0\0\0\0\0"
      "S\0\0\0\x04"sv);
  struct Seen {
    std::size_t messages = 0;
    std::size_t parameter_bytes = 0;
    std::string_view statement;
  };
  const auto read = [&] {
    Seen seen;
    for (ByteView in = as_bytes(stream); !in.empty(); ++seen.messages) {
      const HeaderStep step = decode_header(Side::frontend, in);
      if (step.kind != HeaderStep::Kind::header) break;
      const ByteView body = in.subspan(header_bytes, step.header.body_bytes);
      if (step.header.frontend() == FrontendType::bind) {
        const auto bind = decode_bind(body);
        if (!bind) break;
        seen.statement = bind->statement;
        for (const Value& value : bind->parameters)
          seen.parameter_bytes += value ? value->size() : 0;
      } else if (step.header.frontend() == FrontendType::execute) {
        if (!decode_execute(body)) break;
      }
      in = in.subspan(step.header.message_bytes());
    }
    return seen;
  };
  const Seen seen = read();
  expect(seen.messages == 3 && seen.parameter_bytes == 6 && seen.statement == "P0_3", "messages");
  for (auto _ : state) benchmark::DoNotOptimize(read().parameter_bytes);
  report(state, stream.size(), 3);
}
BENCHMARK(decode_bind_execute_sync);

std::string row() {
  constexpr std::size_t body_bytes = 2 + row_columns * (4 + row_value.size());
  std::string out;
  std::array<std::uint8_t, 16> room;
  const auto put = [&](auto write) {
    Writer writer(room);
    write(writer);
    expect(!writer.failed(), "written");
    out += as_text(writer.written());
  };
  put([](Writer& writer) { writer.data_row_head(row_columns, body_bytes); });
  for (std::size_t i = 0; i < row_columns; ++i) {
    put([](Writer& writer) { writer.value_head(std::uint32_t{row_value.size()}); });
    out += row_value;
  }
  return out;
}

/// Checks a row and looks at each of its values.
void walk_row_of_10(benchmark::State& state) {
  const std::string body = body_of(row());
  const auto walk = [&] {
    std::size_t bytes = 0;
    const auto values = decode_data_row(as_bytes(body));
    if (!values) return bytes;
    for (const Value& value : *values) bytes += value ? value->size() : 0;
    return bytes;
  };
  expect(walk() == row_columns * row_value.size(), "values");
  for (auto _ : state) benchmark::DoNotOptimize(walk());
  report(state, body.size(), 1);
}
BENCHMARK(walk_row_of_10);

/// The same value by value, as a row that may be larger than its buffer is read.
void cut_row_of_10(benchmark::State& state) {
  const std::string body = body_of(row());
  DataRowCutter cutter;
  const auto cut = [&] {
    std::size_t bytes = 0;
    cutter.start(static_cast<std::uint32_t>(body.size()));
    for (ByteView in = as_bytes(body);;) {
      const RowStep step = cutter.decode(in);
      if (step.kind != RowStep::Kind::value) break;
      bytes += step.piece.size();
      in = in.subspan(step.size_bytes);
    }
    return bytes;
  };
  expect(cut() == row_columns * row_value.size(), "values");
  expect(cutter.columns() == row_columns, "columns");
  for (auto _ : state) benchmark::DoNotOptimize(cut());
  report(state, body.size(), 1);
}
BENCHMARK(cut_row_of_10);

void write_refusal(benchmark::State& state) {
  std::array<std::uint8_t, 512> room;
  const auto write = [&] {
    Writer writer(room);
    writer.error_response({.code = "42501",
                           .message = "permission denied by policy",
                           .detail = "rule no-ssn, record 018f3c2e",
                           .hint = "ask the data team"});
    writer.ready_for_query(TransactionStatus::idle);
    return writer.failed() ? ByteSpan{} : writer.written();
  };
  const ByteView written = write();
  const HeaderStep step = decode_header(Side::backend, written);
  const auto read = decode_report(written.subspan(header_bytes, step.header.body_bytes));
  expect(read && read->find('C') == "42501", "code");
  const std::size_t size = written.size();
  for (auto _ : state) {
    benchmark::DoNotOptimize(write().size());
    benchmark::ClobberMemory();
  }
  report(state, size, 2);
}
BENCHMARK(write_refusal);

}  // namespace

BENCHMARK_MAIN();
