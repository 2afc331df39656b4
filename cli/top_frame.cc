#include "cli/top_frame.h"

#include <algorithm>
#include <cmath>

namespace sluice::cli {
namespace {

/// Of counters that began anew there is no difference: what they have is what came.
double grown(double before, double now) {
  return now >= before ? now - before : now;
}

template <class Map>
double value_in(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

template <class Map>
Map grown_by_key(const Map& before, const Map& now) {
  Map out;
  for (const auto& [key, value] : now) out[key] = grown(value_in(before, key), value);
  return out;
}

/// Within the bucket that holds it, in proportion, as Prometheus' histogram_quantile has it.
/// What is beyond the last bound counts as that bound.
double quantile(const Figures::Buckets& buckets, double share) {
  const double all = buckets.empty() ? 0 : buckets.rbegin()->second;
  if (all <= 0) return 0;
  const double wanted = all * share;
  double lower = 0, below = 0;
  for (const auto& [bound, count] : buckets) {
    if (count >= wanted) {
      if (std::isinf(bound)) return lower;
      return count == below ? bound : lower + (bound - lower) * (wanted - below) / (count - below);
    }
    lower = bound;
    below = count;
  }
  return lower;
}

std::string text_of(std::string_view text) {
  return std::string(text);
}

}  // namespace

Figures figures_of(const std::vector<Sample>& samples) {
  Figures out;
  // Some are counted by worker: they are added up.
  const std::map<std::string_view, double Figures::*> plain{
      {"sluice_start_time_seconds", &Figures::started_s},
      {"sluice_configuration_generation", &Figures::configuration},
      {"sluice_client_connections", &Figures::clients},
      {"sluice_upstream_connections", &Figures::upstreams},
      {"sluice_holds", &Figures::holds},
      {"sluice_body_bytes_in_total", &Figures::bytes_in},
      {"sluice_body_bytes_out_total", &Figures::bytes_out},
      {"sluice_masks_applied_total", &Figures::masked},
      {"sluice_audit_records_total", &Figures::records}};
  for (const Sample& sample : samples) {
    if (const auto known = plain.find(sample.name); known != plain.end()) {
      out.*known->second += sample.value;
    } else if (sample.name == "sluice_draining") {
      out.is_draining = sample.value != 0;
    } else if (sample.name == "sluice_audit_failed") {
      out.has_log_failed = sample.value != 0;
    } else if (sample.name == "sluice_requests_total") {
      out.rulings[text_of(sample.label("ruling"))] += sample.value;
    } else if (sample.name == "sluice_holds_total") {
      out.held[text_of(sample.label("result"))] += sample.value;
    } else if (sample.name == "sluice_request_duration_seconds_bucket") {
      if (const auto bound = sample_value(sample.label("le"))) {
        out.latencies[text_of(sample.label("target"))][*bound] += sample.value;
      }
    } else if (sample.name == "sluice_denials_total") {
      out.denials[{text_of(sample.label("target")), text_of(sample.label("rule"))}] += sample.value;
    }
  }
  return out;
}

TopFrame frame_of(const Figures& before, const Figures& now, Duration between) {
  const Figures nothing;
  const Figures& then = before.started_s == now.started_s ? before : nothing;
  TopFrame out;
  out.now = now;
  out.seconds = std::max(static_cast<double>(between.ns) / 1e9, 1e-3);
  const auto rate = [&](double Figures::*value) {
    return grown(then.*value, now.*value) / out.seconds;
  };
  out.bytes_in = rate(&Figures::bytes_in);
  out.bytes_out = rate(&Figures::bytes_out);
  out.masked = rate(&Figures::masked);
  out.records = rate(&Figures::records);
  out.held = grown_by_key(then.held, now.held);
  out.rulings = grown_by_key(then.rulings, now.rulings);
  for (auto& [ruling, count] : out.rulings) count /= out.seconds;
  for (const auto& [target, buckets] : now.latencies) {
    const auto known = then.latencies.find(target);
    const auto grew =
        grown_by_key(known == then.latencies.end() ? Figures::Buckets() : known->second, buckets);
    out.targets.push_back({target, (grew.empty() ? 0 : grew.rbegin()->second) / out.seconds,
                           quantile(grew, 0.5), quantile(grew, 0.99)});
  }
  for (const auto& [key, total] : now.denials) {
    const double grew = grown(value_in(then.denials, key), total);
    out.denials.push_back({key.first, key.second, grew / out.seconds, total});
  }
  std::ranges::stable_sort(out.denials, [](const DenialRow& a, const DenialRow& b) {
    return std::pair(a.per_second, a.total) > std::pair(b.per_second, b.total);
  });
  return out;
}

}  // namespace sluice::cli
