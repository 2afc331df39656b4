#include "audit/record_view.h"

#include "audit/cbor.h"
#include "audit/record_key.h"

namespace sluice::audit {

std::optional<RecordOrigin> origin_of(ByteView record) noexcept {
  cbor::Reader in(record);
  if (!in.expect(cbor::Major::map)) return std::nullopt;
  const auto member = [&in](Key key) -> std::optional<std::uint64_t> {
    const auto found = in.unsigned_integer();
    if (!found || *found != static_cast<std::uint64_t>(key)) return std::nullopt;
    return in.unsigned_integer();
  };
  const auto time = member(Key::time);
  const auto epoch = time ? member(Key::epoch) : std::nullopt;
  const auto worker = epoch ? member(Key::worker) : std::nullopt;
  const auto sequence = worker ? member(Key::sequence) : std::nullopt;
  if (!sequence) return std::nullopt;
  return RecordOrigin{*time, *epoch, *worker, *sequence};
}

}  // namespace sluice::audit
