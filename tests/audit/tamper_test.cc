// Whatever is changed in a closed log, verification finds it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>

#include "audit/checkpoint.h"
#include "audit/frame.h"
#include "audit/segment.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

namespace fs = std::filesystem;

// Under sanitizers a third of the bits; the ordinary run takes every one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr unsigned bit_step = 5;
#else
constexpr unsigned bit_step = 1;
#endif

/// A log of three segments with several commits each.
class TamperFolder : public LogFolder {
 public:
  TamperFolder() : LogFolder(2) {
    for (int run = 0; run < 3; ++run) {
      if (run == 2)
        fs::copy(options.directory, folder.path() / "older", fs::copy_options::recursive);
      const auto log = open();
      for (std::uint64_t i = 1; i <= 3; ++i) {
        WorkerLog& worker = log->worker(i % 2);
        const auto sequence = worker.append_single(sample_intent(i));
        worker.request_flush();
        while (worker.durable_through() < *sequence) {
        }
      }
    }
    REQUIRE(verify_with_key().ok);
  }

  [[nodiscard]] fs::path segment(std::uint64_t number) const {
    return segment_path(options.directory, number);
  }
  [[nodiscard]] fs::path older(std::uint64_t number) const {
    return segment_path(folder.path() / "older", number);
  }
  [[nodiscard]] VerifyReport result() const {
    // With and without a key from elsewhere the finding is the same.
    const auto own = verify(options.directory, "");
    REQUIRE(own);
    const VerifyReport report = verify_with_key();
    CHECK(own->ok == report.ok);
    CHECK(report.ok == report.fault.empty());
    return report;
  }
  void check_fault(const std::string& words) const {
    const VerifyReport report = result();
    INFO(report.fault << " | " << report.where);
    CHECK_FALSE(report.ok);
    CHECK(report.fault.find(words) != std::string::npos);
    CHECK_FALSE(report.where.empty());
  }
};

/// The frames of a segment file, each as it lies there.
std::vector<std::string> frames_of(const fs::path& path) {
  const std::string content = read_file(path);
  std::vector<std::string> out;
  for (std::size_t at = segment_magic.size(); at < content.size();) {
    const FrameStep step = read_frame(as_bytes(std::string_view(content).substr(at)));
    REQUIRE(step.kind == FrameStep::Kind::frame);
    out.push_back(content.substr(at, step.bytes));
    at += step.bytes;
  }
  return out;
}

void write_frames(const fs::path& path, const std::vector<std::string>& frames) {
  std::string content(segment_magic);
  for (const auto& frame : frames) content += frame;
  write_file(path, content);
}

/// A frame with the right CRC32C over another body: no accident, an attack.
std::string forged(const std::string& frame, const std::function<void(std::string&)>& change) {
  std::string body = frame.substr(frame_head_bytes);
  change(body);
  std::string out = frame;
  out.replace(frame_head_bytes, std::string::npos, body);
  seal_frame(reinterpret_cast<std::uint8_t*>(out.data()), body.size());
  return out;
}

}  // namespace

TEST_CASE("Every flipped bit of every file is found") {
  const LogFolder folder;
  for (int run = 0; run < 2; ++run) {
    const auto log = folder.open();
    log->worker(0).append_single(sample_outcome());
  }
  REQUIRE(folder.verify_with_key().ok);
  std::size_t flips = 0;
  for (const auto& entry : fs::directory_iterator(folder.options.directory)) {
    const std::string content = read_file(entry.path());
    for (std::size_t i = 0; i < content.size(); ++i) {
      for (unsigned bit = 0; bit < 8; bit += bit_step, ++flips) {
        write_byte(entry.path(), i, static_cast<unsigned char>(content[i]) ^ (1U << bit));
        const auto report = verify(folder.options.directory, folder.verifier);
        REQUIRE(report);
        if (report->ok || report->where.empty()) {
          FAIL_CHECK(entry.path().filename().string() << " byte " << i << " bit " << bit);
        }
      }
      write_byte(entry.path(), i, static_cast<unsigned char>(content[i]));
    }
  }
  CHECK(flips > 10'000 / bit_step);
  CHECK(folder.verify_with_key().ok);
}

TEST_CASE("Every truncation of every segment is found") {
  const TamperFolder log;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const std::string content = read_file(log.segment(number));
    for (std::size_t length = 0; length < content.size(); length += length < 32 ? 1 : 31) {
      write_file(log.segment(number), std::string_view(content).substr(0, length));
      const auto report = log.verify_with_key();
      INFO("segment " << number << " cut to " << length);
      CHECK_FALSE(report.ok);
    }
    write_file(log.segment(number), content);
  }
}

