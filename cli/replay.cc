// sluice replay: what a recorded session did, for whoever can decrypt it.
#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/replay_event.h"
#include "cli/replay_source.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "recordings/replay_reader.h"

namespace sluice::cli {
namespace {

constexpr std::string_view file_prefix = "file:";

/// Whether any text of it holds the word.
bool holds(const ReplayEvent& event, std::string_view word) {
  const auto has = [word](const std::string& text) { return text.find(word) != text.npos; };
  return has(event.text) ||
         std::ranges::any_of(event.values,
                             [&](const auto& value) { return value && has(*value); }) ||
         std::ranges::any_of(event.fields, [&](const auto& field) { return has(field.second); });
}

/// Lets pass what holds a text, and before it what it belongs to.
class Search {
 public:
  explicit Search(std::string text) : text_(std::move(text)) {}

  void filter(const ReplayEvent& event, const ReplaySink& sink) {
    using Kind = ReplayEvent::Kind;
    if (text_.empty()) return sink(event);
    const bool begins = event.kind == Kind::statement || event.kind == Kind::request;
    const bool heads = event.kind == Kind::columns || event.kind == Kind::response;
    if (begins) before_.clear();
    if (!holds(event, text_)) {
      if (begins || heads) before_.push_back(event);
      return;
    }
    for (const ReplayEvent& one : std::exchange(before_, {})) sink(one);
    sink(event);
  }

 private:
  std::string text_;
  std::vector<ReplayEvent> before_;  ///< Not shown yet.
};

/// As long between two events as there was, divided by the speed.
class Pace {
 public:
  explicit Pace(double speed) : speed_(speed) {}

  void wait_for(WallTime time) {
    if (speed_ <= 0 || time.ns == 0) return;
    if (last_.ns != 0 && time > last_) {
      const double ns = static_cast<double>((time - last_).ns) / speed_;
      std::this_thread::sleep_for(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
    }
    last_ = time;
  }

 private:
  double speed_;
  WallTime last_;
};

Result<audit::AgeIdentity> identity_of(const ReplayOptions& options) {
  std::string path = options.identity;
  if (path.starts_with(file_prefix)) path.erase(0, file_prefix.size());
  return audit::AgeIdentity::load(path);
}

/// How sessions of a protocol are replayed.
struct Protocol {
  std::string_view id;  ///< As recordings name it.
  std::string_view name;
  std::unique_ptr<ReplayDecoder> (*decoder)();
};
constexpr std::array protocols{Protocol{"http", "HTTP", http_replay},
                               Protocol{"postgres", "PostgreSQL", postgres_replay}};

std::string title_of(const recordings::ReplayReader& reader, const Protocol& protocol) {
  const recordings::Subject& subject = reader.subject();
  return fmt::format(
      "{} session {} of {} on {} (target {}), {} to {}", protocol.name, subject.session,
      subject.principal.empty() ? "an anonymous client" : subject.principal, subject.listener,
      subject.target, timestamp_text(reader.first(), 3), timestamp_text(reader.last(), 3));
}

std::unique_ptr<ReplayPrinter> printer_for(const ReplayOptions& options) {
  WriteText write = [](std::string_view text) {
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
  };
  if (options.json) return json_printer(std::move(write));
  return options.asciicast ? asciicast_printer(std::move(write)) : text_printer(std::move(write));
}

/// from  what is shown begins there.
Result<void> replay(recordings::ReplayReader reader, const ReplayOptions& options, WallTime from) {
  const auto protocol = std::ranges::find(protocols, reader.subject().protocol, &Protocol::id);
  if (protocol == protocols.end()) {
    return fail(fmt::format("this sluice replays no sessions of {}", reader.subject().protocol));
  }
  const auto decoder = protocol->decoder();
  const auto printer = printer_for(options);
  printer->begin(title_of(reader, *protocol), std::max(from, reader.first()));
  Search search(options.search);
  Pace pace(options.speed);
  bool is_readable = true;
  const ReplaySink show = [&](const ReplayEvent& event) {
    pace.wait_for(event.time);
    printer->show(event);
    if (options.speed > 0) std::fflush(stdout);
  };
  auto read = std::move(reader).read([&](const recordings::Item& item) {
    is_readable = decoder->add(item, [&](const ReplayEvent& event) { search.filter(event, show); });
    // Nobody reads on where our pipe is closed.
    return is_readable && std::ferror(stdout) == 0;
  });
  printer->finish();
  if (!is_readable) return fail("an item of the recording is malformed");
  return read;
}

}  // namespace

ExitCode perform(const ReplayOptions& options) {
  const auto identity = identity_of(options);
  if (!identity) return complain("replay", identity.error().message, ExitCode::failed);
  auto source = replay_source(options);
  if (!source) return source.error();
  WallTime from;
  if (!options.at.empty() && !source->chunks.empty()) {
    const auto at = parse_time(options.at, source->chunks.front().first, true);
    if (!at) return complain("replay", "--at: " + at.error().message, ExitCode::usage);
    from = *at;
  }
  auto reader =
      recordings::ReplayReader::open(std::move(*source), options.recording, *identity, from);
  if (!reader) return complain("replay", reader.error().message, ExitCode::failed);
  if (auto done = replay(std::move(*reader), options, from); !done) {
    return complain("replay", done.error().message, ExitCode::failed);
  }
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return is_written ? ExitCode::ok : ExitCode::failed;
}

}  // namespace sluice::cli
