// What a protocol knows of a connection to a target, beyond one client's session.
#pragma once

namespace sluice::dataplane {

/// Travels with the connection: the session that lets it go hands this over, and who
/// gets it next gets this back.
class UpstreamState {
 public:
  virtual ~UpstreamState() = default;
  UpstreamState(const UpstreamState&) = delete;
  UpstreamState& operator=(const UpstreamState&) = delete;

 protected:
  UpstreamState() = default;
};

}  // namespace sluice::dataplane
