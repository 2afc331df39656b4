#include "audit/index_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <unordered_map>
#include <vector>

#include "audit/index_format.h"
#include "audit/reader.h"
#include "audit/segment.h"
#include "audit/segment_reader.h"
#include "base/crc32c.h"

namespace sluice::audit {
namespace index {
namespace {

std::uint64_t fingerprint(std::string_view text) noexcept {
  return FingerprintKey(0, 0).of(text)[0];
}

}  // namespace

std::uint64_t key_of(Dimension dimension, std::string_view value) noexcept {
  return fingerprint(value) + fingerprint({reinterpret_cast<const char*>(&dimension), 1});
}

std::uint64_t key_of(Dimension dimension, std::uint64_t value) noexcept {
  return key_of(dimension, {reinterpret_cast<const char*>(&value), sizeof value});
}

}  // namespace index

namespace {

using index::Block;
using index::Dimension;
using index::Entry;
using index::Orphan;
using index::Page;
using index::SectionName;

/// Offsets in ascending order, each as its distance from the one before.
class OffsetList {
 public:
  void add(std::uint64_t offset) {
    if (offset == last_) return;  // two values of one record with one key
    for (std::uint64_t left = offset - last_;; left >>= 7U) {
      const bool is_last = left < 0x80;
      bytes_ += static_cast<char>((left & 0x7fU) | (is_last ? 0U : 0x80U));
      if (is_last) break;
    }
    last_ = offset;
  }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
  std::uint64_t last_ = 0;
};

template <class T>
std::string_view bytes_of(const std::vector<T>& items) {
  return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T)};
}

class Builder {
 public:
  Result<void> read(const std::filesystem::path& directory, std::uint64_t segment) {
    auto reader = SegmentReader::open(segment_path(directory, segment));
    if (!reader) return fail(reader.error().message);
    head_.segment = segment;
    head_.end = reader->size();
    for (bool has_header = false;; has_header = true) {
      const auto step = reader->next();
      if (!step) return fail(step.error().message);
      if (step->kind == SegmentReader::Step::Kind::end && has_header) return {};
      const bool is_good = step->kind == SegmentReader::Step::Kind::frame &&
                           (has_header ? add(step->frame, step->offset) : add_header(step->frame));
      if (!is_good) {
        return fail(fmt::format("{} is damaged at byte {}; see sluice verify",
                                segment_path(directory, segment).filename().string(),
                                step->offset));
      }
    }
  }

  /// committed   how many records of the log are.
  /// Where the part ends; nothing: not so much is committed yet.
  Result<std::optional<std::uint64_t>> read_part(const std::filesystem::path& directory,
                                                 const IndexedParts& before,
                                                 std::uint64_t part_bytes,
                                                 std::uint64_t committed) {
    const std::filesystem::path path = segment_path(directory, before.segment);
    auto reader = SegmentReader::open(path);
    if (!reader) return fail(reader.error().message);
    if (reader->size() < before.end + part_bytes) return std::optional<std::uint64_t>();
    head_.segment = before.segment;
    head_.begin = before.end;
    head_.first_record = before.next_record;
    if (before.end != 0) reader->seek(before.end);
    for (bool has_header = before.end != 0;; has_header = true) {
      const auto step = reader->next();
      if (!step) return fail(step.error().message);
      // What is not committed may be torn, and is for another time.
      if (step->kind != SegmentReader::Step::Kind::frame || next_record() > committed) {
        return std::optional<std::uint64_t>();
      }
      if (!(has_header ? add(step->frame, step->offset) : add_header(step->frame))) {
        return fail(fmt::format("{} is damaged at byte {}; see sluice verify",
                                path.filename().string(), step->offset));
      }
      head_.end = step->offset + step->frame.bytes;
      const bool ends_batch = has_header && step->frame.type() == FrameType::commit;
      if (ends_batch && next_record() <= committed && head_.end - head_.begin >= part_bytes) {
        return std::optional(head_.end);
      }
    }
  }
  [[nodiscard]] std::uint64_t next_record() const noexcept {
    return head_.first_record + head_.records;
  }

