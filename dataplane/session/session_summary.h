// One client connection as people see it: values, which cross threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.h"
#include "config/model/settings.h"

namespace sluice::dataplane {

enum class SessionState : std::uint8_t {
  arriving,  ///< Nobody is proved yet.
  idle,
  busy,    ///< An operation is under way.
  held,    ///< One waits for people.
  ending,  ///< Its client is told why.
};

struct SessionSummary {
  std::uint64_t number = 0;  ///< As in records.
  WallTime since;            ///< When its client arrived.
  std::string peer;
  std::string listener;
  std::string target;
  config::Protocol protocol = config::Protocol::http;
  SessionState state = SessionState::arriving;
  std::string subject;   ///< Whom its client proved last; empty: nobody.
  std::string issuer;    ///< Who vouched.
  std::string database;  ///< Of a database's.
  std::uint64_t operations = 0;
};

/// Some of a worker's sessions.
struct SessionPage {
  std::vector<SessionSummary> sessions;
  std::optional<std::uint32_t> next;  ///< Where the next page begins; nothing: this is the last.
};

/// What somebody asks of a worker's sessions, between two of its turns. Each answers once, from
/// the worker's thread, and waits for nothing.
struct SessionSurvey {
  std::uint32_t from = 0;  ///< A place in the table of connections.
  std::function<void(SessionPage)> answer;
};
struct SessionLookup {
  std::uint64_t session = 0;
  bool kill = false;
  /// Nothing: there is none of that number.
  std::function<void(std::optional<SessionSummary>)> answer;
};

/// A page never holds a worker up for longer than some tens of microseconds.
inline constexpr std::size_t sessions_per_page = 128;
inline constexpr std::size_t places_per_page = 2048;

}  // namespace sluice::dataplane
