// What a parameter says, as the patterns of rules would see it in a statement's text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "parsers/postgres/message.h"

namespace sluice::dataplane {

class ParameterTexts {
 public:
  /// A subject of its own; lives until the next one, with a readable tail behind it.
  using Visit = std::function<void(ByteView)>;

  /// type   as Parse declared it; 0: the target works it out, so the value is shown in each
  ///        way that its bytes can be read.
  /// value  with a readable tail behind it.
  void visit(postgres::Oid type, postgres::Format format, ByteView value, const Visit& visit);

 private:
  void visit_binary(postgres::Oid type, ByteView value, int depth, const Visit& visit);
  void visit_each_reading(ByteView value, int depth, const Visit& visit);
  bool visit_array(ByteView value, int depth, const Visit& visit);
  bool visit_row(ByteView value, int depth, const Visit& visit);
  void show(std::string text, const Visit& visit);

  std::string room_;
};

}  // namespace sluice::dataplane
