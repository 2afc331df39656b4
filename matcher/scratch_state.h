// A worker's working memory, in one place. For matcher/ only.
#pragma once

#include <hs.h>

#include <array>
#include <memory>
#include <vector>

#include "matcher/body_masker.h"
#include "matcher/cluster.h"
#include "matcher/isa.h"
#include "matcher/scratch.h"

namespace sluice::matcher {

struct ScannerScratchDeleter {
  void operator()(hs_scratch_t* scratch) const noexcept { hs_free_scratch(scratch); }
};

/// Edits that matches leave for what surrounds them (quotes, ends of subtrees).
inline constexpr std::size_t edits_reserved = 4;

/// The replacements of one step and the texts they point into.
class EditList {
 public:
  void clear() noexcept {
    size_ = 0;
    text_size_ = 0;
  }
  [[nodiscard]] std::size_t edits_left() const noexcept { return edits_max - size_; }
  [[nodiscard]] ByteSpan text_left() noexcept { return ByteSpan(text_).subspan(text_size_); }
  /// Keeps the first `size` bytes of text_left().
  std::string_view keep_text(std::size_t size) noexcept {
    const ByteView kept = ByteView(text_).subspan(text_size_, size);
    text_size_ += size;
    return as_text(kept);
  }
  void add(const Edit& edit) noexcept { edits_[size_++] = edit; }
  [[nodiscard]] std::span<const Edit> view() const noexcept { return {edits_.data(), size_}; }

 private:
  std::array<Edit, edits_max> edits_;
  std::array<std::uint8_t, edit_text_bytes_max> text_;
  std::size_t size_ = 0;
  std::size_t text_size_ = 0;
};

/// Bytes of a text that mask_text hands on at a time.
inline constexpr std::size_t text_piece_bytes = 16 * 1024;

struct Scratch::State {
  Isa isa;
  std::unique_ptr<hs_scratch_t, ScannerScratchDeleter> scanner;
  MatchTable matches;
  ClusterList clusters;
  EditList edits;
  std::array<std::uint8_t, window_bytes_max + readable_tail_bytes> decoded{};
  std::array<std::uint32_t, window_bytes + 1> offsets{};
  std::vector<std::uint8_t> expression_hits;  ///< By expression: whether it may match here.
  BodyMasker block_masker;
  std::array<std::uint8_t, text_piece_bytes + readable_tail_bytes> block{};
  std::unique_ptr<std::uint8_t[]> body;  ///< For a pattern set: a whole body, and its tail.
  std::vector<std::uint32_t> pattern_hits;

  explicit State(Isa with_isa) : isa(with_isa) {}
  Result<void> prepare_for(const hs_database_t* database);
};

}  // namespace sluice::matcher
