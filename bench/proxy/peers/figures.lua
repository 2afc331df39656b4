-- wrk prints no p99.9; this prints what figures.py reads.
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'wrk-figures {"requests":%d,"bytes":%d,"duration_us":%d,"p50_us":%.0f,"p99_us":%.0f,' ..
    '"p999_us":%.0f,"max_us":%.0f,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50),
    latency:percentile(99), latency:percentile(99.9), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
