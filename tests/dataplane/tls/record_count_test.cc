#include "dataplane/tls/record_count.h"

#include <catch2/catch.hpp>
#include <string>

namespace sluice::dataplane {
namespace {

std::string record(std::size_t size) {
  return std::string{0x17, 3, 3, static_cast<char>(size >> 8), static_cast<char>(size & 0xFF)} +
         std::string(size, 'x');
}

TEST_CASE("Records are counted alike wherever reads cut them", "[tls]") {
  const std::string bytes = record(1) + record(0) + record(300) + record(16'640);
  const std::size_t step = GENERATE(as<std::size_t>{}, 1, 2, 4, 5, 6, 7, 300, 305, 20'000);
  RecordCount count;
  CHECK(count.is_between());
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    count.pass(as_bytes(bytes).subspan(at, std::min(step, bytes.size() - at)));
  }
  CHECK(count.whole() == 4);
  CHECK(count.is_between());
}

TEST_CASE("Every place inside of a record is inside of it", "[tls]") {
  const std::string bytes = record(3) + record(2);
  RecordCount count;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    count.pass(as_bytes(bytes).subspan(i, 1));
    const bool is_end = i + 1 == record(3).size() || i + 1 == bytes.size();
    CHECK(count.is_between() == is_end);
  }
}

}  // namespace
}  // namespace sluice::dataplane