  Result<void> write(const std::filesystem::path& path) && {
    std::vector<Entry> entries;
    std::string lists;
    std::vector<std::pair<std::uint64_t, const OffsetList*>> sorted;
    for (const auto& [key, list] : lists_) sorted.emplace_back(key, &list);
    std::ranges::sort(sorted);
    for (const auto& [key, list] : sorted) {
      const std::string& bytes = list->bytes();
      entries.push_back(
          {key, lists.size(), static_cast<std::uint32_t>(bytes.size()), crc32c(as_bytes(bytes))});
      lists += bytes;
    }
    std::ranges::sort(orphans_, {}, &Orphan::name);
    std::vector<index::Origin> origins;
    for (const auto& [origin, sequences] : origins_) {
      origins.push_back({origin.first, origin.second, sequences.first, sequences.second});
    }
    const std::vector<Page> pages = pages_of(entries);
    return write_sections(path, {bytes_of(blocks_), bytes_of(origins), bytes_of(orphans_),
                                 bytes_of(pages), bytes_of(entries), lists});
  }

 private:
  static constexpr std::size_t keys_max = 5;
  using Keys = std::array<std::uint64_t, keys_max>;
  struct Hash {
    std::size_t operator()(const OperationName& name) const noexcept {
      const auto& [epoch, worker, session, operation] = name;
      return ((epoch * 31 + worker) * 31 + session) * 0x9e3779b97f4a7c15U + operation;
    }
  };

  bool add_header(const FrameStep& frame) {
    const auto header =
        frame.type() == FrameType::header ? parse_header(frame.payload()) : std::nullopt;
    if (header) head_.first_record = header->first_record;
    return header.has_value();
  }

  bool add(const FrameStep& frame, std::uint64_t offset) {
    if (frame.type() == FrameType::commit) return true;
    if (frame.type() == FrameType::removed) return pass(frame);
    const auto record =
        frame.type() == FrameType::record ? fields_of(frame.payload()) : std::nullopt;
    if (!record) return false;
    note_place(*record, offset);
    if (is_phase(*record, Phase::outcome)) return add_outcome(*record, offset);
    Keys keys{};
    std::size_t used = 0;
    const auto take = [&](std::uint64_t key) {
      keys[used++] = key;
      lists_[key].add(offset);
    };
    if (!record->subject.empty()) take(key_of(Dimension::subject, record->subject));
    if (!record->target.empty()) take(key_of(Dimension::target, record->target));
    if (!record->rule.empty()) take(key_of(Dimension::rule, record->rule));
    if (record->ruling != 0) take(key_of(Dimension::ruling, record->ruling));
    take(key_of(Dimension::session, record->session));
    if (record->ruling == static_cast<std::uint64_t>(RulingKind::allow)) {
      open_.insert_or_assign(operation_of(*record), keys);
    }
    return true;
  }

  /// An outcome is found under what its intent is found under.
  bool add_outcome(const RecordFields& record, std::uint64_t offset) {
    const auto intent = open_.find(operation_of(record));
    if (intent == open_.end()) {
      orphans_.push_back({record.epoch, record.worker, record.session, record.operation, offset});
      return true;
    }
    for (const std::uint64_t key : intent->second) {
      if (key != 0) lists_[key].add(offset);
    }
    open_.erase(intent);
    return true;
  }

  /// Of records that are gone only their number counts.
  bool pass(const FrameStep& frame) {
    const auto removed = parse_removed(frame.payload());
    if (!removed || removed->end < head_.first_record) return false;
    head_.records = removed->end - head_.first_record;
    return true;
  }

  void note_place(const RecordFields& record, std::uint64_t offset) {
    const std::uint64_t number = head_.first_record + head_.records;
    if (blocks_.empty() || number - blocks_.back().first_record >= index::block_records) {
      blocks_.push_back({offset, number, record.time_ns, record.time_ns});
    }
    ++head_.records;
    Block& block = blocks_.back();
    block.time_first_ns = std::min(block.time_first_ns, record.time_ns);
    block.time_last_ns = std::max(block.time_last_ns, record.time_ns);
    const auto [origin, is_new] =
        origins_.try_emplace({record.epoch, record.worker}, record.sequence, record.sequence);
    if (!is_new) origin->second.second = record.sequence;
  }

  static std::vector<Page> pages_of(const std::vector<Entry>& entries) {
    std::vector<Page> pages;
    for (std::size_t at = 0; at < entries.size(); at += index::page_entries) {
      const std::size_t count = std::min(index::page_entries, entries.size() - at);
      const auto* const begin = reinterpret_cast<const std::uint8_t*>(&entries[at]);
      pages.push_back({entries[at].key, crc32c({begin, count * sizeof(Entry)})});
    }
    return pages;
  }

