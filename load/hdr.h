// What HdrHistogram's tools read: the percentile distribution (.hgrm) and the
// interval log.
//
// source   HdrHistogram 2.1: AbstractHistogram.outputPercentileDistribution,
//          AbstractHistogram.encodeIntoCompressedByteBuffer (V2),
//          HistogramLogWriter (format 1.3).
#pragma once

#include <string>

#include "base/instant.h"
#include "base/result.h"
#include "load/latency_histogram.h"

namespace sluice::load {

/// Values in milliseconds, five lines per halving of what is left above.
std::string percentile_distribution(const LatencyHistogram& latency);

/// The head of an interval log; times in its lines count from `base`.
std::string interval_log_head(WallTime base);
/// One line: begin and length of the interval, its maximum in milliseconds, its histogram.
std::string interval_log_line(Duration begin, Duration length, const LatencyHistogram& latency);

/// The histogram as base64 of a compressed V2 payload.
std::string encoded(const LatencyHistogram& latency);

}  // namespace sluice::load
