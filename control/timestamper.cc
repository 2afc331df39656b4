#include "control/timestamper.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "audit/timestamps.h"
#include "base/timestamp.h"
#include "config/model/http_url.h"
#include "control/http.h"
#include "control/socket.h"

namespace sluice::control {
namespace {

constexpr Duration exchange_timeout = seconds(10);
constexpr Duration retry_pause = seconds(60);

Result<std::string> ask_authority(const std::string& authority, const std::string& query) {
  const auto url = config::parse_http_url(authority);
  if (!url) return fail(fmt::format("'{}' is no http:// URL", authority));
  const auto socket = connect_tcp(url->host, url->port, exchange_timeout);
  if (!socket) return tl::unexpected(socket.error());
  const auto reply = exchange(*socket, {.method = "POST",
                                        .target = url->path,
                                        .fields = {{"Content-Type", "application/timestamp-query"}},
                                        .body = query,
                                        .host = url->host});
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) {
    return fail(fmt::format("the authority answered with status {}", reply->status));
  }
  return reply->body;
}

}  // namespace

Timestamper::Timestamper(config::Timestamps settings, std::filesystem::path directory,
                         std::function<void(std::string_view, std::string_view)> note)
    : settings_(std::move(settings)), directory_(std::move(directory)), note_(std::move(note)) {
  if (settings_.authority.empty()) return;
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "timestamper");
}

Timestamper::~Timestamper() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Timestamper::run() {
  std::string last_failure;
  Duration pause = wait_left();
  std::unique_lock lock(mutex_);
  while (
      !stop_.wait_for(lock, std::chrono::nanoseconds(pause.ns), [this] { return is_stopping_; })) {
    lock.unlock();
    const auto stamped = stamp();
    if (stamped && !stamped->empty()) note_(audit::timestamped_event, *stamped);
    // The same failure again says nothing new.
    if (!stamped && stamped.error().message != last_failure) {
      note_("timestamp-failed", stamped.error().message);
    }
    last_failure = stamped ? std::string() : stamped.error().message;
    pause = stamped ? settings_.every : std::min(settings_.every, retry_pause);
    lock.lock();
  }
}

Duration Timestamper::wait_left() const {
  const auto kept = audit::kept_timestamps(directory_);
  if (!kept || kept->empty()) return {};
  const auto last =
      directory_ / audit::timestamps_folder / audit::timestamp_response_name(kept->back());
  std::error_code error;
  const auto written = std::filesystem::last_write_time(last, error);
  if (error) return {};
  const auto age = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::filesystem::file_time_type::clock::now() - written);
  return Duration{
      std::clamp<std::int64_t>(settings_.every.ns - age.count(), 0, settings_.every.ns)};
}

Result<std::string> Timestamper::stamp() {
  const auto note = audit::read_stable_file(directory_ / audit::checkpoint_name);
  if (!note) return tl::unexpected(note.error());
  if (!*note) return fail("there is no checkpoint");
  const auto parsed = audit::parse_checkpoint(**note);
  if (!parsed) return tl::unexpected(parsed.error());
  const std::uint64_t records = parsed->checkpoint.size;
  const auto kept = audit::kept_timestamps(directory_);
  if (!kept) return tl::unexpected(kept.error());
  if (!kept->empty() && kept->back() >= records) return std::string();

  const auto query = audit::timestamp_query(**note);
  if (!query) return tl::unexpected(query.error());
  auto response = ask_authority(settings_.authority, *query);
  if (!response) return response;
  const auto time = audit::read_timestamp(*response, **note, *query);
  if (!time) return tl::unexpected(time.error());
  auto done = audit::keep_timestamp(directory_, {records, **note, std::move(*response)});
  if (!done) return tl::unexpected(done.error());
  return fmt::format("{} records, at {} by {}", records, timestamp_text(*time),
                     settings_.authority);
}

}  // namespace sluice::control
