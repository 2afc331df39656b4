#include "recordings/item.h"

#include <catch2/catch.hpp>

namespace sluice::recordings {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes encoded(const Item& item) {
  Bytes out(item.content.size() + item_overhead_max);
  out.resize(encode(item, out));
  return out;
}

}  // namespace

TEST_CASE("An item is an array of its kind, time, operation and content") {
  const Item item{ItemKind::statement, 1'000, 3, as_bytes("select ?")};
  const Bytes bytes = encoded(item);
  CHECK(bytes ==
        Bytes{0x84, 0x02, 0x19, 0x03, 0xe8, 0x03, 0x48, 's', 'e', 'l', 'e', 'c', 't', ' ', '?'});
  ByteView in = bytes;
  const auto back = take_item(in);
  REQUIRE(back);
  CHECK(in.empty());
  CHECK(back->kind == item.kind);
  CHECK(back->time_ns == item.time_ns);
  CHECK(back->operation == item.operation);
  CHECK(as_text(back->content) == "select ?");
}

TEST_CASE("Of several items each is taken in turn, and what is cut is none") {
  Bytes all = encoded({ItemKind::request, 1, 1, as_bytes("GET / HTTP/1.1")});
  const Bytes second = encoded({ItemKind::response, 2, 1, as_bytes("HTTP/1.1 200 OK")});
  all.insert(all.end(), second.begin(), second.end());
  for (std::size_t size = 0; size <= all.size(); ++size) {
    ByteView in = ByteView(all).first(size);
    std::size_t taken = 0;
    while (take_item(in)) ++taken;
    CHECK(taken == (size == all.size() ? 2U : size >= all.size() - second.size() ? 1U : 0U));
  }
}

TEST_CASE("An item of an unknown kind, of other members, or not deterministic is none") {
  for (const Bytes& bad : {Bytes{0x84, 0x00, 0x01, 0x01, 0x40}, Bytes{0x84, 0x0b, 0x01, 0x01, 0x40},
                           Bytes{0x83, 0x01, 0x01, 0x40}, Bytes{0x84, 0x01, 0x18, 0x01, 0x01, 0x40},
                           Bytes{0x84, 0x01, 0x01, 0x01, 0x60}}) {
    ByteView in = bad;
    CHECK_FALSE(take_item(in));
  }
}

TEST_CASE("A head reads back, and nothing else does") {
  const Subject subject{"4be3f0c1d2a59687-3-1", "postgres", "ledger", "ledger-db", "ann", 3};
  const std::string head = encode_head(subject, 7);
  const auto back = parse_head(as_bytes(head));
  REQUIRE(back);
  CHECK(back->chunk == 7);
  CHECK(back->subject.recording == subject.recording);
  CHECK(back->subject.protocol == subject.protocol);
  CHECK(back->subject.listener == subject.listener);
  CHECK(back->subject.target == subject.target);
  CHECK(back->subject.principal == subject.principal);
  CHECK(back->subject.session == subject.session);
  for (std::size_t size = 0; size < head.size(); ++size) {
    CHECK_FALSE(parse_head(as_bytes(head).first(size)));
  }
  CHECK_FALSE(parse_head(as_bytes(head + '\0')));
}

}  // namespace sluice::recordings