TEST_CASE("A removed, doubled or swapped frame is found wherever it lies") {
  const TamperFolder log;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const auto frames = frames_of(log.segment(number));
    REQUIRE(frames.size() > 6);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      INFO("segment " << number << " frame " << i);
      auto removed = frames;
      removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
      write_frames(log.segment(number), removed);
      CHECK_FALSE(log.result().ok);
      auto doubled = frames;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), frames[i]);
      write_frames(log.segment(number), doubled);
      CHECK_FALSE(log.result().ok);
      if (i + 1 < frames.size()) {
        auto swapped = frames;
        std::swap(swapped[i], swapped[i + 1]);
        write_frames(log.segment(number), swapped);
        CHECK_FALSE(log.result().ok);
      }
    }
    write_frames(log.segment(number), frames);
  }
}

TEST_CASE("A record rewritten with a right frame check is found by its root") {
  const TamperFolder log;
  auto frames = frames_of(log.segment(2));
  frames[1] = forged(frames[1], [](std::string& body) { body.back() ^= 1; });
  write_frames(log.segment(2), frames);
  log.check_fault("do not give the signed root");
}

TEST_CASE("A sequence rewritten with a right frame check is found as a gap") {
  const TamperFolder log;
  auto frames = frames_of(log.segment(2));
  for (auto& frame : frames) {
    if (frame[frame_head_bytes] != 0) continue;
    frame = forged(frame, [](std::string& body) {
      const std::size_t at = body.find("\x04\x01\x05\x50", 0, 4);  // sequence 1, then the salt
      REQUIRE(at != std::string::npos);
      body[at + 1] = 2;
    });
    break;
  }
  write_frames(log.segment(2), frames);
  log.check_fault("from sequence 0 to 2");
}

TEST_CASE("A rewritten header is found") {
  const TamperFolder log;
  const auto frames = frames_of(log.segment(3));
  const FrameStep step = read_frame(as_bytes(frames[0]));
  const auto header = parse_header(step.payload());
  REQUIRE(header);
  const auto check = [&](const SegmentHeader& changed) {
    auto copy = frames;
    copy[0] = forged(frames[0], [&](std::string& body) {
      const auto bytes = encode_header(changed);
      body.replace(1, std::string::npos, as_text(bytes));
    });
    write_frames(log.segment(3), copy);
    CHECK_FALSE(log.result().ok);
  };
  SegmentHeader changed = *header;
  changed.origin += "x", check(changed);
  changed = *header, ++changed.segment, check(changed);
  changed = *header, --changed.first_record, check(changed);
  changed = *header, ++changed.commits, check(changed);
  changed = *header, changed.frontier[0][5] ^= 1, check(changed);
  changed = *header, changed.frontier.pop_back(), check(changed);
  changed = *header, ++changed.positions[0].sequence, check(changed);
  changed = *header, changed.positions.push_back({1, 2, 3}), check(changed);
}

TEST_CASE("A missing segment is named") {
  const TamperFolder log;
  fs::rename(log.segment(2), log.folder.path() / "taken");
  log.check_fault("segment-00000002.log is missing");
}

TEST_CASE("A missing last segment is found by the checkpoint") {
  const TamperFolder log;
  fs::remove(log.segment(3));
  log.check_fault("the checkpoint file signs");
}

TEST_CASE("Swapped segments are found") {
  const TamperFolder log;
  fs::rename(log.segment(1), log.folder.path() / "taken");
  fs::rename(log.segment(2), log.segment(1));
  fs::rename(log.folder.path() / "taken", log.segment(2));
  log.check_fault("the file holds segment 2, expected 1");
}

TEST_CASE("A segment replaced by an older copy of itself is found") {
  const LogFolder folder;
  const auto path = segment_path(folder.options.directory, 1);
  std::string older;
  {
    const auto log = folder.open();
    older = read_file(path);
    log->worker(0).append_single(sample_intent());
  }
  write_file(path, older);
  const auto report = folder.verify_with_key();
  CHECK_FALSE(report.ok);
  CHECK(report.fault.find("older") != std::string::npos);
}

TEST_CASE("An older checkpoint file over a longer log is no fault: power loss leaves one") {
  const TamperFolder log;
  fs::copy_file(log.folder.path() / "older" / checkpoint_name,
                log.options.directory / checkpoint_name, fs::copy_options::overwrite_existing);
  CHECK(log.result().ok);
}

TEST_CASE("A missing checkpoint or verifier file is found") {
  const TamperFolder log;
  fs::rename(log.options.directory / checkpoint_name, log.folder.path() / "taken");
  log.check_fault("checkpoint file is missing");
  fs::rename(log.folder.path() / "taken", log.options.directory / checkpoint_name);
  fs::remove(log.options.directory / verifier_name);
  log.check_fault("verifier key file is missing");
}

