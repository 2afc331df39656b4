// Live sessions, as whoever wires the program gives them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"

namespace sluice::control::api {

struct SessionView {
  std::string id = {};  ///< Names it among all processes of the gateway.
  WallTime since = {};  ///< When its client arrived.
  std::string_view protocol = {};
  std::string_view state = {};  ///< One of session_states.
  std::string peer = {};
  std::string listener = {};
  std::string target = {};
  std::string subject = {};  ///< Empty: nobody is proved.
  std::string issuer = {};
  std::string database = {};  ///< Empty: none.
  std::uint64_t operations = 0;
};

/// What to look for. Empty texts match all.
struct SessionQuery {
  std::string after = {};  ///< The `next` of the page before; empty: from the beginning.
  std::size_t limit = 0;
  std::string subject = {};
  std::string listener = {};
  std::string target = {};
};

struct SessionsPage {
  std::vector<SessionView> sessions = {};
  std::string next = {};  ///< Empty: there are no more.
};

}  // namespace sluice::control::api
