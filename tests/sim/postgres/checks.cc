#include "checks.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "record_checks.h"
#include "record_member.h"
#include "reference.h"

namespace sluice::dataplane::postgres_sim {
namespace {

bool is_hidden(const std::string& bytes) {
  return bytes.find(secret_ssn) == std::string::npos &&
         bytes.find(secret_card) == std::string::npos;
}

}  // namespace

void check_replies(const Gateway& gateway, bool whole) {
  std::vector<std::string> committed;
  for (std::size_t i = 0; i < gateway.clients().size(); ++i) {
    const Client& client = *gateway.clients()[i];
    INFO("client " << i + 1 << ", " << client.identity().user);
    if (!client.identity().may_log_in) {
      CHECK_FALSE(client.is_logged_in());
      continue;
    }
    if (!client.is_logged_in()) {
      INFO(client.bytes());
      CHECK_FALSE(whole);
      continue;
    }
    Reference reference(gateway, client);
    const auto verdict = reference.judge();
    if (!verdict.fault.empty() && (whole || !verdict.is_missing)) FAIL_CHECK(verdict.fault);
    if (!whole || !verdict.is_whole) continue;
    for (const std::string& tag : reference.committed()) {
      INFO(tag);
      CHECK(gateway.database().committed.contains(tag));
    }
    committed.insert(committed.end(), reference.committed().begin(), reference.committed().end());
    for (const std::string& tag : gateway.database().committed) {
      if (client_of(tag) != i) continue;
      INFO(tag);
      CHECK(std::ranges::find(committed, tag) != committed.end());
    }
  }
}

void check_secrets(const Gateway& gateway) {
  for (const auto& client : gateway.clients()) {
    if (!client->identity().sees_all) CHECK(is_hidden(client->bytes()));
  }
}

void check_target(const Gateway& gateway) {
  const Database& database = gateway.database();
  for (const std::string& text : database.texts) {
    for (const Statement& statement : statements_of(text)) {
      INFO(text);
      const bool is_denied = statement.kind == Kind::secrets ||
                             statement.kind == Kind::mass_delete || statement.kind == Kind::broken;
      CHECK_FALSE(is_denied);
      if (statement.kind == Kind::copy_customers) {
        CHECK(gateway.clients().at(client_of(statement.tag))->identity().sees_all);
      }
    }
  }
  CHECK(database.wrong_cancels == 0);
  CHECK(database.trespasses == std::vector<std::string>());
  for (const Database::Execution& execution : database.executions) {
    const Client& client = *gateway.clients().at(client_of(execution.tag));
    INFO(execution.tag << " ran as " << execution.application);
    const bool is_named =
        execution.application == client.identity().user + " via sluice: simulation";
    const auto tags = tags_in(execution.application);
    CHECK((is_named || (tags.size() == 1 && client_of(tags[0]) == client_of(execution.tag))));
  }
  std::map<std::size_t, std::size_t> hits;
  for (const std::string& tag : database.cancelled_tags) {
    if (!tag.empty()) ++hits[client_of(tag)];
  }
  for (const auto& [client, count] : hits) {
    CHECK(count <= gateway.clients().at(client)->cancels());
  }
}

void check_rates(const Gateway& gateway) {
  std::map<std::string, std::vector<Instant>> times;  // by user
  for (const Database::Execution& execution : gateway.database().executions) {
    if (execution.kind != Kind::rated) continue;
    times[gateway.clients().at(client_of(execution.tag))->identity().user].push_back(execution.at);
  }
  for (auto& [user, at] : times) {
    std::ranges::sort(at);
    INFO(user);
    // All at once, and again as much in the second; some were on their way for a while.
    for (std::size_t i = 0; i + 3 * rated_max < at.size(); ++i) {
      CHECK(at[i + 3 * rated_max] > at[i] + seconds(1));
    }
  }
}

void check_cancels(const Gateway& gateway) {
  std::vector<Instant> came = gateway.database().cancels;
  std::vector<Instant> let_go;
  for (const auto& canceller : gateway.cancellers()) let_go.push_back(canceller->ended());
  std::ranges::sort(came, std::greater());
  std::ranges::sort(let_go, std::greater());
  REQUIRE(came.size() <= let_go.size());
  for (std::size_t i = 0; i < came.size(); ++i) CHECK(came[i] <= let_go[i]);
}

void check_connections(Gateway& gateway) {
  CHECK(gateway.worker().transport().connections_open() == 0);
  const Setup& setup = gateway.options().setup;
  // A target that moves is two.
  CHECK(gateway.upstreams_max() <= setup.connections * (setup.moves ? 2 : 1));
}

void check_log(Gateway& gateway) {
  gateway.stop();
  CHECK(gateway.worker().transport().pool().free_count() ==
        gateway.worker().transport().pool().size());
  const auto report = gateway.worker().verify_log();
  INFO(report.fault << " " << report.where);
  CHECK(report.ok);

  std::set<std::string> open;                  // executions
  std::map<std::string, std::size_t> intents;  // by tag
  std::set<std::string> sessions;              // that were opened
  std::set<std::string> ended;
  const auto records = gateway.worker().records();
  check_session_ends(records);
  for (const std::string& record : records) {
    const bool hidden = is_hidden(record);
    CHECK(hidden);
    const std::string session = member(record, "session");
    const std::string begin = session + "/";
    const std::string operation = begin + member(record, "operation");
    const std::string phase = member(record, "phase");
    const std::string event = member(record, "event");
    INFO(record);
    if (phase == "intent" && member(record, "ruling") == "allow") {
      CHECK(sessions.contains(session));
      CHECK(open.insert(operation).second);
      for (const std::string& tag : tags_in(member(record, "resource"))) ++intents[tag];
    } else if (phase == "outcome") {
      CHECK(open.erase(operation) == 1);
    } else if (event == "opened") {
      CHECK(sessions.insert(session).second);
    } else if (event == "closed" || event == "refused") {
      // Who was let in but not to the target is told so, too, and was not opened.
      CHECK(ended.insert(session).second);
      sessions.erase(session);
      const auto first = open.lower_bound(begin);
      CHECK_FALSE((first != open.end() && first->starts_with(begin)));
    }
  }
  CHECK(open.empty());
  CHECK(sessions == std::set<std::string>());
  const auto was_here = [](const auto& client) {
    return client->is_logged_in() || client->is_refused();
  };
  CHECK(ended.size() >=
        static_cast<std::size_t>(std::ranges::count_if(gateway.clients(), was_here)));
  for (const Database::Execution& execution : gateway.database().executions) {
    INFO(execution.tag);
    REQUIRE(intents[execution.tag] > 0);
    --intents[execution.tag];
  }
}

void check_holds(const Gateway& gateway) {
  std::map<std::string, std::size_t> ran;  // by request
  for (const std::string& record : gateway.worker().records()) {
    const bool is_held_rule = member(record, "rule") == "with trust";
    if (member(record, "phase") != "intent" || member(record, "ruling") != "allow") continue;
    INFO(record);
    CHECK(is_held_rule == !member(record, "approval").empty());
    if (is_held_rule) ++ran[member(record, "approval")];
  }
  for (const Gateway::Request& request : gateway.requests()) {
    INFO(request.what.request);
    REQUIRE(request.end.has_value());
    const std::size_t times = ran[request.what.request];
    CHECK(times == (*request.end == config::HoldEnd::ran ? 1 : 0));
    if (times != 0) CHECK(request.is_approved);
    ran.erase(request.what.request);
  }
  CHECK(ran.empty());
}

}  // namespace sluice::dataplane::postgres_sim
