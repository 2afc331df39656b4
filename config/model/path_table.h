// The path globs of a policy, and which of them a path matches.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "config/model/glob_tree.h"

namespace sluice::config {

/// '*' stands for any run within a segment ('*' alone: a segment that is not empty), '**' as a
/// whole segment for any number of segments, everything else for itself. A trailing "/**"
/// also covers the path before it.
class PathTable {
 public:
  /// Returns the glob's number, counted from 0. Those that mean the same share one.
  /// errors  of parse_glob
  Result<std::uint32_t> add(std::string_view glob, GlobReading reading);

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  /// Makes room, so that looking up allocates nothing.
  void prepare(PathSearch& search) const;

  /// The numbers of the globs that match, ascending.
  ///
  /// path     normalised (parsers/http1/target.h), at most as long as a head; what does not
  ///          begin with '/' is matched by none.
  /// search   prepared for this table. The result lives in it until it is used again.
  [[nodiscard]] std::span<const std::uint32_t> find(std::string_view path,
                                                    PathSearch& search) const noexcept;

 private:
  GlobTree exact_{GlobReading::exact};
  GlobTree wide_{GlobReading::wide};
  std::uint32_t size_ = 0;
};

}  // namespace sluice::config
