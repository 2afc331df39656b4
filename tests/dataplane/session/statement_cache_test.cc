// Memory is bounded, and what comes again is not displaced by what comes once.
#include "dataplane/session/statement_cache.h"

#include <catch2/catch.hpp>

#include "dataplane/session/statement_judge.h"

namespace sluice::dataplane {
namespace {

const FingerprintKey key(5, 6);

Fingerprint print_of(int number) {
  return key.of(std::to_string(number));
}

std::shared_ptr<const StatementInfo> info_with(std::size_t text_bytes) {
  auto info = std::make_shared<StatementInfo>();
  info->text.assign(text_bytes, 'x');
  return info;
}

}  // namespace

TEST_CASE("A statement that comes again stays, however many come once") {
  StatementCache cache;
  const auto often = info_with(10);
  cache.put(print_of(-1), often);
  const auto once = info_with(10);
  for (int i = 0; i < 100'000; ++i) {
    if (i % 5'000 == 0) {
      KnownStatement* const known = cache.find(print_of(-1));
      REQUIRE(known != nullptr);
      CHECK(known->info == often);
    }
    cache.put(print_of(i), once);
    REQUIRE(cache.size() <= StatementCache::statements_max);
  }
  CHECK(cache.find(print_of(99'999)) != nullptr);
  CHECK(cache.find(print_of(0)) == nullptr);
}

TEST_CASE("What is known of all statements has room in a fixed number of bytes") {
  StatementCache cache;
  const auto large = info_with(200'000);
  for (int i = 0; i < 1'000; ++i) {
    cache.put(print_of(i), large);
    REQUIRE(cache.bytes() <= StatementCache::bytes_max);
  }
  CHECK(cache.size() > 50);
  CHECK(cache.size() < 100);
  CHECK(cache.find(print_of(999)) != nullptr);
}

TEST_CASE("A statement too large to be remembered is known once, and displaces nothing") {
  StatementCache cache;
  cache.put(print_of(1), info_with(10));
  const auto huge = info_with(StatementCache::statement_bytes_max);
  KnownStatement& known = cache.put(print_of(2), huge);
  CHECK(known.info == huge);
  cache.put_text(print_of(3), known);
  CHECK(cache.find(print_of(2)) == nullptr);
  CHECK(cache.find_text(print_of(3)) == nullptr);
  CHECK(cache.find(print_of(1)) != nullptr);
}

TEST_CASE("A text is not taken for a statement that made room for another") {
  StatementCache cache;
  KnownStatement& first = cache.put(print_of(0), info_with(10));
  cache.put_text(print_of(-1), first);
  REQUIRE(cache.find_text(print_of(-1)) != nullptr);
  const auto other = info_with(10);
  for (int i = 1; i < 100'000; ++i) cache.put(print_of(i), other);
  REQUIRE(cache.find(print_of(0)) == nullptr);
  CHECK(cache.find_text(print_of(-1)) == nullptr);
}

TEST_CASE("A text that came again keeps its place against one that comes once") {
  StatementCache cache;
  KnownStatement& known = cache.put(print_of(0), info_with(10));
  cache.put_text(print_of(-1), known);
  for (int i = 1; i < 20'000; ++i) {
    REQUIRE(cache.find_text(print_of(-1)) != nullptr);
    cache.put_text(print_of(i), known);
  }
}

}  // namespace sluice::dataplane
