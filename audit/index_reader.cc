#include "audit/index_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/crc32c.h"

namespace sluice::audit {
namespace {

using index::Dimension;
using index::Entry;
using index::SectionName;

std::vector<std::uint64_t> keys_of(const RecordQuery& query) {
  std::vector<std::uint64_t> keys;
  if (query.session) keys.push_back(key_of(Dimension::session, *query.session));
  if (!query.subject.empty()) keys.push_back(key_of(Dimension::subject, query.subject));
  if (!query.target.empty()) keys.push_back(key_of(Dimension::target, query.target));
  if (!query.rule.empty()) keys.push_back(key_of(Dimension::rule, query.rule));
  if (query.ruling) {
    keys.push_back(key_of(Dimension::ruling, static_cast<std::uint64_t>(*query.ruling)));
  }
  return keys;
}

}  // namespace

Result<IndexReader> IndexReader::open(const std::filesystem::path& path, std::uint64_t segment,
                                      std::uint64_t segment_bytes) {
  auto index = map(path);
  if (!index) return index;
  const index::Head& head = index->head();
  if (head.segment == segment && head.begin == 0 && head.end == segment_bytes) return index;
  return fail(path.filename().string() + " is stale");
}

Result<IndexReader> IndexReader::open_part(const std::filesystem::path& path, std::uint64_t segment,
                                           std::uint64_t begin, std::uint64_t segment_bytes) {
  auto index = map(path);
  if (!index) return index;
  const index::Head& head = index->head();
  if (head.segment == segment && head.begin == begin && head.end > begin &&
      head.end <= segment_bytes) {
    return index;
  }
  return fail(path.filename().string() + " is stale");
}

Result<IndexReader> IndexReader::map(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  struct ::stat info {};
  const bool is_sized = ::fstat(fd, &info) == 0 && info.st_size > 0;
  const auto bytes = static_cast<std::size_t>(is_sized ? info.st_size : 0);
  void* const data = is_sized ? ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  ::close(fd);
  const auto name = path.filename().string();
  if (data == MAP_FAILED) return fail("cannot read " + name);
  IndexReader reader(static_cast<const std::uint8_t*>(data), bytes);
  if (!reader.is_whole()) return fail(name + " is damaged or stale");
  return reader;
}

IndexReader::IndexReader(IndexReader&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}

IndexReader::~IndexReader() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), bytes_);
}

bool IndexReader::is_whole() const noexcept {
  constexpr std::size_t crc_end = offsetof(index::Head, segment);
  const ByteView all{data_, bytes_};
  if (bytes_ < sizeof(index::Head) || head().magic != index::magic ||
      head().crc != crc32c(all.first(sizeof(index::Head)).subspan(crc_end))) {
    return false;
  }
  for (std::size_t i = 0; i < index::sections; ++i) {
    const index::Section& section = head().section[i];
    if (section.offset % alignof(std::uint64_t) != 0) return false;
    if (section.offset > bytes_ || section.bytes > bytes_ - section.offset) return false;
    if (i <= static_cast<std::size_t>(SectionName::pages) &&
        section.crc != crc32c(all.subspan(section.offset, section.bytes))) {
      return false;
    }
  }
  return true;
}

bool IndexReader::has(const RecordId& record) const noexcept {
  return std::ranges::any_of(
      items<index::Origin>(SectionName::origins), [&record](const index::Origin& origin) {
        return origin.epoch == record.epoch && origin.worker == record.worker &&
               origin.first_sequence <= record.sequence && record.sequence <= origin.last_sequence;
      });
}

std::optional<IndexReader::Stretch> IndexReader::stretch_of(
    const RecordQuery& query) const noexcept {
  const auto blocks = items<index::Block>(SectionName::blocks);
  const auto overlaps = [&query](const index::Block& block) {
    return block.time_last_ns >= query.from_ns && block.time_first_ns < query.until_ns;
  };
  const auto first = std::ranges::find_if(blocks, overlaps);
  if (first == blocks.end()) return std::nullopt;
  auto last = blocks.end() - 1;
  while (!overlaps(*last)) --last;
  const std::uint64_t end = last + 1 == blocks.end() ? head().end : std::next(last)->offset;
  return Stretch{first->offset, end};
}

std::optional<std::vector<std::uint64_t>> IndexReader::list_of(std::uint64_t key,
                                                               const Stretch& stretch) const {
  const auto pages = items<index::Page>(SectionName::pages);
  auto page = std::ranges::upper_bound(pages, key, {}, &index::Page::first_key);
  if (page == pages.begin()) return std::vector<std::uint64_t>{};
  --page;
  const auto entries = items<Entry>(SectionName::entries);
  const auto at = static_cast<std::size_t>(page - pages.begin()) * index::page_entries;
  if (at >= entries.size()) return std::nullopt;
  const auto in_page = entries.subspan(at, std::min(index::page_entries, entries.size() - at));
  if (page->crc !=
      crc32c({reinterpret_cast<const std::uint8_t*>(in_page.data()), in_page.size_bytes()})) {
    return std::nullopt;
  }
  const auto entry = std::ranges::lower_bound(in_page, key, {}, &Entry::key);
  if (entry == in_page.end() || entry->key != key) return std::vector<std::uint64_t>{};
  const auto lists = items<std::uint8_t>(SectionName::lists);
  if (entry->offset > lists.size() || entry->bytes > lists.size() - entry->offset) {
    return std::nullopt;
  }
  const auto list = lists.subspan(entry->offset, entry->bytes);
  if (entry->crc != crc32c(list)) return std::nullopt;

  std::vector<std::uint64_t> out;
  std::uint64_t offset = 0;
  std::uint64_t step = 0;
  unsigned shift = 0;
  for (const std::uint8_t byte : list) {
    if (shift > 63) return std::nullopt;
    step |= std::uint64_t{byte & 0x7fU} << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    offset += std::exchange(step, 0);
    shift = 0;
    if (offset >= stretch.end) break;
    if (offset >= stretch.begin) out.push_back(offset);
  }
  return out;
}

Result<IndexReader::Places> IndexReader::places(const RecordQuery& query,
                                                const std::set<OperationName>& open) const {
  Places out;
  const auto stretch = stretch_of(query);
  if (!stretch) return out;
  const auto keys = keys_of(query);
  if (keys.empty() && (!query.record || has(*query.record))) {
    out.stretch = stretch;
    return out;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto list = list_of(keys[i], *stretch);
    if (!list) return fail("the index is damaged");
    if (i == 0) {
      out.offsets = std::move(*list);
    } else {
      std::vector<std::uint64_t> both;
      std::ranges::set_intersection(out.offsets, *list, std::back_inserter(both));
      out.offsets = std::move(both);
    }
    if (out.offsets.empty()) break;
  }
  add_orphans(open, out.offsets);
  return out;
}

void IndexReader::add_orphans(const std::set<OperationName>& open,
                              std::vector<std::uint64_t>& offsets) const {
  const auto orphans = items<index::Orphan>(SectionName::orphans);
  for (const OperationName& name : open) {
    const auto orphan = std::ranges::lower_bound(orphans, name, {}, &index::Orphan::name);
    if (orphan != orphans.end() && orphan->name() == name) offsets.push_back(orphan->offset);
  }
  std::ranges::sort(offsets);
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
}

}  // namespace sluice::audit
