#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/replay_event.h"

using namespace sluice;
using namespace sluice::cli;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t begin_ns = 1'700'000'000'000'000'000;

ReplayEvent event(ReplayEvent::Kind kind, std::int64_t after_ms, const std::string& text) {
  ReplayEvent made;
  made.kind = kind;
  made.time = after_ms < 0 ? WallTime{} : WallTime{begin_ns + after_ms * 1'000'000};
  made.operation = 1;
  made.text = text;
  return made;
}

/// Each line, read as JSON.
std::vector<Json> cast_of(const std::vector<ReplayEvent>& events) {
  std::string out;
  const auto printer = asciicast_printer([&out](std::string_view text) { out += text; });
  printer->begin("HTTP session 7 of ann \xff", {begin_ns});
  for (const ReplayEvent& one : events) printer->show(one);
  printer->finish();
  std::vector<Json> lines;
  std::istringstream all(out);
  for (std::string line; std::getline(all, line);) lines.push_back(Json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE("An asciicast begins with its terminal, and shows what happened when it did") {
  using Kind = ReplayEvent::Kind;
  const auto lines = cast_of({event(Kind::request, 250, "GET /a HTTP/1.1\n"),
                              event(Kind::response_body, 1'500, "caf\xc3\xa9 \x1b[31m"),
                              event(Kind::statement, 2'000, "select ?")});
  REQUIRE(lines.size() == 5);
  CHECK(lines[0]["version"] == 2);
  CHECK(lines[0]["width"] > 0);
  CHECK(lines[0]["height"] > 0);
  CHECK(lines[0]["timestamp"] == begin_ns / 1'000'000'000);
  CHECK(lines[0]["title"] == "HTTP session 7 of ann \\xff");
  CHECK(lines[1] == Json::array({0.0, "o", "HTTP session 7 of ann \\xff\r\n"}));
  CHECK(lines[2] ==
        Json::array({0.25, "o", "2023-11-14T22:13:20.250Z [1] request\r\nGET /a HTTP/1.1\r\n"}));
  CHECK(lines[3] == Json::array({1.5, "o", "caf\u00e9 \\x1b[31m"}));
  CHECK(lines[4] == Json::array({2.0, "o", "\r\n2023-11-14T22:13:22.000Z [1] select ?\r\n"}));
}

TEST_CASE("Times of an asciicast never go back") {
  using Kind = ReplayEvent::Kind;
  const auto lines =
      cast_of({event(Kind::statement, 900, "a"), event(Kind::statement, -1, "what was before"),
               event(Kind::statement, 400, "b"), event(Kind::statement, 950, "c")});
  std::vector<double> times;
  for (std::size_t i = 1; i < lines.size(); ++i) times.push_back(lines[i][0]);
  CHECK(times == std::vector<double>{0, 0.9, 0.9, 0.9, 0.95});
}
