// What the audit log has of a call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/record.h"
#include "control/api/call.h"

namespace sluice::control::api {

/// Borrows what it was made of, as do the records that it gives.
class Entry {
 public:
  Entry(const Call& call, std::string_view path, const Caller& caller);

  /// A change before it takes effect, or what is disclosed before it is.
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
