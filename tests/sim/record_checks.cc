#include "record_checks.h"

#include <catch2/catch.hpp>

#include <map>

#include "record_member.h"

namespace sluice::dataplane {

using postgres_sim::member;

void check_session_ends(const std::vector<std::string>& records) {
  struct Seen {
    std::size_t operations = 0;
    std::string first;
    std::string last;
    bool is_over = false;
  };
  std::map<std::string, Seen> sessions;
  const auto count = [](const std::string& text) { return text.empty() ? "0" : text; };
  for (const std::string& record : records) {
    const std::string session = member(record, "session");
    if (session.empty()) continue;
    INFO(record);
    Seen& seen = sessions[session];
    CHECK_FALSE(seen.is_over);
    const std::string event = member(record, "event");
    if (event == "closed" || event == "refused") {
      CHECK(count(member(record, "operations")) == std::to_string(seen.operations));
      CHECK(member(record, "first_sequence") == seen.first);
      CHECK(member(record, "last_sequence") == seen.last);
      seen.is_over = true;
      continue;
    }
    seen.last = member(record, "sequence");
    if (seen.first.empty()) seen.first = seen.last;
    if (member(record, "phase") == "intent") ++seen.operations;
  }
  for (const auto& [session, seen] : sessions) {
    INFO("session " << session);
    CHECK(seen.is_over);
  }
}

}  // namespace sluice::dataplane
