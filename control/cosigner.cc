#include "control/cosigner.h"

#include <fmt/format.h>
#include <pthread.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <set>

#include "audit/consistency.h"
#include "audit/file.h"
#include "audit/segment.h"
#include "audit/segment_log.h"
#include "base/text_codec.h"
#include "config/model/http_url.h"
#include "control/http.h"
#include "control/socket.h"

namespace sluice::control {
namespace {

constexpr std::chrono::seconds pause{10};
constexpr Duration exchange_timeout = seconds(10);

std::string addition(std::uint64_t old_size, const audit::ConsistencyProof& proof,
                     const std::string& note) {
  std::string body = fmt::format("old {}\n", old_size);
  for (const audit::Hash& hash : proof.hashes) body += to_base64(hash) + '\n';
  return body + '\n' + note;
}

Result<HttpReply> post(const std::string& address, const std::string& body) {
  const auto url = config::parse_http_url(address);
  if (!url) return fail(fmt::format("'{}' is no http:// URL", address));
  const auto socket = connect_tcp(url->host, url->port, exchange_timeout);
  if (!socket) return tl::unexpected(socket.error());
  const std::string folder = url->path == "/" ? "" : url->path;
  return exchange(
      *socket,
      {.method = "POST", .target = folder + "/add-checkpoint", .body = body, .host = url->host});
}

std::optional<std::uint64_t> size_in(std::string_view body) {
  std::uint64_t size = 0;
  const auto [end, bad] = std::from_chars(body.data(), body.data() + body.size(), size);
  if (bad != std::errc{} || std::string_view(end, body.data() + body.size()) != "\n") {
    return std::nullopt;
  }
  return size;
}

}  // namespace

Cosigner::~Cosigner() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<void> Cosigner::prove_start() {
  if (auto done = check_cosigned(); !done) return done;
  std::error_code ignored;  // a log that is yet to be made continues nothing
  if (!std::filesystem::exists(directory_ / audit::checkpoint_name, ignored)) return {};
  const auto missing = round();
  return missing ? Result<void>() : tl::unexpected(missing.error());
}

void Cosigner::start(Note note) {
  note_ = std::move(note);
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "cosigner");
}

void Cosigner::run() {
  std::string last;
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, pause, [this] { return is_stopping_; })) {
    lock.unlock();
    const auto missing = round();
    const std::string now = missing ? *missing : missing.error().message;
    if (now != last) note_(now.empty() ? "cosigned" : "cosignature-missing", now);
    last = now;
    lock.lock();
  }
}

/// The log has, and continues, what enough witnesses saw when it was last shown.
Result<void> Cosigner::check_cosigned() const {
  const auto kept = audit::read_small_file(directory_ / audit::cosigned_name);
  if (!kept) return tl::unexpected(kept.error());
  if (!*kept) return {};
  const auto cosigned = audit::parse_cosigned(**kept);
  if (!cosigned) return tl::unexpected(cosigned.error());
  const audit::Checkpoint& seen = cosigned->log.checkpoint;
  const auto proof = audit::prove_consistency(directory_, seen.size, seen.size);
  if (proof && proof->root_before == seen.root) return {};
  return fail(
      fmt::format("the log does not continue the {} records that witnesses saw", seen.size));
}

Result<std::string> Cosigner::round() {
  const auto note = audit::read_stable_file(directory_ / audit::checkpoint_name);
  if (!note) return tl::unexpected(note.error());
  const auto parsed = audit::parse_checkpoint(note->value_or(""));
  if (!parsed) return tl::unexpected(parsed.error());
  std::set<std::string> seen_by;
  std::string lines;
  std::string missing;
  for (const auto& witness : policy_.witnesses()) {
    const auto line = ask(witness, **note, *parsed);
    if (line) {
      lines += *line;
      seen_by.insert(witness.name);
    } else {
      missing +=
          fmt::format("{}{}: {}", missing.empty() ? "" : "; ", witness.name, line.error().message);
    }
  }
  if (!policy_.is_enough(seen_by)) return fail("not enough witnesses: " + missing);
  if (seen_by.empty()) return missing;
  const auto kept =
      audit::replace_file(audit::real_disk(), directory_ / audit::cosigned_name, **note + lines);
  if (!kept) return tl::unexpected(kept.error());
  return missing;
}

Result<std::string> Cosigner::ask(const audit::WitnessPolicy::Witness& witness,
                                  const std::string& note,
                                  const audit::SignedCheckpoint& checkpoint) {
  const std::uint64_t size = checkpoint.checkpoint.size;
  // Once more when the witness is elsewhere than we thought.
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::uint64_t& old_size = seen_[witness.name];
    if (old_size > size) {
      return fail(fmt::format("it saw {} records, and the log has {}: the log was rolled back",
                              old_size, size));
    }
    const auto proof = old_size == 0 ? Result<audit::ConsistencyProof>(audit::ConsistencyProof{})
                                     : audit::prove_consistency(directory_, old_size, size);
    if (!proof) return tl::unexpected(proof.error());
    const auto reply = post(witness.url, addition(old_size, *proof, note));
    if (!reply) return tl::unexpected(reply.error());
    if (reply->status == 200) {
      if (!witness.key.check(checkpoint.signed_text, reply->body)) {
        return fail("its answer is not signed by its key");
      }
      old_size = size;
      return reply->body;
    }
    const auto known = size_in(reply->body);
    if (reply->status != 409 || !known) {
      return fail(fmt::format("status {}: {}", reply->status, reply->body));
    }
    if (*known == old_size) return fail("it saw another log with as many records");
    old_size = *known;
  }
  return fail("it saw other checkpoints meanwhile");
}

}  // namespace sluice::control
