// Mask rules compiled for one listener: immutable, shared by all workers.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "matcher/mask_rule.h"

namespace sluice::matcher {

class Scratch;

class MaskProgram {
 public:
  /// Compiles `rules`; a rule's index is its place in RuleSet and in counts.
  /// hash_key  secret for Show::hash, at least 32 bytes when any rule hashes.
  /// errors    unknown builtin, bad expression or path (with the rule's name and
  ///           the place in the text), more than rules_max rules.
  static Result<std::shared_ptr<const MaskProgram>> compile(std::span<const MaskRule> rules,
                                                            ByteView hash_key);
  ~MaskProgram();
  MaskProgram(const MaskProgram&) = delete;
  MaskProgram& operator=(const MaskProgram&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::string_view rule_name(std::size_t rule) const noexcept;
  /// Whether any of them looks for its values in bodies; the others are told theirs.
  [[nodiscard]] bool searches(const RuleSet& rules) const noexcept;

  struct Compiled;  // matcher/ only
  [[nodiscard]] const Compiled& compiled() const noexcept { return *compiled_; }

 private:
  explicit MaskProgram(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

/// Names of the built-in finders: payment-card, iban, us-ssn, email, phone, jwt,
/// aws-key, bearer-token, ip.
std::span<const std::string_view> builtin_names() noexcept;

}  // namespace sluice::matcher
