// What a statement costs before its verdict is known, and when it has to be analysed.
// Each case checks its output first.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sql/analysis.h"
#include "sql/shape.h"

namespace {

using namespace sluice;
using namespace sluice::sql;

constexpr FingerprintKey key(1, 2);

constexpr std::string_view pgbench_select =
    "SELECT abalance FROM pgbench_accounts WHERE aid = 6834175;";
constexpr std::string_view hundred_bytes =
    "SELECT id, name, email FROM customers WHERE region = 'eu-west' AND status IN (1, 2, 3) LIMIT "
    "50 "
    ";-- x";
static_assert(hundred_bytes.size() == 101);
constexpr std::string_view report =
    "WITH totals AS (SELECT o.customer_id, sum(o.amount) AS total, count(*) AS orders FROM orders "
    "o "
    "WHERE o.created_at >= '2026-01-01' AND o.state <> 'cancelled' GROUP BY o.customer_id) "
    "SELECT c.id, c.name, c.region, t.total, t.orders, CASE WHEN t.total > 10000 THEN 'gold' "
    "WHEN t.total > 1000 THEN 'silver' ELSE 'bronze' END AS tier FROM customers c "
    "JOIN totals t ON t.customer_id = c.id LEFT JOIN regions r ON r.code = c.region "
    "WHERE r.active AND c.email LIKE '%@example.com' ORDER BY t.total DESC, c.id LIMIT 100 OFFSET "
    "200";

std::string bulk_insert() {
  std::string text = "INSERT INTO payments (id, pan, amount) VALUES ";
  for (int i = 0; i < 1000; ++i) {
    text += i == 0 ? "(" : ", (";
    text += std::to_string(i) + ", '4111111111111111', 12.50)";
  }
  return text;
}

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench reference check failed: %s\n", what);
  std::abort();
}

void report_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.counters["bytes"] = static_cast<double>(bytes);
}

void lex(benchmark::State& state, const std::string& text, std::size_t expected) {
  const auto count = [&] {
    std::size_t tokens = 0;
    Lexer lexer(text);
    while (lexer.next().kind != TokenKind::end) ++tokens;
    return tokens;
  };
  expect(count() == expected, "tokens");
  for (auto _ : state) benchmark::DoNotOptimize(count());
  report_bytes(state, text.size());
}

void shape(benchmark::State& state, const std::string& text) {
  const Shape reference = shape_of(text, key);
  expect(!reference.is_malformed && reference.statements == 1, "one statement");
  expect(shape_of("/* padding */" + text, key).shape == reference.shape, "the same shape");
  expect(shape_of("x " + text, key).shape != reference.shape, "another shape");
  for (auto _ : state) benchmark::DoNotOptimize(shape_of(text, key));
  report_bytes(state, text.size());
}

void write_normalised(benchmark::State& state, const std::string& text, std::string_view begin) {
  std::array<char, 2048> out;
  const Normalised reference = normalise(text, out);
  expect(std::string_view(out.data(), reference.size).starts_with(begin), "normalised text");
  for (auto _ : state) {
    benchmark::DoNotOptimize(normalise(text, out));
    benchmark::ClobberMemory();
  }
  report_bytes(state, text.size());
}

void analysis(benchmark::State& state, const std::string& text, std::size_t relations) {
  const Result<Analysis> reference = analyse(text);
  expect(reference && reference->statements.size() == 1, "one statement");
  expect(reference->statements[0].relations.size() == relations, "its relations");
  for (auto _ : state) benchmark::DoNotOptimize(analyse(text));
  report_bytes(state, text.size());
}

BENCHMARK_CAPTURE(lex, pgbench_select, std::string(pgbench_select), 9);
BENCHMARK_CAPTURE(lex, hundred_bytes, std::string(hundred_bytes), 25);
BENCHMARK_CAPTURE(lex, bulk_insert, bulk_insert(), 8010);
BENCHMARK_CAPTURE(shape, pgbench_select, std::string(pgbench_select));
BENCHMARK_CAPTURE(shape, hundred_bytes, std::string(hundred_bytes));
BENCHMARK_CAPTURE(shape, report, std::string(report));
BENCHMARK_CAPTURE(shape, bulk_insert, bulk_insert());
BENCHMARK_CAPTURE(
    write_normalised, hundred_bytes, std::string(hundred_bytes),
    "select id, name, email from customers where region = ? and status in (?, ...) limit ?");
BENCHMARK_CAPTURE(write_normalised, bulk_insert, bulk_insert(),
                  "insert into payments(id, pan, amount) values (?, ?, ?), ...");
BENCHMARK_CAPTURE(analysis, pgbench_select, std::string(pgbench_select), 1);
BENCHMARK_CAPTURE(analysis, hundred_bytes, std::string(hundred_bytes), 1);
BENCHMARK_CAPTURE(analysis, report, std::string(report), 3);

}  // namespace

BENCHMARK_MAIN();
