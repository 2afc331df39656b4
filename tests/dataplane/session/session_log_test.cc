// No session ends without a record that says what it left.
#include "dataplane/session/session_log.h"

#include <catch2/catch.hpp>

#include "audit/flush_signal.h"
#include "audit/frame.h"
#include "audit/operation_key.h"
#include "audit/ring.h"
#include "audit/verify.h"
#include "temporary_folder.h"

namespace sluice::dataplane {
namespace {

struct LogOfOne {
  test::TemporaryFolder folder;
  std::unique_ptr<audit::Ring> ring =
      *audit::Ring::create(folder.path() / "ring-0", audit::Ring::bytes_min, 0, 7);
  audit::FlushSignal signal;
  audit::OperationKey key{audit::OperationKey::Bytes{}};
  audit::WorkerLog log{*ring, signal, key};
  Now now{{1}, {2}};
  SessionEnds ends{log, now};

  /// All records that are not taken yet, as JSON.
  std::vector<std::string> take() {
    std::vector<std::string> out;
    for (ByteView unread = ring->unread(); !unread.empty();) {
      const audit::FrameStep step = audit::read_frame(unread);
      REQUIRE(step.kind == audit::FrameStep::Kind::frame);
      out.push_back(audit::to_json(step.payload()).value());
      ring->take(step.bytes);
      unread = unread.subspan(step.bytes);
    }
    ring->release_taken();
    return out;
  }
  audit::Record intent() const {
    audit::Record record;
    record.time = now;
    record.session = 5;
    return record;
  }
};

bool ends_with(const std::string& text, std::string_view end) {
  return text.ends_with(end);
}

}  // namespace

TEST_CASE_METHOD(LogOfOne, "A session's last record counts its operations and spans its records") {
  {
    SessionLog session(ends, 5);
    REQUIRE(session.append_intent(intent()));
    REQUIRE(session.append_single(intent()));
    audit::Record outcome = intent();
    outcome.phase = audit::Phase::outcome;
    session.append_outcome(outcome);
  }
  const auto records = take();
  REQUIRE(records.size() == 4);
  CHECK(records.back().find(R"("phase":"session")") != std::string::npos);
  CHECK(ends_with(records.back(), R"("session":5,"event":"closed","operations":2,)"
                                  R"("first_sequence":1,"last_sequence":3})"));
}

TEST_CASE_METHOD(LogOfOne, "A session that left no record leaves none of its end") {
  { const SessionLog session(ends, 5); }
  CHECK(take().empty());
}

TEST_CASE_METHOD(LogOfOne,
                 "A session that gives its own account of its end adds the counts to that") {
  {
    SessionLog session(ends, 5);
    REQUIRE(session.append_intent(intent()));
    audit::Record last;
    last.phase = audit::Phase::session;
    last.time = now;
    last.session = 5;
    last.event = "closed";
    last.detail = "by the client";
    REQUIRE(session.append_last(last));
  }
  const auto records = take();
  REQUIRE(records.size() == 2);
  CHECK(ends_with(
      records.back(),
      R"("detail":"by the client","operations":1,"first_sequence":1,"last_sequence":1})"));
}

TEST_CASE_METHOD(LogOfOne, "An end that finds the ring full is recorded once there is room") {
  auto session = std::make_unique<SessionLog>(ends, 5);
  auto other = std::make_unique<SessionLog>(ends, 6);
  REQUIRE(other->append_single(intent()));
  while (session->append_single(intent())) {
  }
  session.reset();
  other.reset();
  ends.flush();
  const std::string last_before = take().back();
  CHECK(last_before.find("closed") == std::string::npos);
  ends.flush();
  const auto records = take();
  REQUIRE(records.size() == 2);
  CHECK(records[0].find(R"("session":5)") != std::string::npos);
  CHECK(records[1].find(R"("session":6)") != std::string::npos);
  ends.flush();
  CHECK(take().empty());
}

}  // namespace sluice::dataplane
