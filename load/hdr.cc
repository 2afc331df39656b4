#include "load/hdr.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "base/assert.h"
#include "base/text_codec.h"
#include "base/timestamp.h"

namespace sluice::load {
namespace {

constexpr double ns_per_ms = 1e6;
constexpr double ticks_per_half = 5;
constexpr std::uint32_t v2_cookie = 0x1c849303 | 0x10;
constexpr std::uint32_t v2_compressed_cookie = 0x1c849304 | 0x10;

using Bytes = std::vector<std::uint8_t>;

/// Network byte order.
template <class Number>
void append_number(Bytes& out, Number number) {
  for (std::size_t byte = sizeof number; byte-- > 0;) {
    out.push_back(static_cast<std::uint8_t>(number >> (8 * byte)));
  }
}

/// ZigZag LEB128, in which HdrHistogram gives the ninth byte all its eight bits.
void append_zigzag(Bytes& out, std::int64_t value) {
  std::uint64_t rest =
      (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  for (int byte = 0; byte < 8 && rest >= 0x80; ++byte) {
    out.push_back(static_cast<std::uint8_t>(rest | 0x80));
    rest >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(rest));
}

/// Counts in order of value; a run of zeros is its negated length.
Bytes encoded_counts(const LatencyHistogram& latency) {
  Bytes counts;
  std::int64_t zeros = 0;
  for (std::size_t i = 0; i < latency.end(); ++i) {
    const std::uint64_t count = latency.count_at(i);
    if (count == 0) {
      ++zeros;
      continue;
    }
    if (zeros == 1) append_zigzag(counts, 0);
    if (zeros > 1) append_zigzag(counts, -zeros);
    zeros = 0;
    append_zigzag(counts, static_cast<std::int64_t>(count));
  }
  return counts;
}

Bytes v2_payload(const LatencyHistogram& latency) {
  const Bytes counts = encoded_counts(latency);
  Bytes payload;
  append_number(payload, v2_cookie);
  append_number(payload, static_cast<std::uint32_t>(counts.size()));
  append_number(payload, std::uint32_t{0});  // normalizing index offset
  append_number(payload, static_cast<std::uint32_t>(LatencyHistogram::significant_digits));
  append_number(payload, std::uint64_t{1});  // lowest discernible value
  append_number(payload, LatencyHistogram::highest_value);
  append_number(payload, std::bit_cast<std::uint64_t>(1.0));  // integer to double
  payload.insert(payload.end(), counts.begin(), counts.end());
  return payload;
}

Bytes deflated(const Bytes& in) {
  uLongf size = ::compressBound(in.size());
  Bytes out(size);
  const int status = ::compress(out.data(), &size, in.data(), in.size());
  ASSERT(status == Z_OK);  // the room suffices, and memory is not handled elsewhere either
  out.resize(size);
  return out;
}

double in_ms(std::uint64_t ns) noexcept {
  return static_cast<double>(ns) / ns_per_ms;
}

}  // namespace

std::string percentile_distribution(const LatencyHistogram& latency) {
  std::string page;
  const auto out = std::back_inserter(page);
  fmt::format_to(out, "{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount",
                 "1/(1-Percentile)");
  const auto total = static_cast<double>(latency.count());
  std::uint64_t seen = 0;
  double level = 0;  // the percentile that the next line is for
  for (std::size_t i = 0; i < latency.end(); ++i) {
    if (latency.count_at(i) == 0) continue;
    seen += latency.count_at(i);
    const double value = in_ms(LatencyHistogram::highest_at(i));
    while (100.0 * static_cast<double>(seen) / total >= level && level < 100) {
      fmt::format_to(out, "{:12.3f} {:2.12f} {:10} {:14.2f}\n", value, level / 100, seen,
                     1 / (1 - level / 100));
      const double halvings = std::floor(std::log2(100 / (100 - level))) + 1;
      level += 100 / (ticks_per_half * std::exp2(halvings));
      if (seen == latency.count()) break;
    }
  }
  if (latency.count() != 0) {
    fmt::format_to(out, "{:12.3f} {:2.12f} {:10}\n",
                   in_ms(LatencyHistogram::highest_at(latency.end() - 1)), 1.0, seen);
  }
  fmt::format_to(out, "#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n",
                 latency.mean() / ns_per_ms, latency.deviation() / ns_per_ms);
  fmt::format_to(out, "#[Max     = {:12.3f}, Total count    = {:12}]\n",
                 latency.count() == 0 ? 0 : in_ms(LatencyHistogram::highest_at(latency.end() - 1)),
                 latency.count());
  fmt::format_to(out, "#[Buckets = {:12}, SubBuckets     = {:12}]\n", LatencyHistogram::buckets,
                 LatencyHistogram::sub_buckets);
  return page;
}

std::string interval_log_head(WallTime base) {
  const std::int64_t base_ms = base.ns / 1'000'000;
  const double base_s = static_cast<double>(base_ms) / 1e3;
  return fmt::format(
      "#[Histogram log format version 1.3]\n"
      "#[BaseTime: {:.3f} (seconds since epoch)]\n"
      "#[StartTime: {:.3f} (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      base_s, base_s, timestamp_text(base));
}

std::string interval_log_line(Duration begin, Duration length, const LatencyHistogram& latency) {
  return fmt::format("{:.3f},{:.3f},{:.3f},{}\n", static_cast<double>(begin.ns) / 1e9,
                     static_cast<double>(length.ns) / 1e9, in_ms(latency.max()), encoded(latency));
}

std::string encoded(const LatencyHistogram& latency) {
  const Bytes payload = deflated(v2_payload(latency));
  Bytes bytes;
  append_number(bytes, v2_compressed_cookie);
  append_number(bytes, static_cast<std::uint32_t>(payload.size()));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return to_base64(bytes);
}

}  // namespace sluice::load
