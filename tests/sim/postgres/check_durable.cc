// What a client may rely on with durable release: how much of the log was on disk when
// the target ran something, and when the client was told of its end.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

#include "checks.h"
#include "record_member.h"
#include "reference.h"

namespace sluice::dataplane::postgres_sim {
namespace {

/// Sequences of records, in their order.
using Sequences = std::vector<std::uint64_t>;

struct Recorded {
  std::map<std::string, Sequences> intents;  // by tag
  std::map<std::size_t, Sequences> ends;     // by client: of executions that went well
};

Recorded recorded_of(const SimWorker& worker) {
  Recorded all;
  std::map<std::string, std::size_t> clients;  // by session
  std::map<std::string, Sequences> ends;
  for (const std::string& record : worker.records()) {
    const std::string phase = member(record, "phase");
    const std::string session = member(record, "session");
    if (phase == "intent") {
      for (const std::string& tag : tags_in(member(record, "resource"))) {
        all.intents[tag].push_back(std::stoull(member(record, "sequence")));
        clients[session] = client_of(tag);
      }
    } else if (phase == "outcome" && member(record, "result") == "ok") {
      ends[session].push_back(std::stoull(member(record, "sequence")));
    }
  }
  for (auto& [session, sequences] : ends) {
    if (clients.contains(session)) all.ends[clients[session]] = std::move(sequences);
  }
  return all;
}

/// Which of the messages that a client got ended an execution that went well.
std::vector<std::size_t> ends_told(const Reference& reference, const Client& client) {
  struct Answer {
    std::size_t end = 0;  // the last of its messages that ends one
    bool has_end = false;
    bool is_over = false;
    bool has_failed = false;
  };
  std::map<std::size_t, Answer> answers;  // by the client's message
  const std::size_t count = std::min(client.received().size(), reference.replies());
  std::size_t cause = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // A Query may copy in several times; all that is one answer.
    if (!reference.is_copied_in(reference.cause_of(i))) cause = reference.cause_of(i);
    Answer& answer = answers[cause];
    const char tag = client.received()[i].tag;
    if (tag == 'C' || tag == 's') {
      answer.end = i;
      answer.has_end = true;
    }
    answer.has_failed = answer.has_failed || tag == 'E';
    // Of a Query, the end that counts is the one before ReadyForQuery.
    answer.is_over = answer.is_over || tag == 'Z' || !reference.is_query(cause);
  }
  std::vector<std::size_t> ends;
  for (const auto& [number, answer] : answers) {
    if (answer.has_end && answer.is_over && !answer.has_failed) ends.push_back(answer.end);
  }
  return ends;
}

}  // namespace

void check_durable(const Gateway& gateway) {
  Recorded recorded = recorded_of(gateway.worker());
  std::map<std::string, std::size_t> runs;  // by tag
  for (const Database::Execution& execution : gateway.database().executions) {
    INFO(execution.tag);
    const Sequences& intents = recorded.intents[execution.tag];
    const std::size_t run = runs[execution.tag]++;
    REQUIRE(run < intents.size());
    CHECK(intents[run] <= execution.durable);
  }
  for (std::size_t i = 0; i < gateway.clients().size(); ++i) {
    const Client& client = *gateway.clients()[i];
    // Its session is known by the tags that it left.
    if (!client.is_logged_in() || !recorded.ends.contains(i)) continue;
    INFO("client " << i + 1);
    const Reference reference(gateway, client);
    const Sequences& ends = recorded.ends[i];
    std::size_t told = 0;
    for (const std::size_t message : ends_told(reference, client)) {
      INFO("message " << message);
      REQUIRE(told < ends.size());
      CHECK(ends[told++] <= client.durable_then()[message]);
    }
  }
}

}  // namespace sluice::dataplane::postgres_sim
