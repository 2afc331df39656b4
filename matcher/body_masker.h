// Masks one message body as it streams by.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "matcher/limits.h"
#include "matcher/mask_program.h"
#include "matcher/mask_rule.h"
#include "matcher/scratch.h"
#include "matcher/value_state.h"

namespace sluice::matcher {

/// How a body is read, from its media type.
enum class BodyKind : std::uint8_t {
  text,  ///< Anything else, binary too: one value, raw bytes.
  json,  ///< Values and keys one by one, escapes decoded.
  form,  ///< application/x-www-form-urlencoded: fields one by one, escapes decoded.
};

/// One replacement that changes the length.
struct Edit {
  std::size_t offset = 0;      ///< Into the `in` of this step.
  std::size_t size_bytes = 0;  ///< Bytes of `in` that go.
  std::string_view text;       ///< What comes instead; lives until the next call with this scratch.
};

struct MaskStep {
  /// Bytes of `in` that are decided. The rest must be presented again at the
  /// start of the next call, followed by more; it is at most withheld_bytes_max
  /// unless the step is_full.
  std::size_t settled_bytes = 0;
  /// Ordered, disjoint, all within settled_bytes. Replacements of equal length
  /// are not here: they were written into `in`.
  std::span<const Edit> edits;
  /// The edit table is used up (edits_max): call again at once with the rest and
  /// the same `last`. Only bodies made of thousands of short matches get here.
  bool is_full = false;
  /// JSON that is not JSON (RFC 8259), or nested too deep: nothing more may be released.
  bool is_malformed = false;
};

/// The same body gives the same output wherever calls split it.
///
/// in     must be writable, and readable for readable_tail_bytes after its end.
/// last   no more bytes follow; everything settles.
class BodyMasker {
 public:
  /// `program` outlives the message.
  void start(const MaskProgram& program, const RuleSet& active, BodyKind kind) noexcept;
  MaskStep mask(ByteSpan in, bool last, Scratch& scratch) noexcept;

  /// How often each rule masked something in this message, by rule index.
  [[nodiscard]] std::span<const std::uint32_t> counts() const noexcept;

 private:
  friend class BodyWalk;  // matcher/body_walk.h
  const MaskProgram* program_ = nullptr;
  RuleSet active_;
  BodyKind kind_ = BodyKind::text;
  ValueState value_;
  JsonState json_;
  FormState form_;
  std::array<std::uint32_t, rules_max> counts_;  ///< Of as many rules as the program has.
};

/// Block form for short texts: header values, paths, query strings, record fields.
/// Writes the masked copy of `in` to `out` and returns its size; a result longer
/// than `out` becomes "[redacted]" as far as it fits.
/// header_name  empty when the text is not a header's value.
/// counts       by rule index, added to; may be empty.
std::size_t mask_text(const MaskProgram& program, const RuleSet& active, BodyKind kind,
                      std::string_view header_name, ByteView in, ByteSpan out, Scratch& scratch,
                      std::span<std::uint32_t> counts) noexcept;

/// What `rule` shows of a whole value, which the caller knows to be its. As mask_text
/// otherwise.
std::size_t mask_whole(const MaskProgram& program, std::uint8_t rule, ByteView in, ByteSpan out,
                       Scratch& scratch, std::span<std::uint32_t> counts) noexcept;

/// Whether mask_text would change a header value somewhere in `head`, a whole
/// message head as received: one scan that spares the field-by-field work.
bool may_match_in_head(const MaskProgram& program, const RuleSet& active, ByteView head,
                       Scratch& scratch) noexcept;

}  // namespace sluice::matcher
