#include "parsers/postgres/sequence.h"

namespace sluice::postgres {

Formats Formats::take(Reader& reader) noexcept {
  const std::size_t count = reader.u16();
  if (count > reader.left() / 2) {
    reader.refuse(Fault::bad_count);
    return {};
  }
  Formats out;
  out.codes_ = Reader(reader).bytes(2 * count);
  for (std::size_t i = 0; i < count; ++i) reader.format();
  return out;
}

Format Formats::of(std::size_t index) const noexcept {
  const std::size_t at = size() == 1 ? 0 : index;
  return at < size() && codes_[2 * at + 1] != 0 ? Format::binary : Format::text;
}

}  // namespace sluice::postgres
