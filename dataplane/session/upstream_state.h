// What a protocol knows of a connection to a target, beyond one client's session.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/fingerprint.h"

namespace sluice::dataplane {

/// Travels with the connection: the session that lets it go hands this over, and who
/// gets it next gets this back.
class UpstreamState {
 public:
  virtual ~UpstreamState() = default;
  UpstreamState(const UpstreamState&) = delete;
  UpstreamState& operator=(const UpstreamState&) = delete;

  /// Only who asks with the same key may get the connection.
  [[nodiscard]] virtual const Fingerprint& key() const noexcept = 0;
  /// What the target must be told, and answer, before anybody gets it; empty: nothing.
  /// It outlives the state.
  [[nodiscard]] virtual ByteView reset_request() const noexcept = 0;
  /// What the target answers. False: the connection is of no use. Nothing: there is more.
  virtual std::optional<bool> on_reset_bytes(ByteView bytes) = 0;

 protected:
  UpstreamState() = default;
};

}  // namespace sluice::dataplane