TEST_CASE("A log re-signed with another key is found by whoever holds the right one") {
  const LogFolder genuine;
  LogFolder forger;
  { const auto log = genuine.open(); }
  { const auto log = forger.open(); }
  const auto report = verify(forger.options.directory, genuine.verifier);
  REQUIRE(report);
  CHECK_FALSE(report->ok);
  CHECK(report->fault.find("another key") != std::string::npos);

  // The forger's key file replaced by the genuine one: then the signatures speak.
  fs::copy_file(genuine.options.directory / verifier_name, forger.options.directory / verifier_name,
                fs::copy_options::overwrite_existing);
  const auto again = verify(forger.options.directory, genuine.verifier);
  REQUIRE(again);
  CHECK_FALSE(again->ok);
  CHECK(again->fault.find("signed with another key") != std::string::npos);

  // Without a key from elsewhere only consistency is shown, and the report says so.
  const auto alone = verify(genuine.options.directory, "");
  REQUIRE(alone);
  CHECK(alone->ok);
  CHECK(alone->key_is_from_log);
}

// One state proves nothing about an earlier one: somebody must have kept that.
TEST_CASE_METHOD(TamperFolder,
                 "A log put back to an earlier state is found by a checkpoint that was kept") {
  const auto with = [&](const fs::path& directory, const std::string& seen) {
    const auto report = verify(directory, verifier, "", seen);
    REQUIRE(report);
    return *report;
  };
  const fs::path old = folder.path() / "older";
  const std::string newest = read_file(options.directory / checkpoint_name);
  const std::string earlier = read_file(old / checkpoint_name);
  const VerifyReport continued = with(options.directory, earlier);
  CHECK(continued.ok);
  CHECK(continued.seen_records == with(old, "").records);
  CHECK(with(options.directory, newest).ok);

  CHECK(with(old, "").ok);
  const VerifyReport back = with(old, newest);
  CHECK_FALSE(back.ok);
  CHECK(back.fault.find("records that you saw") != std::string::npos);
}

TEST_CASE_METHOD(
    TamperFolder,
    "Another past, signed with the log's own key, is found by a checkpoint that was kept") {
  const std::string kept = read_file(options.directory / checkpoint_name);
  const VerifyReport before = verify_with_key();
  fs::remove_all(options.directory);
  {
    const auto log = open();
    for (std::uint64_t i = 0; i < before.records; ++i)
      log->worker(0).append_single(sample_intent(i));
  }
  CHECK(verify_with_key().ok);
  const auto split = verify(options.directory, verifier, "", kept);
  REQUIRE(split);
  CHECK_FALSE(split->ok);

  // With a commit of just this size, too.
  auto signer = *Signer::load(options.signing_key);
  const auto other = verify(options.directory, verifier, "",
                            *sign_checkpoint(signer, verify_with_key().records, Hash{}));
  REQUIRE(other);
  CHECK(other->fault == "you saw another root for these records");
}

TEST_CASE_METHOD(TamperFolder, "A kept checkpoint of another key, or none at all, is no proof") {
  const LogFolder stranger;
  auto signer = *Signer::load(stranger.options.signing_key);
  const auto other =
      verify(options.directory, verifier, "", *sign_checkpoint(signer, 0, Tree{}.root()));
  REQUIRE(other);
  CHECK(other->fault.find("signed with another key") != std::string::npos);
  CHECK_FALSE(verify(options.directory, verifier, "", "nothing"));
}

TEST_CASE("A log that was damaged before its checkpoint is not added to") {
  const TamperFolder log;
  const std::string content = read_file(log.segment(3));
  const auto refused = [&](const std::string& words) {
    const auto opened = log.try_open();
    REQUIRE_FALSE(opened);
    INFO(opened.error().message);
    CHECK(opened.error().message.find(words) != std::string::npos);
  };
  std::string changed = content;
  changed[content.size() / 2] = static_cast<char>(changed[content.size() / 2] ^ 4);
  write_file(log.segment(3), changed);
  refused("the audit log is damaged: segment-00000003.log at byte");
  write_file(log.segment(3), std::string_view(content).substr(0, content.size() - 1));
  refused("cut or replaced by older ones");
  fs::remove(log.segment(3));
  refused("cut or replaced by older ones");
  write_file(log.segment(3), content);
  fs::rename(log.segment(1), log.folder.path() / "taken");
  refused("segment-00000001.log is missing");
  fs::rename(log.folder.path() / "taken", log.segment(1));
  fs::remove(log.options.directory / checkpoint_name);
  refused("the checkpoint file: it is missing");
}

}  // namespace sluice::audit
