#include "recordings/recorder.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "audit/age.h"
#include "base/assert.h"
#include "recordings/folder.h"

namespace sluice::recordings {
namespace {

constexpr Duration poll_interval = milliseconds(100);
/// Between two attempts to write to a disk, or a log, that takes nothing.
constexpr Duration retry_interval = milliseconds(200);
/// How often it is looked whether there is room again.
constexpr Duration look_interval = seconds(5);
/// While stopping, so that a broken log does not hold up the end of the process.
constexpr int last_attempts = 10;

}  // namespace

Recorder::Recorder(RecorderOptions options)
    : options_(std::move(options)), inbox_([this] {
        {
          const std::lock_guard lock(mutex_);
          has_news_ = true;
        }
        woken_.notify_one();
      }) {
  for (std::uint32_t i = 0; i < options_.workers; ++i) {
    feeds_.push_back(
        std::make_unique<Feed>(i, options_.backlog_bytes, intake_, [this](Block block) {
          backlog_bytes_.fetch_add(block.bytes.size(), std::memory_order_relaxed);
          inbox_.post(std::move(block));
        }));
  }
}

Result<std::unique_ptr<Recorder>> Recorder::start(RecorderOptions options) {
  std::unique_ptr<Recorder> recorder(new Recorder(std::move(options)));
  const std::filesystem::path& directory = recorder->options_.directory;
  if (auto own = check_own_folder(directory); !own) return tl::unexpected(own.error());
  std::error_code fault;
  std::filesystem::create_directories(directory, fault);
  if (!fault) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, fault);
  }
  if (fault) {
    return fail(fmt::format("cannot make the folder of recordings {}: {}", directory.string(),
                            fault.message()));
  }
  if (auto done = recorder->finish_unfinished(); !done) return tl::unexpected(done.error());
  recorder->total_bytes_ = bytes_in(directory);
  recorder->look_for_room();
  recorder->thread_ = std::thread([self = recorder.get()] { self->run(); });
  ::pthread_setname_np(recorder->thread_.native_handle(), "recorder");
  return recorder;
}

Recorder::~Recorder() {
  is_stopping_ = true;
  {
    const std::lock_guard lock(mutex_);
    has_news_ = true;
  }
  woken_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Recorder::discount(const std::function<std::uint64_t()>& removal) {
  const std::lock_guard lock(counting_);
  total_bytes_ -= std::min(removal(), total_bytes_.load());
}

RecorderStatus Recorder::status() const noexcept {
  return {.chunks = chunks_,
          .bytes = bytes_,
          .open = open_,
          .total_bytes = total_bytes_,
          .backlog_bytes = backlog_bytes_,
          .failures = failures_,
          .takes = intake_.state.load() == Intake::State::takes};
}

/// Recordings that a killed gateway left: what it had written is all that there will be.
Result<void> Recorder::finish_unfinished() {
  const auto folders = list_recordings(options_.directory);
  if (!folders) return tl::unexpected(folders.error());
  for (const RecordingFolder& folder : *folders) {
    if (!folder.is_open) continue;
    if (auto done = finish_unfinished(folder.name); !done) return done;
  }
  return {};
}

Result<void> Recorder::finish_unfinished(const std::string& name) {
  const auto folder = options_.directory / fmt::format("{}{}", name, open_suffix);
  std::error_code fault;
  std::vector<std::filesystem::path> parts;
  for (const auto& entry : std::filesystem::directory_iterator(folder, fault)) {
    if (entry.path().native().ends_with(part_suffix)) parts.push_back(entry.path());
  }
  for (const auto& part : parts) std::filesystem::remove(part, fault);
  const auto chunks = list_chunks(folder);
  if (!chunks) return tl::unexpected(chunks.error());

  // Whether the last one's record was still made nobody knows: it is made once more.
  ChunkNote note;
  audit::Hash before{};
  const std::size_t count = chunks->size();
  for (std::size_t i = count < 2 ? 0 : count - 2; i < count; ++i) {
    const ChunkFile& chunk = (*chunks)[i];
    const auto bytes = read_chunk(folder / chunk_name(chunk));
    if (!bytes) return tl::unexpected(bytes.error());
    before = note.sha256;
    note = {chunk.chunk, bytes->size(), audit::sha256(*bytes), before, chunk.first, chunk.last};
  }
  const bool is_named = count == 0 || options_.record({chunk_event, text_of(note), name});
  const std::string detail = text_of(EndNote{note.chunk, note.sha256}, "the gateway was killed");
  if (!is_named || !options_.record({cut_event, detail, name})) {
    return fail("the audit log cannot take a record");
  }
  std::filesystem::rename(folder, options_.directory / name, fault);
  if (!fault) return {};
  return fail(fmt::format("cannot rename {}: {}", folder.string(), fault.message()));
}

void Recorder::run() {
  for (;;) {
    const bool is_last = is_stopping_;
    for (Block& block : inbox_.take()) {
      take(block);
      backlog_bytes_.fetch_sub(block.bytes.size(), std::memory_order_relaxed);
      block.from->give_back(std::move(block.bytes));
    }
    if (is_last) break;
    close_due();
    look_for_room();
    wait(poll_interval);
  }
  while (!recordings_.empty()) end(recordings_.begin()->first, closed_event, {});
}

void Recorder::wait(Duration time) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, std::chrono::nanoseconds(time.ns), [this] { return has_news_; });
  has_news_ = false;
}

