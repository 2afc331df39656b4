// The recording thread: takes what workers hand over, fills a chunk per recording, encrypts and
// writes it, and has the log name it. A chunk is synced and has its name before its record is
// made; a recording's folder loses its ".open" behind its last record.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "audit/age_recipient.h"
#include "audit/file.h"
#include "audit/record.h"
#include "audit/sha256.h"
#include "base/instant.h"
#include "base/mailbox.h"
#include "base/result.h"
#include "recordings/chunk_note.h"
#include "recordings/feed.h"
#include "recordings/item.h"

namespace sluice::recordings {

/// What the log is told.
struct Event {
  std::string_view event;
  std::string_view detail;
  std::string_view recording;  ///< Empty: of all.
  std::uint64_t session = 0;
};

[[nodiscard]] inline audit::Record record_of(const Event& event) {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.session = event.session;
  record.event = event.event;
  record.detail = event.detail;
  record.recording = event.recording;
  return record;
}

struct RecorderOptions {
  std::filesystem::path directory;
  std::vector<audit::AgeRecipient> recipients;
  std::uint32_t workers = 1;
  std::uint64_t bytes_max = 0;
  bool stops_when_full = false;  ///< If not, nothing new begins.
  std::uint64_t chunk_bytes = 0;
  Duration chunk_time;
  std::uint64_t memory_bytes = 0;
  std::uint64_t backlog_bytes = 0;
  /// False when the log takes no record now; it is asked again. Any thread.
  std::function<bool(const Event&)> record;
  std::function<Now()> clock;
  audit::Disk* disk = nullptr;
};

struct RecorderStatus {
  std::uint64_t chunks = 0;  ///< Written by this process, as is what follows.
  std::uint64_t bytes = 0;
  std::uint64_t open = 0;           ///< Recordings that are being made.
  std::uint64_t total_bytes = 0;    ///< Of all recordings in the folder.
  std::uint64_t backlog_bytes = 0;  ///< Handed over by workers and not dealt with.
  std::uint64_t failures = 0;       ///< Chunks that could not be written when they should.
  bool takes = true;
};

class Recorder {
 public:
  /// Finishes what a killed gateway left, with records, and starts the thread.
  /// errors   the folder cannot be made, read or written, or the log takes no record.
  static Result<std::unique_ptr<Recorder>> start(RecorderOptions options);
  /// Closes all recordings. The workers have ended, and have handed over what they had.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// One per worker; lives with the recorder.
  [[nodiscard]] Feed& feed(std::uint32_t worker) noexcept { return *feeds_[worker]; }
  [[nodiscard]] RecorderStatus status() const noexcept;
  /// Takes off the total what a removal of files returns; runs it. Any thread.
  void discount(const std::function<std::uint64_t()>& removal);

 private:
  struct Recording {
    Subject subject;
    std::filesystem::path folder;
    std::vector<std::uint8_t> items;    ///< Of the chunk being filled.
    std::vector<std::uint8_t> context;  ///< The last item that later chunks begin with.
    std::optional<WallTime> first;      ///< Of those items, without the context.
    WallTime last;
    Instant since;  ///< When the chunk began.
    std::uint64_t chunks = 0;
    audit::Hash last_hash{};
  };

  explicit Recorder(RecorderOptions options);
  [[nodiscard]] Result<void> finish_unfinished();
  [[nodiscard]] Result<void> finish_unfinished(const std::string& name);
  void run();
  void wait(Duration time);
  void take(const Block& block);
  void take_frame(const FrameHead& head, ByteView content);
  void open(std::uint64_t number, ByteView content);
  void add(Recording& recording, ByteView bytes);
  void close_due();
  void end(std::uint64_t number, std::string_view event, std::string_view why);
  bool write_chunk(Recording& recording);
  [[nodiscard]] Result<ChunkNote> try_write(const Recording& recording,
                                            const std::vector<std::uint8_t>& sealed);
  [[nodiscard]] std::vector<std::uint8_t> seal(const Recording& recording) const;
  void tell(const Event& event);
  void on_failure(const std::string& reason);
  void stop_all(const std::string& reason);
  void look_for_room();

  RecorderOptions options_;
  Intake intake_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  Mailbox<Block> inbox_;
  std::unordered_map<std::uint64_t, Recording> recordings_;
  std::uint64_t buffered_bytes_ = 0;  ///< In chunks being filled.
  Instant next_look_;
  bool is_failing_ = false;

  std::atomic<std::uint64_t> chunks_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> open_{0};
  std::atomic<std::uint64_t> total_bytes_{0};
  std::atomic<std::uint64_t> backlog_bytes_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex counting_;  ///< No files go while those in the folder are counted.
  std::mutex mutex_;
  std::condition_variable woken_;
  bool has_news_ = false;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace sluice::recordings
