#include "config/model/path_table.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "config/model/limits.h"

namespace sluice::config {

Result<std::uint32_t> PathTable::add(std::string_view glob, GlobReading reading) {
  const auto segments = parse_glob(glob);
  if (!segments) return tl::unexpected(segments.error());
  const std::uint32_t number =
      (reading == GlobReading::exact ? exact_ : wide_).add(*segments, size_);
  if (number == size_) ++size_;
  return number;
}

void PathTable::prepare(PathSearch& search) const {
  search.reserve(std::max(exact_.node_count(), wide_.node_count()), size_, head_bytes_limit);
}

std::span<const std::uint32_t> PathTable::find(std::string_view path,
                                               PathSearch& search) const noexcept {
  search.hits_.clear();
  if (!path.starts_with('/')) return search.hits_;
  ++search.search_;
  if (!exact_.empty()) exact_.find(path, search);
  if (!wide_.empty()) {
    search.lower_.clear();
    std::transform(path.begin(), path.end(), std::back_inserter(search.lower_), lower_of<char>);
    wide_.find(search.lower_, search);
  }
  std::sort(search.hits_.begin(), search.hits_.end());
  return search.hits_;
}

}  // namespace sluice::config
