#include "load/html.h"

#include <catch2/catch.hpp>

#include "load/plot.h"

using namespace sluice;
using load::Plot;
using load::Report;

namespace {

std::size_t times(std::string_view page, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = page.find(word); at != page.npos; at = page.find(word, at + 1)) ++count;
  return count;
}

Report open_loop() {
  Report report;
  report.elapsed = seconds(3);
  report.figures.completed = 300;
  report.steps = {{.step = {100, seconds(3)}}};
  for (std::int64_t i = 1; i <= 300; ++i) {
    report.latency.record({i * 10'000});
    report.figures.service.record({i * 9'000});
  }
  for (std::int64_t i = 0; i < 3; ++i) {
    report.seconds.push_back(
        {.number = i, .due_per_second = 100, .completed = 100, .p50 = 1'500'000});
  }
  return report;
}

}  // namespace

TEST_CASE("a page has three plots, the figures, the parameters, and asks nobody for anything") {
  const std::string page =
      load::report_html(open_loop(), {{"url", "http://h/?a=<b>&c"}, {"connections", "7"}});
  CHECK(times(page, "<svg") == 3);
  CHECK(times(page, "<svg") == times(page, "</svg>"));
  CHECK(page.find("http://h/?a=&lt;b&gt;&amp;c") != std::string::npos);
  CHECK(page.find("<td>7</td>") != std::string::npos);
  CHECK(page.find("100 requests per second for 3.0 s") != std::string::npos);
  for (const char* outside : {"src=", "href=", "url(", "@import", "<script"}) {
    CAPTURE(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("inf") == std::string::npos);
}

TEST_CASE("a page of an empty run and one with faults are whole") {
  const std::string empty = load::report_html({}, {});
  CHECK(times(empty, "<svg") == 3);
  CHECK(empty.find("nan") == std::string::npos);
  CHECK(empty.find("class=\"bad\"") == std::string::npos);

  Report faulty = open_loop();
  faulty.check_names = {"pay: status"};
  faulty.figures.failed_checks = {4};
  faulty.figures.unanswered = 2;
  faulty.figures.read_errors = 1;
  CHECK(times(load::report_html(faulty, {}), "class=\"bad\"") == 3);
}

TEST_CASE("a plot puts its ends at its edges and the largest value below its top") {
  const Plot plot{.title = "T & U",
                  .unit = "µs",
                  .lines = {{"a", {{0, 0}, {10, 40}}}},
                  .x_ticks = {{0, "begin"}, {10, "end"}}};
  const std::string svg = plot_svg(plot);
  CHECK(svg.find("T &amp; U, µs") != std::string::npos);
  // 40 needs five steps of 10: it lies at four fifths of the height.
  CHECK(svg.find("points=\"70.0,266.0 840.0,80.4 \"") != std::string::npos);
  CHECK(svg.find(">50</text>") != std::string::npos);
  CHECK(svg.find(">begin</text>") != std::string::npos);
}