  Result<void> write_sections(const std::filesystem::path& path,
                              const std::array<std::string_view, index::sections>& sections) {
    std::uint64_t offset = sizeof head_;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const bool has_crc = i <= static_cast<std::size_t>(SectionName::pages);
      head_.section[i] = {offset, sections[i].size(), has_crc ? crc32c(as_bytes(sections[i])) : 0};
      // Each begins where its numbers may be read in place.
      offset += (sections[i].size() + 7) / 8 * 8;
    }
    head_.magic = index::magic;
    const auto* const whole = reinterpret_cast<const std::uint8_t*>(&head_);
    constexpr std::size_t crc_end = offsetof(index::Head, segment);
    head_.crc = crc32c({whole + crc_end, sizeof head_ - crc_end});

    const std::string draft = fmt::format("{}.{}.new", path.string(), ::getpid());
    {
      std::ofstream file(draft, std::ios::binary | std::ios::trunc);
      file.write(reinterpret_cast<const char*>(&head_), sizeof head_);
      for (const std::string_view section : sections) {
        constexpr std::string_view padding("\0\0\0\0\0\0\0", 7);
        file << section << padding.substr(0, (8 - section.size() % 8) % 8);
      }
      file.flush();
      if (!file) return fail(fmt::format("cannot write {}", draft));
    }
    std::error_code error;
    std::filesystem::rename(draft, path, error);
    if (error) return fail(fmt::format("cannot name {}: {}", path.string(), error.message()));
    return {};
  }

  index::Head head_;
  std::vector<Block> blocks_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::pair<std::uint64_t, std::uint64_t>>
      origins_;
  std::vector<Orphan> orphans_;
  std::unordered_map<OperationName, Keys, Hash> open_;
  std::unordered_map<std::uint64_t, OffsetList> lists_;
};

}  // namespace

namespace {

Result<void> create_folder_of(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (!error) return {};
  return fail(fmt::format("cannot create {}: {}", path.parent_path().string(), error.message()));
}

/// The last first: a search that meets some of them reads on behind these.
void remove_parts(const std::filesystem::path& directory, std::uint64_t segment) {
  std::error_code ignored;
  std::uint64_t parts = 0;
  while (std::filesystem::exists(index_part_path(directory, segment, parts), ignored)) ++parts;
  while (parts-- > 0) std::filesystem::remove(index_part_path(directory, segment, parts), ignored);
}

}  // namespace

std::filesystem::path index_part_path(const std::filesystem::path& directory, std::uint64_t segment,
                                      std::uint64_t part) {
  return directory / index::folder / fmt::format("segment-{:08}.{:04}.index", segment, part);
}

std::filesystem::path index_path(const std::filesystem::path& directory, std::uint64_t segment) {
  return directory / index::folder / fmt::format("segment-{:08}.index", segment);
}

Result<void> write_index(const std::filesystem::path& directory, std::uint64_t segment) {
  const std::filesystem::path path = index_path(directory, segment);
  if (auto made = create_folder_of(path); !made) return made;
  Builder builder;
  if (auto done = builder.read(directory, segment); !done) return done;
  if (auto done = std::move(builder).write(path); !done) return done;
  remove_parts(directory, segment);
  return {};
}

Result<bool> write_index_part(const std::filesystem::path& directory, IndexedParts& done,
                              std::uint64_t part_bytes) {
  const auto committed = committed_records(directory);
  if (!committed) return tl::unexpected(committed.error());
  Builder builder;
  const auto end = builder.read_part(directory, done, part_bytes, *committed);
  if (!end) return tl::unexpected(end.error());
  if (!*end) return false;
  const std::uint64_t next_record = builder.next_record();
  const std::filesystem::path path = index_part_path(directory, done.segment, done.parts);
  if (auto made = create_folder_of(path); !made) return tl::unexpected(made.error());
  if (auto written = std::move(builder).write(path); !written) {
    return tl::unexpected(written.error());
  }
  done = {done.segment, done.parts + 1, **end, next_record};
  return true;
}

void remove_index(const std::filesystem::path& directory, std::uint64_t segment) {
  std::error_code ignored;
  std::filesystem::remove(index_path(directory, segment), ignored);
  remove_parts(directory, segment);
}

}  // namespace sluice::audit
