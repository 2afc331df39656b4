// The vector code and its scalar twin say the same of any bytes at any place.
#include "parsers/http1/scan.h"

#include <catch2/catch.hpp>
#include <random>

#include "guarded_bytes.h"

using namespace sluice;
using namespace sluice::http1;

namespace {

/// Mostly bytes of all classes, with some of any value.
std::vector<std::uint8_t> random_bytes(std::minstd_rand& random, std::size_t size) {
  constexpr std::string_view usual = "abcXYZ019-_/.:%";
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) {
    byte = random() % 24 == 0 ? static_cast<std::uint8_t>(random())
                              : static_cast<std::uint8_t>(usual[random() % 12]);
  }
  return bytes;
}

template <class Class>
void compare(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  for (const char* at = begin;; ++at) {
    if (scan::end_of_run<Class>(at, begin, end) != scan::end_of_run_scalar<Class>(at, end)) {
      FAIL("twins differ at " << at - begin << " of " << text.size());
    }
    if (at == end) break;
  }
}

}  // namespace

TEST_CASE("each byte is in the same class for vector and scalar code") {
  for (unsigned value = 0; value < 256; ++value) {
    for (const std::size_t place : {0U, 15U, 16U, 31U, 32U, 39U}) {
      std::string text(40, 'a');
      text[place] = static_cast<char>(value);
      compare<scan::Token>(text);
      compare<scan::Value>(text);
      compare<scan::Visible>(text);
      compare<scan::HostName>(text);
    }
  }
}

TEST_CASE("runs end at the same byte for vector and scalar code, short of a guard page") {
  std::minstd_rand random(7);
  testing::GuardedBytes room(256);
  for (unsigned round = 0; round < 2000; ++round) {
    const std::string_view text = as_text(room.hold(random_bytes(random, random() % 200)));
    compare<scan::Token>(text);
    compare<scan::Value>(text);
    compare<scan::Visible>(text);
    compare<scan::HostName>(text);
  }
}

TEST_CASE("a scanner of lines finds what single scans find, short of a guard page") {
  std::minstd_rand random(11);
  testing::GuardedBytes room(512);
  for (unsigned round = 0; round < 5000; ++round) {
    const std::string_view text = as_text(room.hold(random_bytes(random, random() % 400)));
    const char* const end = text.data() + text.size();
    scan::LineScanner scanner(text.data(), text.data(), end);
    for (const char* at = text.data(); at != end;) {
      const bool is_name = random() % 2 == 0;
      const char* const found = is_name ? scanner.end_of_token(at) : scanner.end_of_value(at);
      const char* const expected = is_name ? scan::end_of_run_scalar<scan::Token>(at, end)
                                           : scan::end_of_run_scalar<scan::Value>(at, end);
      REQUIRE(found - text.data() == expected - text.data());
      at = found == end ? end : found + 1;
    }
  }
}
