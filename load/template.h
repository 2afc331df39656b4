// Text with placeholders: {{card}}, {{email}}, {{uuid}}, {{number A..B}}, {{identity}}.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "load/random.h"

namespace sluice::load {

class Template {
 public:
  /// Nothing in it stands for anything else.
  static Template literal(std::string text);
  /// errors  a placeholder that is not known (with a suggestion), not closed or not readable.
  static Result<Template> parse(std::string_view text);

  void render(Random& random, std::string_view identity, std::string& out) const;
  /// Whether it renders to the same text each time.
  [[nodiscard]] bool is_constant() const noexcept;
  [[nodiscard]] bool uses_identity() const noexcept;

 private:
  struct Part {
    enum class Kind : std::uint8_t { literal, card, email, uuid, number, identity };
    Kind kind = Kind::literal;
    std::string text = {};
    std::uint64_t min = 0;
    std::uint64_t max = 0;
  };
  static Result<Part> placeholder(std::string_view words);

  std::vector<Part> parts_;
};

}  // namespace sluice::load
