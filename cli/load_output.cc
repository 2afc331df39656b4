#include "cli/load_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "load/hdr.h"

namespace sluice::cli {
LiveLine::LiveLine(bool is_quiet) : is_on_(!is_quiet && ::isatty(STDERR_FILENO) == 1) {}

void LiveLine::show(const load::Second& second) {
  if (!is_on_) return;
  fmt::print(stderr, "\r{}\x1b[K", load::second_text(second));
  std::fflush(stderr);
  is_shown_ = true;
}

void LiveLine::clear() {
  if (!is_shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  is_shown_ = false;
}

IntervalLog::IntervalLog(WallTime began) : text_(load::interval_log_head(began)) {}

void IntervalLog::add(const load::Second& second, const load::LatencyHistogram& latency) {
  if (second.number < 0) return;
  text_ += load::interval_log_line(seconds(second.number), seconds(1), latency);
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "w"), close);
  const bool is_written = file != nullptr &&
                          std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                          std::fflush(file.get()) == 0;
  if (!is_written) return fail(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
  return {};
}

load::Parameters parameters_of(const LoadOptions& options) {
  load::Parameters parameters{{"url", options.url},
                              {"connections", std::to_string(options.connections)},
                              {"threads", std::to_string(options.threads)},
                              {"warm-up", options.warmup}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters.emplace_back(name, value);
  };
  if (options.requests) {
    add("requests", std::to_string(*options.requests));
  } else if (options.rate_steps.empty()) {
    add("duration", options.duration);
  }
  add("rate", options.rate);
  add("rate steps", options.rate_steps);
  if (options.churn != 0) add("requests per connection", std::to_string(options.churn));
  if (options.mix.empty()) {
    add("method", options.method);
  } else {
    add("mix", options.mix);
    add("seed", std::to_string(options.seed));
  }
  return parameters;
}

}  // namespace sluice::cli
