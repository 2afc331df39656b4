#include "control/exposition.h"

#include <array>
#include <catch2/catch.hpp>

using sluice::Histogram;
using sluice::control::Exposition;
using sluice::control::Label;

TEST_CASE("a family's help and type come before its samples") {
  Exposition page;
  page.family("sluice_up", Exposition::Type::gauge, "Whether it runs.");
  page.sample({}, std::uint64_t{1});
  CHECK(page.text() ==
        "# HELP sluice_up Whether it runs.\n"
        "# TYPE sluice_up gauge\n"
        "sluice_up 1\n");
}

TEST_CASE("labels are escaped so that no value can forge a line") {
  Exposition page;
  page.family("sluice_x", Exposition::Type::counter, "back\\slash\nand \"quote\"");
  const std::array<Label, 2> labels{{{"target", "a\"b\\c\nd"}, {"worker", "0"}}};
  page.sample(labels, std::uint64_t{7});
  CHECK(page.text() ==
        "# HELP sluice_x back\\\\slash\\nand \"quote\"\n"
        "# TYPE sluice_x counter\n"
        "sluice_x{target=\"a\\\"b\\\\c\\nd\",worker=\"0\"} 7\n");
}

TEST_CASE("a histogram's buckets are cumulative seconds and end with the count") {
  Histogram latency;
  latency.record(60'000);
  latency.record(1'500'000);
  latency.record(90'000'000'000);
  Exposition page;
  page.family("sluice_request_seconds", Exposition::Type::histogram, "Time.");
  const std::array<Label, 1> labels{{{"target", "api"}}};
  page.histogram(labels, latency);

  const std::string& text = page.text();
  CHECK(text.find("sluice_request_seconds_bucket{target=\"api\",le=\"5e-05\"} 0\n") != text.npos);
  CHECK(text.find("sluice_request_seconds_bucket{target=\"api\",le=\"0.0001\"} 1\n") != text.npos);
  CHECK(text.find("sluice_request_seconds_bucket{target=\"api\",le=\"0.002\"} 2\n") != text.npos);
  CHECK(text.find("sluice_request_seconds_bucket{target=\"api\",le=\"60\"} 2\n") != text.npos);
  CHECK(text.find("sluice_request_seconds_bucket{target=\"api\",le=\"+Inf\"} 3\n") != text.npos);
  CHECK(text.find("sluice_request_seconds_count{target=\"api\"} 3\n") != text.npos);
}
