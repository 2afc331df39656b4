// What the audit log has of a call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "control/api/call.h"
#include "control/api/target.h"

namespace sluice::control::api {

/// Borrows what it was made of, as do the records that it gives.
class Entry {
 public:
  /// target   one that the row is at.
  Entry(const Call& call, const Target& target, const Caller& caller);

  /// A change before it takes effect, with the caller's reason, or what is disclosed before it is,
  /// with what was asked for.
  [[nodiscard]] audit::Record called(std::string_view reason) const;
  /// For want of a role; with why a credential proved nobody.
  [[nodiscard]] audit::Record denied(const Problem& problem) const;
  /// A change that was not made, or not wholly; what was not disclosed.
  [[nodiscard]] audit::Record failed(const Problem& problem) const;

 private:
  [[nodiscard]] audit::Record with(std::string_view event) const;

  const Call& call_;
  std::string path_;  ///< Without secrets.
  const Caller& caller_;
  std::vector<std::string_view> groups_;
  std::vector<audit::Actor> actors_;
};

}  // namespace sluice::control::api
