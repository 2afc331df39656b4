// What people are told of a request: what they would be shown of it anyway, and less.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"

namespace sluice::control {

/// Nothing in it is unmasked: it is made of what GET /v1/requests/{id} shows.
struct Notice {
  /// Whoever must agree, and by which rule.
  struct Rule {
    std::string name = {};
    std::string needed = {};  ///< "2 of dba"
  };
  struct Decision {
    std::string verdict = {};  ///< "approve", "deny", "break-glass" or "review"
    std::string who = {};      ///< The subject.
    std::string reason = {};   ///< May be empty.
  };
  std::string event = {};      ///< Of config::request_events: the request's state.
  std::string request = {};    ///< Its name.
  std::string requester = {};  ///< The subject.
  std::string target = {};
  std::string protocol = {};
  std::string verb = {};
  std::string resource = {};
  std::string until = {};  ///< Undecided by then, it is refused; as a timestamp.
  std::vector<Rule> rules = {};
  std::vector<Decision> decisions = {};
  WallTime at = {};  ///< When it was told.
};

/// document  see to_json(const Request&).
/// nothing   it is no such object.
std::optional<Notice> notice_of(std::string_view document, WallTime at);

}  // namespace sluice::control
