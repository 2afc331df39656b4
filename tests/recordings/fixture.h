// A recorder in a folder of its own, with an auditor who can read what it wrote.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audit/age_reader.h"
#include "must.h"
#include "recordings/check.h"
#include "recordings/recorder.h"
#include "recordings/replay_reader.h"
#include "temporary_folder.h"

namespace sluice::recordings {

// Made with age-keygen for these tests.
inline constexpr std::string_view auditor_recipient =
    "age1tsyrnzmmedzhq8949sjcjrg6lzr9jkx4nas8utzc9vrwj6k7nv3qmq8fzn";
inline constexpr std::string_view auditor_identity =
    "AGE-SECRET-KEY-13VJMKQE7YSL9K058AN902UVUTA5AR277YQ2JZM8Q56NPJSZWH0JQCHLDQY";

inline const Subject sample_subject{
    "00000000000000ff-7-1", "postgres", "ledger", "ledger-db", "ann", 7};

/// One record as the log would have it.
struct Noted {
  std::string event;
  std::string detail;
  std::string recording;
};

class RecordingWorld {
 public:
  RecorderOptions options() {
    return {.directory = folder.path() / "recordings",
            .recipients = {test::must(audit::AgeRecipient::parse(auditor_recipient))},
            .workers = 1,
            .bytes_max = bytes_max,
            .stops_when_full = stops_when_full,
            .chunk_bytes = 1'000,
            .chunk_time = seconds(3'600),
            .memory_bytes = 1 << 20,
            .backlog_bytes = 1 << 20,
            .record =
                [this](const Event& event) {
                  const std::lock_guard lock(mutex);
                  notes.push_back({std::string(event.event), std::string(event.detail),
                                   std::string(event.recording)});
                  return true;
                },
            .clock =
                [] {
                  return Now{{1}, {1}};
                },
            .disk = disk};
  }
  std::unique_ptr<Recorder> start() { return test::must(Recorder::start(options())); }

  [[nodiscard]] std::filesystem::path directory() const { return folder.path() / "recordings"; }
  [[nodiscard]] audit::AgeIdentity identity() const {
    return test::must(audit::AgeIdentity::parse(auditor_identity));
  }

  [[nodiscard]] Result<ReplayReader> open(WallTime from = {}) const {
    auto source = ReplaySource::of_directory(directory(), sample_subject.recording);
    if (!source) return tl::unexpected(source.error());
    return ReplayReader::open(std::move(*source), sample_subject.recording, identity(), from);
  }

  /// What `verify` would say.
  [[nodiscard]] CheckReport check() const {
    RecordingCheck check;
    for (const Noted& note : notes) {
      audit::RecordFields fields;
      fields.event = note.event;
      fields.detail = note.detail;
      fields.recording = note.recording;
      check.add(fields);
    }
    return check.compare(test::must(ChunkSource::of_directory(directory())));
  }
  [[nodiscard]] std::size_t count(std::string_view event) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::count_if(
        notes.begin(), notes.end(), [event](const Noted& note) { return note.event == event; }));
  }
  void await(std::string_view event) {
    for (int i = 0; i < 1'000 && count(event) == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (count(event) == 0) throw std::runtime_error("no " + std::string(event));
  }

  test::TemporaryFolder folder;
  std::mutex mutex;
  std::vector<Noted> notes;
  std::uint64_t bytes_max = 1 << 30;
  bool stops_when_full = false;
  audit::Disk* disk = &audit::real_disk();
};

}  // namespace sluice::recordings