void Recorder::take(const Block& block) {
  for (ByteView rest = block.bytes; !rest.empty();) {
    FrameHead head;
    std::memcpy(&head, rest.data(), sizeof head);
    take_frame(head, rest.subspan(sizeof head, head.size));
    rest = rest.subspan(sizeof head + head.size);
  }
}

void Recorder::take_frame(const FrameHead& head, ByteView content) {
  if (head.kind == FrameHead::Kind::open) return open(head.recording, content);
  const auto found = recordings_.find(head.recording);
  if (found == recordings_.end()) return;  // it was stopped
  if (head.kind == FrameHead::Kind::close) return end(head.recording, closed_event, {});
  add(found->second, content);
}

void Recorder::open(std::uint64_t number, ByteView content) {
  auto head = parse_head(content);
  ASSERT(head.has_value());
  if (intake_.state == Intake::State::stopped) return;
  Recording recording;
  recording.folder = options_.directory / fmt::format("{}{}", head->subject.recording, open_suffix);
  recording.subject = std::move(head->subject);
  // Where this fails the first chunk will, and says so.
  std::error_code ignored;
  std::filesystem::create_directory(recording.folder, ignored);
  recordings_.emplace(number, std::move(recording));
  ++open_;
}

void Recorder::add(Recording& recording, ByteView bytes) {
  ByteView rest = bytes;
  const auto item = take_item(rest);
  ASSERT(item.has_value());
  const WallTime time{item->time_ns};
  // Between two messages, if there is a between at all.
  const std::size_t limit =
      begins_anew(item->kind) ? options_.chunk_bytes : 2 * options_.chunk_bytes;
  if (recording.first && recording.items.size() + bytes.size() > limit && !write_chunk(recording)) {
    return;
  }
  if (!recording.first) {
    recording.first = time;
    recording.since = options_.clock().monotonic;
    if (!is_context(item->kind)) recording.items = recording.context;
    buffered_bytes_ += recording.items.size();
  }
  recording.last = time;
  recording.items.insert(recording.items.end(), bytes.begin(), bytes.end());
  buffered_bytes_ += bytes.size();
  if (!is_context(item->kind)) return;
  // Without a time, so that it is not taken for what happened then.
  recording.context.resize(bytes.size() + item_overhead_max);
  recording.context.resize(
      encode({item->kind, 0, item->operation, item->content}, recording.context));
}

/// Chunks that were being filled for long enough; and the longest, while all take too much.
void Recorder::close_due() {
  const Instant now = options_.clock().monotonic;
  std::vector<std::uint64_t> due;
  for (const auto& [number, recording] : recordings_) {
    if (recording.first && now >= recording.since + options_.chunk_time) due.push_back(number);
  }
  for (const std::uint64_t number : due) {
    if (const auto found = recordings_.find(number); found != recordings_.end()) {
      write_chunk(found->second);
    }
  }
  while (buffered_bytes_ > options_.memory_bytes) {
    const auto longest = std::ranges::max_element(
        recordings_, {}, [](const auto& one) { return one.second.items.size(); });
    if (longest == recordings_.end() || !write_chunk(longest->second)) return;
  }
}

/// What is left of it becomes a chunk, and no other follows.
void Recorder::end(std::uint64_t number, std::string_view event, std::string_view why) {
  const auto found = recordings_.find(number);
  const bool is_whole = event != closed_event || !found->second.first || write_chunk(found->second);
  if (!recordings_.contains(number)) return;  // it was stopped instead
  if (!is_whole) {
    event = cut_event;
    why = "the disk took nothing when the gateway ended";
  }
  Recording recording = std::move(found->second);
  recordings_.erase(found);
  --open_;
  buffered_bytes_ -= recording.items.size();
  const std::string detail = text_of(EndNote{recording.chunks, recording.last_hash}, why);
  tell({event, detail, recording.subject.recording, recording.subject.session});
  std::error_code ignored;  // The next start finishes it then.
  std::filesystem::rename(recording.folder, options_.directory / recording.subject.recording,
                          ignored);
}

