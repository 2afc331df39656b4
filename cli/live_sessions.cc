#include "cli/live_sessions.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace sluice::cli {
namespace {

using control::api::SessionQuery;
using control::api::SessionsPage;
using control::api::SessionView;
using dataplane::SessionState;
using dataplane::SessionSummary;

constexpr std::chrono::seconds patience{2};
/// Of a session's number, above its count: the worker that it lives on.
constexpr unsigned worker_shift = 48;

/// One answer from another thread, which may come after nobody waits any more.
template <class T>
class Reply {
 public:
  void give(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    given_.notify_one();
  }
  std::optional<T> wait() {
    std::unique_lock lock(mutex_);
    given_.wait_for(lock, patience, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<T> value_;
};

std::string_view text(SessionState state) noexcept {
  switch (state) {
    case SessionState::arriving:
      return "arriving";
    case SessionState::idle:
      return "idle";
    case SessionState::busy:
      return "busy";
    case SessionState::held:
      return "held";
    case SessionState::ending:
      return "ending";
  }
  return "ending";
}

std::optional<std::uint64_t> number_in(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Where a page begins: "worker-place".
struct Cursor {
  std::size_t worker = 0;
  std::uint32_t place = 0;
};

std::optional<Cursor> cursor_of(std::string_view text) {
  if (text.empty()) return Cursor{};
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto worker = number_in(text.substr(0, dash), 10);
  const auto place = number_in(text.substr(dash + 1), 10);
  if (!worker || !place || *place > UINT32_MAX) return std::nullopt;
  return Cursor{*worker, static_cast<std::uint32_t>(*place)};
}

bool is_wanted(const SessionSummary& session, const SessionQuery& query) {
  return (query.subject.empty() || session.subject == query.subject) &&
         (query.listener.empty() || session.listener == query.listener) &&
         (query.target.empty() || session.target == query.target);
}

Error no_answer() {
  return {"a worker does not answer: try again"};
}

}  // namespace

Result<SessionsPage> LiveSessions::list(const SessionQuery& query) const {
  auto at = cursor_of(query.after);
  if (!at) return fail("'after' is no `next` of a page");
  SessionsPage out;
  while (at->worker < gateway_.workers()) {
    const auto reply = std::make_shared<Reply<dataplane::SessionPage>>();
    gateway_.ask(at->worker, dataplane::SessionSurvey{
                                 .from = at->place, .answer = [reply](dataplane::SessionPage page) {
                                   reply->give(std::move(page));
                                 }});
    const auto page = reply->wait();
    if (!page) return tl::unexpected(no_answer());
    for (const SessionSummary& session : page->sessions) {
      if (is_wanted(session, query)) out.sessions.push_back(view_of(session));
    }
    at = page->next ? Cursor{at->worker, *page->next} : Cursor{at->worker + 1, 0};
    // Whole pages of workers: so the limit is one that may be exceeded by less than one of them.
    if (out.sessions.size() >= query.limit) break;
  }
  if (at->worker < gateway_.workers()) out.next = fmt::format("{}-{}", at->worker, at->place);
  return out;
}

Result<std::optional<SessionView>> LiveSessions::find(std::string_view id) const {
  return look_up(id, false);
}

Result<std::optional<SessionView>> LiveSessions::kill(std::string_view id) {
  return look_up(id, true);
}

LiveSessions::Found LiveSessions::look_up(std::string_view id, bool kill) const {
  const std::size_t dash = id.find('-');
  if (dash == id.npos) return std::nullopt;
  const auto epoch = number_in(id.substr(0, dash), 16);
  const auto session = number_in(id.substr(dash + 1), 10);
  if (!session || epoch != gateway_.epoch()) return std::nullopt;
  const auto reply = std::make_shared<Reply<std::optional<SessionSummary>>>();
  const bool is_asked = gateway_.ask(
      static_cast<std::size_t>(*session >> worker_shift),
      dataplane::SessionLookup{.session = *session,
                               .kill = kill,
                               .answer = [reply](std::optional<SessionSummary> summary) {
                                 reply->give(std::move(summary));
                               }});
  if (!is_asked) return std::nullopt;
  const auto answer = reply->wait();
  if (!answer) return tl::unexpected(no_answer());
  if (!*answer) return std::nullopt;
  return view_of(**answer);
}

SessionView LiveSessions::view_of(const SessionSummary& summary) const {
  return {.id = fmt::format("{:016x}-{}", gateway_.epoch(), summary.number),
          .since = summary.since,
          .protocol = summary.protocol == config::Protocol::http ? "http" : "postgres",
          .state = text(summary.state),
          .peer = summary.peer,
          .listener = summary.listener,
          .target = summary.target,
          .subject = summary.subject,
          .issuer = summary.issuer,
          .database = summary.database,
          .operations = summary.operations};
}

}  // namespace sluice::cli
