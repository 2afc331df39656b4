// Walks one step's input: value by value, as the body's kind says.
#pragma once

#include "matcher/json_block.h"
#include "matcher/json_number.h"
#include "matcher/skim.h"
#include "matcher/value_masker.h"

namespace sluice::matcher {

class BodyWalk {
 public:
  BodyWalk(BodyMasker& masker, ByteSpan in, bool last, Scratch::State& state) noexcept
      : masker_(masker),
        value_(masker.value_),
        json_(masker.json_),
        rules_(active_rules(*masker.program_, masker.active_)),
        in_(in),
        is_last_(last),
        state_(state) {}

  MaskStep run() noexcept;

  /// For a text that a rule masks as a whole: a header's value.
  static void mask_whole(BodyMasker& masker, std::uint8_t rule) noexcept {
    masker.value_.begin(rule);
  }

 private:
  enum class Progress : std::uint8_t { done, starved, full, malformed };

  // body_walk.cc: text, forms, and what all kinds share.
  Progress walk_form() noexcept;
  /// From in_[at_], which is in a value, to the value's end.
  Progress walk_value(Encoding encoding, bool is_name) noexcept;
  Progress walk_unmasked_value(Encoding encoding) noexcept;
  void remember(const Window& window, std::size_t decided) noexcept;
  void append_name(ByteView decoded) noexcept;
  [[nodiscard]] std::string_view name() const noexcept;
  [[nodiscard]] std::uint8_t first_active(const RuleSet& rules) const noexcept;

  // json_skim.cc
  struct SkimBlock;
  struct OddBlock;
  struct CloseLook;
  enum class Checked : std::uint8_t {
    plain,
    malformed,
    closed,  ///< A bracket at the end of what may be skimmed, with at_ behind it.
  };
  struct Handled {
    bool is_over = false;
    Progress progress = Progress::done;
    std::uint64_t tokens_left = 0;  ///< That are to be checked.
  };
  [[nodiscard]] bool is_by_token(std::size_t depth) const noexcept;
  [[nodiscard]] bool may_skim() noexcept;
  bool is_free_of_expressions() noexcept;
  Progress skim_json() noexcept;
  static Progress progress_of(Checked checked) noexcept {
    return checked == Checked::malformed ? Progress::malformed : Progress::done;
  }
  bool pass_marked_block(Skim& skim) noexcept;
  bool are_in_place(const SkimBlock& block, std::size_t at, std::size_t floor, std::size_t& depth,
                    TokenFlow& flow) noexcept;
  bool mask_in_place(Skim& skim, const SkimBlock& block, Triggers triggers,
                     std::uint64_t names) noexcept;
  bool mask_named(Skim& skim, const SkimBlock& block, std::uint64_t quote) noexcept;
  OddBlock cut_odd_block(Skim& skim) const noexcept;
  static SkimBlock cut_block(const TriggerLanes& lanes, const Unfinished& before,
                             const OddJsonBytes& odd) noexcept;
  static Triggers triggers_of(const SkimBlock& block, const CloseLook& close,
                              NumberScan& numbers) noexcept;
  [[nodiscard]] const ByteClasses& ahead_of_triggers() const noexcept;
  [[nodiscard]] CloseLook look_closely(const std::uint8_t* block,
                                       const Unfinished& before) const noexcept;
  [[nodiscard]] std::size_t begin_of_token(std::size_t at, bool is_string) const noexcept;
  Checked check_tokens(Skim& skim, const SkimBlock& block, std::uint64_t tokens) noexcept;
  Checked check_odd_tokens(Skim& skim, const SkimBlock& block, std::uint64_t tokens) noexcept;
  Handled handle_events(Skim& skim, const OddBlock& block) noexcept;
  bool mask_token(Skim& skim, const Triggers& triggers, std::size_t begin) noexcept;
  void resume_tokens(const Skim& skim, bool is_from_its_begin) noexcept;

  // json_walk.cc
  Progress walk_json() noexcept;
  Progress json_token(std::uint8_t byte) noexcept;
  Progress json_string_end() noexcept;
  Progress json_string(bool is_key) noexcept;
  bool mask_plain_string(std::size_t begin, std::size_t size, std::uint8_t rule,
                         BuiltinSet builtins) noexcept;
  void key_is_over(std::string_view name) noexcept;
  [[nodiscard]] bool wants_names() const noexcept { return !is_hidden() && rules_.has_paths; }
  Progress json_open(bool is_object) noexcept;
  Progress json_close(bool is_object) noexcept;
  Progress json_number() noexcept;
  Progress json_literal(std::string_view literal) noexcept;
  Progress mask_number(std::size_t begin, std::size_t size, std::uint8_t rule,
                       BuiltinSet builtins) noexcept;
  [[nodiscard]] BuiltinSet triggered_in(std::size_t begin, std::size_t size) const noexcept;
  void aim_at_value() noexcept;
  void value_is_over() noexcept;
  [[nodiscard]] bool is_hidden() const noexcept { return json_.hidden_depth != 0; }
  [[nodiscard]] bool expects_value() const noexcept {
    return json_.expects == JsonExpects::value || json_.expects == JsonExpects::value_or_close;
  }
  void flush_hidden() noexcept;

  BodyMasker& masker_;
  ValueState& value_;
  JsonState& json_;
  const ActiveRules rules_;
  const ByteSpan in_;
  const bool is_last_;
  Scratch::State& state_;
  std::size_t at_ = 0;            ///< Everything before it is settled.
  std::size_t skim_from_ = 0;     ///< What lies before it is not plain.
  std::size_t free_to_ = 0;       ///< Values that end before it match no expression.
  std::size_t scan_from_ = 0;     ///< From here on another look for expressions pays.
  std::size_t hidden_from_ = 0;   ///< Where this step's part of a masked subtree begins …
  std::string_view hidden_text_;  ///< … and what stands in its place.
};

}  // namespace sluice::matcher
