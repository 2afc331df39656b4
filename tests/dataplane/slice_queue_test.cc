// What leaves when, as far as the audit log decides it.
#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <string_view>

#include "dataplane/slice_queue.h"

using namespace sluice;
using namespace sluice::dataplane;

namespace {

/// What may leave while the log is durable so far.
std::string leaving(SliceQueue& queue, std::uint64_t durable_through) {
  std::array<Slice, slices_per_send_max> slices;
  std::array<BufferId, slices_per_send_max> buffers;
  std::string out;
  const std::size_t count = queue.begin_send(slices, buffers, durable_through);
  for (std::size_t i = 0; i < count; ++i) out += as_text({slices[i].data, slices[i].size_bytes});
  queue.abandon_send();
  return out;
}

void push(SliceQueue& queue, std::string_view text) {
  queue.push_static(as_bytes(text));
}

}  // namespace

TEST_CASE("Slices leave up to the first whose record is not durable") {
  SliceQueue queue;
  push(queue, "rows ");
  queue.set_gate(7);
  push(queue, "end ");
  queue.set_gate(9);
  push(queue, "next");
  CHECK(leaving(queue, 6) == "rows ");
  CHECK(leaving(queue, 7) == "rows end ");
  CHECK_FALSE(queue.may_leave(8));
  CHECK(leaving(queue, 9) == "rows end next");
  CHECK(queue.may_leave(9));
}

TEST_CASE("An empty queue may not end its connection before the last record is durable") {
  SliceQueue queue;
  CHECK(queue.may_leave(0));
  queue.set_gate(3);
  CHECK_FALSE(queue.may_leave(2));
  CHECK(queue.may_leave(3));
}

TEST_CASE("What waits for a record to come leaves with that record, or with none") {
  SliceQueue queue;
  queue.set_gate(2);
  push(queue, "rows ");
  queue.close_gate();
  push(queue, "complete ");
  CHECK(leaving(queue, 1'000'000) == "rows ");
  queue.set_gate(5);
  push(queue, "ready");
  CHECK(leaving(queue, 4) == "rows ");
  CHECK(leaving(queue, 5) == "rows complete ready");

  SliceQueue other;
  other.set_gate(2);
  other.close_gate();
  push(other, "complete ");
  other.open_gate();
  push(other, "rows");
  CHECK(leaving(other, 2) == "complete rows");
  other.open_gate();
  CHECK(other.may_leave(2));
}

TEST_CASE("What waits for a record to come does not leave with another that came before it") {
  SliceQueue queue;
  queue.close_gate();
  push(queue, "complete ");
  queue.raise_gate(3);
  CHECK(leaving(queue, 3).empty());
  queue.set_gate(4);
  CHECK(leaving(queue, 4) == "complete ");

  SliceQueue other;
  other.close_gate();
  other.raise_gate(3);
  other.open_gate();
  push(other, "refused");
  CHECK(leaving(other, 2).empty());
  CHECK(leaving(other, 3) == "refused");
}
