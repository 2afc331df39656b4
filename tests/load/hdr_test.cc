#include "load/hdr.h"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <random>

#include "base/text_codec.h"

using namespace sluice;
using load::LatencyHistogram;

namespace {

LatencyHistogram sample() {
  LatencyHistogram latency;
  for (const std::int64_t ns :
       {1'000, 1'000, 1'500'000, 2'000'000, 2'000'000, 3'500'000, 7'000'000, 1'000'000'000}) {
    latency.record({ns});
  }
  return latency;
}

/// The payload of a compressed histogram; how well it is compressed is the writer's choice.
std::vector<std::uint8_t> inflated(std::string_view text) {
  const auto bytes = from_base64(text).value();
  REQUIRE(to_hex(std::span(bytes).first(4)) == "1c849314");
  const auto size = std::size_t{bytes[4]} << 24 | std::size_t{bytes[5]} << 16 |
                    std::size_t{bytes[6]} << 8 | std::size_t{bytes[7]};
  REQUIRE(size == bytes.size() - 8);
  std::vector<std::uint8_t> payload(4096);
  uLongf payload_size = payload.size();
  REQUIRE(::uncompress(payload.data(), &payload_size, bytes.data() + 8, size) == Z_OK);
  payload.resize(payload_size);
  return payload;
}

}  // namespace

TEST_CASE("the percentile distribution is what HdrHistogram prints for the same values") {
  CHECK(load::percentile_distribution(sample()) ==
        R"(       Value     Percentile TotalCount 1/(1-Percentile)

       0.001 0.000000000000          2           1.00
       0.001 0.100000000000          2           1.11
       0.001 0.200000000000          2           1.25
       1.500 0.300000000000          3           1.43
       2.001 0.400000000000          5           1.67
       2.001 0.500000000000          5           2.00
       2.001 0.550000000000          5           2.22
       2.001 0.600000000000          5           2.50
       3.500 0.650000000000          6           2.86
       3.500 0.700000000000          6           3.33
       3.500 0.750000000000          6           4.00
       7.000 0.775000000000          7           4.44
       7.000 0.800000000000          7           5.00
       7.000 0.825000000000          7           5.71
       7.000 0.850000000000          7           6.67
       7.000 0.875000000000          7           8.00
    1000.342 0.887500000000          8           8.89
    1000.342 1.000000000000          8
#[Mean    =      127.010, StdDeviation   =      329.996]
#[Max     =     1000.342, Total count    =            8]
#[Buckets =           32, SubBuckets     =         2048]
)");
}

TEST_CASE("an empty histogram has an empty distribution") {
  const std::string text = load::percentile_distribution({});
  CHECK(text.find("Total count    =            0") != std::string::npos);
  CHECK(text.find("nan") == std::string::npos);
}

TEST_CASE("a distribution's last line has all values, however many there are") {
  std::mt19937_64 random(3);
  LatencyHistogram latency;
  for (int i = 0; i < 100'000; ++i) latency.record({static_cast<std::int64_t>(random() >> 30)});
  const std::string text = load::percentile_distribution(latency);
  const std::size_t last = text.find("1.000000000000     100000\n");
  REQUIRE(last != std::string::npos);
  CHECK(text.find('#') == last + 26);
}

TEST_CASE("the encoded histogram has a V2 header and the counts that the JavaScript port writes") {
  // Cookie, size of the counts, index offset, digits, lowest, highest, ratio as a double.
  constexpr std::size_t header_bytes = 40;
  const auto own = inflated(load::encoded(sample()));
  CHECK(to_hex(std::span(own).first(header_bytes)) ==
        "1c84931300000013000000000000000300000000000000010000034630b8a0003ff0000000000000");
  // What hdr-histogram-js writes for the same values. Its offset and ratio are its own.
  const auto theirs = inflated(
      "HISTFAAAADd4nJNpmSzMwMAAwowMDAzMDBDAyMDA7GawYwEDjH+en2Xuckam8+wsk3mY/vIzdRczAQDB4Qjj");
  CHECK(to_hex(std::span(own).subspan(header_bytes)) ==
        to_hex(std::span(theirs).subspan(header_bytes)));
}

TEST_CASE("an interval log has a head and a line for each interval") {
  CHECK(load::interval_log_head({1'763'740'800'500'000'000}) ==
        "#[Histogram log format version 1.3]\n"
        "#[BaseTime: 1763740800.500 (seconds since epoch)]\n"
        "#[StartTime: 1763740800.500 (seconds since epoch), 2025-11-21T16:00:00Z]\n"
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_"
        "Histogram\"\n");
  const std::string line = load::interval_log_line(seconds(3), seconds(1), sample());
  CHECK(line == "3.000,1.000,1000.000," + load::encoded(sample()) + "\n");
}
