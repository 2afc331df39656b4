#include "cli/packing.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "audit/record_filter.h"
#include "audit/segment.h"
#include "audit/utf8.h"
#include "base/timestamp.h"
#include "cli/times.h"
#include "cli/unhurried.h"

namespace sluice::cli {
namespace {

using control::api::EvidenceQuestion;
using Clock = std::chrono::steady_clock;

constexpr std::size_t piece_bytes = 256 << 10;
constexpr std::chrono::minutes sending_time_min{10};
constexpr std::uint64_t sent_per_second = 1 << 20;

/// As the manifest writes times, so that text order is time order.
std::string bound_text(WallTime time) {
  constexpr std::size_t decimals = 9;
  return timestamp_text(time, decimals);
}

Result<std::string> witness_policy_of(const std::string& path) {
  if (path.empty()) return std::string();
  auto text = audit::read_small_file(path);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return fail(path + " is missing");
  return std::move(**text);
}

/// What is shown of the range.
class Shown {
 public:
  explicit Shown(audit::RecordQuery query) : filter_(std::move(query)) {}

  bool operator()(const audit::RecordFields& record) {
    const bool is_wanted = filter_.wants(record);
    if (record.recording.empty() || !is_wanted) {
      return is_wanted || recorded_.contains(record.recording);
    }
    recorded_.emplace(record.recording);
    return true;
  }

 private:
  audit::RecordFilter filter_;
  /// What tells of a recording is shown with the operations that are in it.
  std::set<std::string, std::less<>> recorded_;
};

/// Why a package that is being made is not finished.
class Patience {
 public:
  Patience(const std::atomic<bool>& is_ending, std::function<bool()> is_awaited)
      : is_ending_(is_ending), is_awaited_(std::move(is_awaited)) {}

  Result<void> operator()() {
    if (is_ending_) return fail("the gateway ends");
    const auto now = Clock::now();
    if (now >= end_) return fail("it took longer than ten minutes: ask for less");
    if (now < look_) return {};
    look_ = now + look_every;
    if (is_awaited_ && !is_awaited_()) return fail("nobody waits for it any more");
    return {};
  }

 private:
  static constexpr std::chrono::milliseconds look_every{100};

  const std::atomic<bool>& is_ending_;
  std::function<bool()> is_awaited_;
  Clock::time_point end_ = Clock::now() + std::chrono::nanoseconds(Packing::time_max.ns);
  Clock::time_point look_ = Clock::now();
};
static_assert(Packing::time_max == seconds(600));  // as it says

/// The log needs the disk more.
std::uint64_t bytes_for(const std::filesystem::path& folder) {
  struct ::statvfs disk {};
  if (::statvfs(folder.empty() ? "." : folder.c_str(), &disk) != 0) return 0;
  return std::min<std::uint64_t>(Packing::bytes_max,
                                 static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize / 2);
}

/// turn   kept as long as there is something to send, and time to: the next one wants it, too.
control::HttpStream stream_of(evidence::NamelessFile made, std::shared_ptr<void> turn) {
  const std::uint64_t bytes = made.bytes();
  const auto end = Clock::now() + sending_time_min + std::chrono::seconds(bytes / sent_per_second);
  return {.pieces = [file = std::make_shared<evidence::NamelessFile>(std::move(made)),
                     turn = std::move(turn), end,
                     at = std::uint64_t{0}]() mutable -> std::optional<std::string> {
            if (Clock::now() >= end) return std::nullopt;
            auto piece = file->read(at, piece_bytes);
            if (!piece || piece->empty()) return std::nullopt;
            at += piece->size();
            return std::move(*piece);
          },
          .bytes = bytes};
}

}  // namespace

Result<evidence::PackageOptions> package_options(const config::Settings& settings,
                                                 const EvidenceQuestion& question, WallTime now) {
  if (!audit::is_utf8(question.subject) || !audit::is_utf8(question.target)) {
    return fail("subjects and targets are text in UTF-8");
  }
  evidence::PackageOptions package;
  package.directory = settings.audit.directory;
  package.made = now;
  if (question.from) package.from = bound_text(*question.from);
  if (question.until) package.until = bound_text(*question.until);
  // The range is a matter of its own: its ends are shown whatever their times.
  audit::RecordQuery query;
  query.subject = question.subject;
  query.target = question.target;
  query.session = question.session;
  if (!query.subject.empty()) package.filter.emplace_back("principal", query.subject);
  if (!query.target.empty()) package.filter.emplace_back("target", query.target);
  if (query.session) package.filter.emplace_back("session", std::to_string(*query.session));
  package.wants = Shown(std::move(query));
  if (settings.recordings && question.has_recordings) {
    package.recordings = settings.recordings->directory;
  }
  package.recipients = question.recipients;
  auto policy = witness_policy_of(settings.audit.witness_policy);
  if (!policy) return tl::unexpected(policy.error());
  package.witness_policy = std::move(*policy);
  return package;
}

control::api::Outcome<control::HttpStream> Packing::make(const config::Settings& settings,
                                                         const EvidenceQuestion& question) {
  using control::api::refuse;
  if (is_taken_->exchange(true)) {
    return refuse(503, "another package is being made, or fetched: try again");
  }
  const std::shared_ptr<void> turn(nullptr, [taken = is_taken_](void*) { *taken = false; });
  auto package = package_options(settings, question, wall_now());
  if (!package) return refuse(503, package.error().message);
  package->place.folder = settings.audit.directory;
  package->place.bytes_max = bytes_for(package->place.folder);
  package->place.goes_on = Patience(is_ending_, question.is_awaited);
  std::optional<Result<evidence::MadePackage>> made;
  run_unhurried([&] { made.emplace(evidence::make_package(*package, signer_)); });
  if (*made) return stream_of(std::move((*made)->file), turn);
  return refuse(is_ending_ ? 503 : 409, made->error().message);
}

}  // namespace sluice::cli
