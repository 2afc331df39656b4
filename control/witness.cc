#include "control/witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "audit/checkpoint.h"
#include "audit/consistency.h"
#include "audit/file.h"
#include "audit/segment.h"
#include "audit/segment_log.h"
#include "base/text_codec.h"

namespace sluice::control {
namespace {

constexpr std::size_t proof_hashes_max = 63;  // as the protocol has it
constexpr std::string_view size_type = "text/x.tlog.size";

HttpReply refusal(int status, std::string_view why) {
  return {.status = status, .body = fmt::format("{}\n", why)};
}

HttpReply conflict(std::uint64_t size) {
  return {.status = 409, .content_type = std::string(size_type), .body = fmt::format("{}\n", size)};
}

std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> parse_old(std::string_view line) {
  constexpr std::string_view word = "old ";
  if (!line.starts_with(word)) return std::nullopt;
  line.remove_prefix(word.size());
  std::uint64_t size = 0;
  const auto [end, bad] = std::from_chars(line.data(), line.data() + line.size(), size);
  const bool is_canonical = line.size() == 1 || !line.starts_with('0');
  if (bad != std::errc{} || end != line.data() + line.size() || !is_canonical) return std::nullopt;
  return size;
}

}  // namespace

struct Witness::Addition {
  std::uint64_t old_size = 0;
  std::vector<audit::Hash> proof;
  std::string note;
  audit::SignedCheckpoint parsed;

  /// nothing   the body is not what the protocol says.
  static std::optional<Addition> parse(std::string_view body) {
    Addition out;
    const auto first = take_line(body);
    const auto old_size = first ? parse_old(*first) : std::nullopt;
    if (!old_size) return std::nullopt;
    out.old_size = *old_size;
    for (auto line = take_line(body);; line = take_line(body)) {
      if (!line) return std::nullopt;
      if (line->empty()) break;
      const auto hash = from_base64(*line);
      if (!hash || hash->size() != sizeof(audit::Hash) || out.proof.size() == proof_hashes_max) {
        return std::nullopt;
      }
      std::ranges::copy(*hash, out.proof.emplace_back().begin());
    }
    auto parsed = audit::parse_checkpoint(body);
    if (!parsed) return std::nullopt;
    out.note = body;
    out.parsed = std::move(*parsed);
    return out;
  }
};

Result<std::unique_ptr<Witness>> Witness::open(Options options) {
  std::error_code error;
  std::filesystem::create_directories(options.state, error);
  if (error) {
    return fail(fmt::format("cannot create {}: {}", options.state.string(), error.message()));
  }
  std::unique_ptr<Witness> witness(new Witness(std::move(options)));
  for (audit::Verifier& key : witness->options_.logs) {
    const audit::Hash name = audit::sha256(as_bytes(key.origin()));
    Log log{std::move(key), witness->options_.state / (to_hex(name) + ".checkpoint"), {}};
    log.newest.root = audit::Tree{}.root();
    const auto note = audit::read_small_file(log.file);
    if (!note) return tl::unexpected(note.error());
    if (*note) {
      const auto parsed = audit::parse_checkpoint(**note);
      const auto genuine = parsed ? parsed->check(log.key) : tl::unexpected(parsed.error());
      // What it has seen it must not forget: without its state a witness is none.
      if (!genuine) {
        return fail(fmt::format("{}: {}", log.file.string(), genuine.error().message));
      }
      log.newest = parsed->checkpoint;
    }
    witness->logs_.push_back(std::move(log));
  }
  return witness;
}

HttpReply Witness::answer(const HttpRequest& request) {
  if (request.target != "/add-checkpoint") return refusal(404, "there is /add-checkpoint only");
  if (request.method != "POST") return refusal(405, "checkpoints are posted");
  const auto addition = Addition::parse(request.body);
  if (!addition) return refusal(400, "expected old SIZE, a proof, an empty line and a checkpoint");
  const std::lock_guard lock(mutex_);
  const auto log = std::ranges::find_if(logs_, [&](const Log& known) {
    return known.key.origin() == addition->parsed.checkpoint.origin;
  });
  if (log == logs_.end()) return refusal(404, "a log that this witness does not know");
  if (const auto genuine = addition->parsed.check(log->key); !genuine) {
    return refusal(403, genuine.error().message);
  }
  return add(*log, *addition);
}

HttpReply Witness::add(Log& log, const Addition& addition) {
  const audit::Checkpoint& next = addition.parsed.checkpoint;
  if (addition.old_size > next.size) return refusal(400, "the old size is larger than the new");
  if (addition.old_size != log.newest.size) return conflict(log.newest.size);
  if (next.size == log.newest.size && next.root != log.newest.root) return conflict(next.size);
  if (!audit::is_consistent({log.newest.size, log.newest.root}, {next.size, next.root},
                            addition.proof)) {
    return refusal(422, "the checkpoint does not continue the last one");
  }
  // Remembered before it is signed: a crash in between only costs a cosignature.
  const auto kept = audit::replace_file(audit::real_disk(), log.file, addition.note);
  if (!kept) return refusal(500, kept.error().message);
  log.newest = next;
  const auto line =
      audit::cosign(options_.key, addition.parsed.signed_text, options_.seconds_now());
  if (!line) return refusal(500, line.error().message);
  return {.body = *line};
}

}  // namespace sluice::control
