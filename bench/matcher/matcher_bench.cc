// Masking and pattern sets: ns per body, bytes per second. Bodies are restored
// before each pass, as masking writes into them; the copy is timed by itself.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "matcher/body_masker.h"
#include "matcher/pattern_set.h"

namespace {

using namespace sluice;
using namespace sluice::matcher;

std::string payment(bool has_matches, std::size_t size) {
  std::string body = "{\"payments\":[";
  for (std::size_t i = 0; body.size() + 330 < size || i == 0; ++i) {
    if (i > 0) body += ',';
    const bool matches = has_matches && i == 0;
    body += "{\"id\":\"pay_3NqZ8x2eZvKYlo2C" + std::to_string(1000 + i) +
            "\",\"created\":\"2026-11-21T10:15:30Z\",\"amount\":{\"currency\":\"EUR\",\"value\":"
            "1299.00},"
            "\"status\":\"captured\",\"card\":{\"brand\":\"visa\",\"number\":\"" +
            (matches ? "4111 1111 1111 1111" : "tok_visa_credit") +
            "\"},\"customer\":{\"name\":\"Ada Example\",\"email\":\"" +
            (matches ? "ada@example.com" : "none") + "\",\"phone\":\"" +
            (matches ? "+49 30 1234567" : "unlisted") +
            "\"},\"note\":\"thank you for your order, it ships tomorrow\"}";
  }
  return body + "]}";
}

std::shared_ptr<const MaskProgram> program_of(const std::vector<MaskRule>& rules) {
  static const std::string key(32, 'k');
  auto program = MaskProgram::compile(rules, as_bytes(key));
  if (!program) {
    std::fprintf(stderr, "%s\n", program.error().message.c_str());
    std::abort();
  }
  return *program;
}

std::vector<MaskRule> ten_rules() {
  std::vector<MaskRule> rules;
  for (const std::string_view name : builtin_names()) {
    rules.push_back({std::string(name),
                     {{Finder::Kind::builtin, std::string(name)}},
                     {Show::Kind::partial, 2, 2}});
  }
  rules.push_back(
      {"cvc", {{Finder::Kind::json_path, "$..cvc"}, {Finder::Kind::json_path, "$..cvv"}}, {}});
  return rules;
}

std::vector<MaskRule> with_expression() {
  auto rules = ten_rules();
  rules.push_back({"own", {{Finder::Kind::regex, "sk_live_[a-z0-9]{8,40}"}}, {}});
  return rules;
}

void mask_bodies(benchmark::State& state, const std::string& body, BodyKind kind,
                 const std::vector<MaskRule>& rules) {
  const auto program = program_of(rules);
  Scratch scratch;
  if (!scratch.prepare(*program)) std::abort();
  RuleSet active;
  active.set();
  std::vector<std::uint8_t> buffer(body.size() + readable_tail_bytes);
  auto masker = std::make_unique<BodyMasker>();
  for (auto _ : state) {
    std::memcpy(buffer.data(), body.data(), body.size());
    masker->start(*program, active, kind);
    std::size_t at = 0;
    while (at < body.size()) {
      const MaskStep step =
          masker->mask(ByteSpan(buffer).subspan(at, body.size() - at), true, scratch);
      if (step.is_malformed) std::abort();
      at += step.settled_bytes;
    }
    benchmark::DoNotOptimize(at);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void clean_json(benchmark::State& state) {
  mask_bodies(state, payment(false, static_cast<std::size_t>(state.range(0))), BodyKind::json,
              ten_rules());
}
/// What bench/proxy sends through the gateway as http-small: 200 bytes, spaced as Python
/// writes JSON.
void spaced_json(benchmark::State& state) {
  std::string body =
      R"({"id": "pay_000000000001", "amount": 12990, "currency": "EUR", "status": "settled", )"
      R"("note": ")";
  body.resize(198, 'n');
  mask_bodies(state, body + "\"}", BodyKind::json, ten_rules());
}
void three_matches(benchmark::State& state) {
  mask_bodies(state, payment(true, static_cast<std::size_t>(state.range(0))), BodyKind::json,
              ten_rules());
}
void clean_json_with_expression(benchmark::State& state) {
  mask_bodies(state, payment(false, static_cast<std::size_t>(state.range(0))), BodyKind::json,
              with_expression());
}
void clean_text(benchmark::State& state) {
  mask_bodies(state, payment(false, static_cast<std::size_t>(state.range(0))), BodyKind::text,
              ten_rules());
}
void json_without_rules(benchmark::State& state) {
  mask_bodies(state, payment(false, static_cast<std::size_t>(state.range(0))), BodyKind::json, {});
}
BENCHMARK(clean_json)->Arg(200)->Arg(1024)->Arg(16384)->Arg(1 << 20);
BENCHMARK(spaced_json);
BENCHMARK(three_matches)->Arg(1024)->Arg(16384);
BENCHMARK(clean_json_with_expression)->Arg(1024);
BENCHMARK(clean_text)->Arg(1024)->Arg(16384)->Arg(1 << 20);
BENCHMARK(json_without_rules)->Arg(1024);

// What an attacker would send: time must stay in proportion to size.
void hostile(benchmark::State& state, const std::string& unit, BodyKind kind) {
  std::string body = kind == BodyKind::json ? "\"" : "";
  while (body.size() < 1 << 20) body += unit;
  if (kind == BodyKind::json) body += '"';
  mask_bodies(state, body, kind, with_expression());
}
BENCHMARK_CAPTURE(hostile, digits, "4", BodyKind::text);
BENCHMARK_CAPTURE(hostile, spaced_digits, "4 ", BodyKind::text);
BENCHMARK_CAPTURE(hostile, at_signs, "a@", BodyKind::text);
BENCHMARK_CAPTURE(hostile, labels, "a@a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", BodyKind::text);
BENCHMARK_CAPTURE(hostile, token_starts, "eyJ.", BodyKind::text);
BENCHMARK_CAPTURE(hostile, bearers, "bearer ", BodyKind::text);
BENCHMARK_CAPTURE(hostile, colons, "1:", BodyKind::text);
BENCHMARK_CAPTURE(hostile, dots, "1.", BodyKind::text);
BENCHMARK_CAPTURE(hostile, key_starts, "AKIA ", BodyKind::text);
BENCHMARK_CAPTURE(hostile, iban_starts, "GB82 ", BodyKind::text);
BENCHMARK_CAPTURE(hostile, plus_signs, "+1", BodyKind::text);
BENCHMARK_CAPTURE(hostile, cards, "4111111111111111 ", BodyKind::text);
BENCHMARK_CAPTURE(hostile, escapes, "\\u0034", BodyKind::json);
BENCHMARK_CAPTURE(hostile, backslashes, "\\\\", BodyKind::json);

void hostile_json(benchmark::State& state, const std::string& unit) {
  std::string body = "[0";
  while (body.size() < 1 << 20) body += "," + unit;
  mask_bodies(state, body + "]", BodyKind::json, with_expression());
}
BENCHMARK_CAPTURE(hostile_json, deep, std::string(126, '[') + std::string(126, ']'));
BENCHMARK_CAPTURE(hostile_json, empty_strings, std::string("\"\""));
BENCHMARK_CAPTURE(hostile_json, numbers, std::string(1000, '4'));
BENCHMARK_CAPTURE(hostile_json, members, std::string("{\"cvc\":[]}"));

// What a gateway asks of every message: its path or host, and its head.
void short_text(benchmark::State& state, const std::string& text, BodyKind kind) {
  const auto program = program_of(ten_rules());
  Scratch scratch;
  if (!scratch.prepare(*program)) std::abort();
  RuleSet active;
  active.set();
  std::string out(256, ' ');
  const ByteSpan room(reinterpret_cast<std::uint8_t*>(out.data()), out.size());
  for (auto _ : state) {
    const std::size_t size =
        mask_text(*program, active, kind, {}, as_bytes(text), room, scratch, {});
    benchmark::DoNotOptimize(size);
  }
}
BENCHMARK_CAPTURE(short_text, host, "payments.example.com", BodyKind::text);
BENCHMARK_CAPTURE(short_text, path, "/v1/payments/pay_3NqZ8x2eZvKYlo2C/captures", BodyKind::text);
BENCHMARK_CAPTURE(short_text, query, "limit=20&starting_after=pay_3NqZ8x2e", BodyKind::form);

void head(benchmark::State& state, const std::string& server) {
  const auto program = program_of(ten_rules());
  Scratch scratch;
  if (!scratch.prepare(*program)) std::abort();
  RuleSet active;
  active.set();
  std::string text = "HTTP/1.1 200 OK\r\nServer: " + server +
                     "\r\nDate: Sat, 21 Nov 2026 10:15:30 GMT\r\nContent-Type: application/json\r\n"
                     "Content-Length: 923\r\nConnection: keep-alive\r\n"
                     "X-Request-Id: 6f1c9d8e0b7a4c55\r\n\r\n";
  const std::size_t size = text.size();
  text.resize(size + readable_tail_bytes);
  for (auto _ : state) {
    if (may_match_in_head(*program, active, as_bytes(text).first(size), scratch)) std::abort();
  }
}
BENCHMARK_CAPTURE(head, plain, "nginx");
BENCHMARK_CAPTURE(head, with_version, "nginx/1.22.1");

void patterns(benchmark::State& state) {
  std::vector<Pattern> list;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    list.push_back({"p", "^/v1/service" + std::to_string(i) + "/[^/]*/items/.*$", false});
  }
  const auto set = PatternSet::compile(list);
  Scratch scratch;
  if (!set || !scratch.prepare(**set)) std::abort();
  std::string path = "/v1/service7/abc/items/42";
  const std::size_t size = path.size();
  path.resize(size + readable_tail_bytes);
  for (auto _ : state) {
    const Hits hits = (*set)->scan(as_bytes(path).first(size), scratch);
    if (hits.size() != 1) std::abort();
    benchmark::DoNotOptimize(hits.data());
  }
}
BENCHMARK(patterns)->Arg(10)->Arg(1000)->Arg(10000);

}  // namespace

BENCHMARK_MAIN();
