#include "dataplane/session/server_statements.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using namespace sluice::dataplane;

namespace {

constexpr FingerprintKey key(1, 2);

Fingerprint print_of(std::size_t n) {
  return key.of("text " + std::to_string(n));
}

/// Sent, and answered.
ServerStatements::Id prepared(ServerStatements& statements, std::size_t n) {
  const auto id = statements.add(print_of(n));
  statements.confirm(id);
  statements.begin_pipeline();
  return id;
}

}  // namespace

TEST_CASE("A statement is sent once per connection") {
  ServerStatements statements(key, 1);
  CHECK(statements.use(print_of(1)) == nullptr);
  const auto id = prepared(statements, 1);
  REQUIRE(statements.use(print_of(1)) != nullptr);
  CHECK(statements.use(print_of(1))->id == id);
  CHECK(statements.use(print_of(2)) == nullptr);
}

TEST_CASE("A statement that is not confirmed is good within its own pipeline only") {
  ServerStatements statements(key, 1);
  const auto id = statements.add(print_of(1));
  CHECK_FALSE(statements.is_undecided(print_of(1)));
  statements.begin_pipeline();
  CHECK(statements.is_undecided(print_of(1)));
  SECTION("it came") {
    statements.confirm(id);
    CHECK_FALSE(statements.is_undecided(print_of(1)));
    CHECK(statements.use(print_of(1)) != nullptr);
  }
  SECTION("it was skipped") {
    statements.forget(id);
    CHECK_FALSE(statements.is_undecided(print_of(1)));
    CHECK(statements.use(print_of(1)) == nullptr);
  }
}

TEST_CASE("No name is used twice, nor on two connections") {
  ServerStatements one(key, 1);
  ServerStatements other(key, 2);
  const auto first = prepared(one, 1);
  one.clear();
  const auto second = prepared(one, 1);
  CHECK(first != second);
  CHECK(prepared(other, 1) != first);
  const ServerStatements::Name name(first);
  CHECK(name.text().starts_with("sluice_"));
  CHECK(name.text().size() == 23);
  CHECK(ServerStatements::Name(0).text().empty());
}

TEST_CASE("What was not used for longest goes") {
  ServerStatements statements(key, 1);
  const auto oldest = prepared(statements, 0);
  for (std::size_t n = 1; n < ServerStatements::known_max; ++n) prepared(statements, n);
  CHECK_FALSE(statements.has_room());
  SECTION("the first one") {
    CHECK(statements.evict() == oldest);
    CHECK(statements.has_room());
    CHECK(statements.use(print_of(0)) == nullptr);
  }
  SECTION("unless it was used since") {
    CHECK(statements.use(print_of(0)) != nullptr);
    statements.begin_pipeline();
    CHECK(statements.evict() != oldest);
    CHECK(statements.use(print_of(1)) == nullptr);
  }
  SECTION("but none that this pipeline uses") {
    for (std::size_t n = 0; n < ServerStatements::known_max; ++n) {
      CHECK(statements.use(print_of(n)) != nullptr);
    }
    CHECK(statements.evict() == 0);
  }
}

TEST_CASE("What SQL may have dropped is sent anew, and closed under its old name") {
  ServerStatements statements(key, 1);
  const auto id = prepared(statements, 1);
  statements.distrust();
  CHECK(statements.use(print_of(1)) == nullptr);
  CHECK(statements.take_unclosed() == id);
  CHECK(statements.take_unclosed() == 0);
  statements.keep_closing(id);
  CHECK(statements.take_unclosed() == id);
}

TEST_CASE("The unnamed statement is the last one that was sent") {
  ServerStatements statements(key, 1);
  CHECK_FALSE(statements.has_unnamed(Fingerprint{}));
  const auto id = statements.set_unnamed(print_of(1));
  CHECK(statements.has_unnamed(print_of(1)));
  statements.begin_pipeline();
  CHECK_FALSE(statements.has_unnamed(print_of(1)));
  statements.confirm(id);
  CHECK(statements.has_unnamed(print_of(1)));
  statements.set_unnamed(print_of(2));
  CHECK_FALSE(statements.has_unnamed(print_of(1)));
  statements.forget_unnamed();
  CHECK_FALSE(statements.has_unnamed(print_of(2)));
}
