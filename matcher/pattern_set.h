// Policy's patterns on one subject (paths, header lines, bodies), compiled together.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "matcher/body_masker.h"
#include "matcher/scratch.h"

namespace sluice::matcher {

struct Pattern {
  std::string name;        ///< For errors.
  std::string expression;  ///< Hyperscan syntax; `.` matches every byte.
  bool ignores_case = false;
};

/// Which patterns of a set occurred, as indices in ascending order.
using Hits = std::span<const std::uint32_t>;

class PatternSet {
 public:
  static Result<std::shared_ptr<const PatternSet>> compile(std::span<const Pattern> patterns);
  ~PatternSet();
  PatternSet(const PatternSet&) = delete;
  PatternSet& operator=(const PatternSet&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;

  /// One contiguous subject. The result lives until the next scan with `scratch`.
  [[nodiscard]] Hits scan(ByteView subject, Scratch& scratch) const noexcept;

  /// A whole body in pieces, read as its kind says: raw, and once more with
  /// JSON or form escapes decoded, so that no encoding hides a match. At most
  /// inspected_body_bytes_max in all; each piece has readable_tail_bytes behind it.
  [[nodiscard]] Hits scan_body(std::span<const ByteView> pieces, BodyKind kind,
                               Scratch& scratch) const noexcept;

  struct Compiled;  // matcher/ only
  [[nodiscard]] const Compiled& compiled() const noexcept { return *compiled_; }

 private:
  explicit PatternSet(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace sluice::matcher