/// False when the recording is over by that, or the process ends.
bool Recorder::write_chunk(Recording& recording) {
  const std::vector<std::uint8_t> sealed = seal(recording);
  auto note = try_write(recording, sealed);
  for (int attempt = 0; !note; note = try_write(recording, sealed)) {
    on_failure(note.error().message);
    if (options_.stops_when_full) {
      stop_all(note.error().message);
      return false;
    }
    if (is_stopping_ && ++attempt > last_attempts) {
      return false;  // so that the process can end
    }
    wait(retry_interval);
  }
  is_failing_ = false;
  tell({chunk_event, text_of(*note), recording.subject.recording, recording.subject.session});
  recording.chunks = note->chunk;
  recording.last_hash = note->sha256;
  recording.first.reset();
  buffered_bytes_ -= recording.items.size();
  recording.items.clear();
  // What a burst needed must not stay with each of many recordings.
  if (recording.items.capacity() > 2 * options_.chunk_bytes) recording.items.shrink_to_fit();
  ++chunks_;
  bytes_ += note->bytes;
  total_bytes_ += note->bytes;
  return true;
}

std::vector<std::uint8_t> Recorder::seal(const Recording& recording) const {
  std::vector<std::uint8_t> out;
  auto age = audit::AgeWriter::begin(options_.recipients, [&out](ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return true;
  });
  const std::string head = encode_head(recording.subject, recording.chunks + 1);
  std::vector<std::uint8_t> item(head.size() + item_overhead_max);
  item.resize(encode({ItemKind::head, recording.first->ns, 0, as_bytes(head)}, item));
  ASSERT(age.has_value() && age->write(item) && age->write(recording.items) && age->finish());
  return out;
}

Result<ChunkNote> Recorder::try_write(const Recording& recording,
                                      const std::vector<std::uint8_t>& sealed) {
  ChunkNote note{recording.chunks + 1, sealed.size(),    audit::sha256(sealed),
                 recording.last_hash,  *recording.first, recording.last};
  const auto path =
      recording.folder / chunk_name({note.chunk, note.first, std::max(note.first, note.last)});
  note.last = std::max(note.first, note.last);
  auto part = path;
  part += part_suffix;
  std::error_code ignored;
  std::filesystem::create_directory(recording.folder, ignored);
  std::filesystem::remove(part, ignored);  // Of the last attempt.
  auto file = options_.disk->create(part);
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->append(sealed); !done) return tl::unexpected(done.error());
  if (auto done = (*file)->sync(); !done) return tl::unexpected(done.error());
  if (auto done = options_.disk->rename(part, path); !done) return tl::unexpected(done.error());
  if (auto done = options_.disk->sync_directory(recording.folder); !done) {
    return tl::unexpected(done.error());
  }
  return note;
}

/// Waits until the log takes it: a chunk without its record would be worth nothing.
void Recorder::tell(const Event& event) {
  for (int attempt = 0; !options_.record(event); wait(retry_interval)) {
    if (is_stopping_ && ++attempt > last_attempts) return;  // the next start says so
  }
}

void Recorder::on_failure(const std::string& reason) {
  ++failures_;
  if (std::exchange(is_failing_, true)) return;
  intake_.state = options_.stops_when_full ? Intake::State::stopped : Intake::State::full;
  tell({"recordings-full", reason, {}});
}

/// All that are under way end here, without what was not written yet.
void Recorder::stop_all(const std::string& reason) {
  intake_.state = Intake::State::stopped;
  ++intake_.stops;
  while (!recordings_.empty()) end(recordings_.begin()->first, stopped_event, reason);
}

/// Whether there is room, by what there may be and what the disk takes.
void Recorder::look_for_room() {
  const bool takes = intake_.state == Intake::State::takes;
  const bool was_full = total_bytes_ >= options_.bytes_max;
  if (takes && !was_full) return;
  if (takes) {
    const std::string reason =
        fmt::format("max_bytes is reached: there are {} bytes", total_bytes_.load());
    on_failure(reason);
    if (!options_.stops_when_full) return;
    for (auto& [number, recording] : recordings_) {
      if (recording.first && !write_chunk(recording)) return;  // all were stopped
    }
    return stop_all(reason);
  }
  const Instant now = options_.clock().monotonic;
  if (now < next_look_) return;
  next_look_ = now + look_interval;
  {
    const std::lock_guard lock(counting_);
    total_bytes_ = bytes_in(options_.directory);
  }
  if (total_bytes_ >= options_.bytes_max) return;
  const auto probe = options_.directory / probe_name;
  std::error_code ignored;
  std::filesystem::remove(probe, ignored);
  const std::vector<std::uint8_t> block(64 << 10);
  auto file = options_.disk->create(probe);
  const bool is_well = file && (*file)->append(block) && (*file)->sync();
  std::filesystem::remove(probe, ignored);
  if (!is_well) return;
  is_failing_ = false;
  intake_.state = Intake::State::takes;
  tell({"recordings-resumed", fmt::format("there are {} bytes", total_bytes_.load()), {}});
}

}  // namespace sluice::recordings
