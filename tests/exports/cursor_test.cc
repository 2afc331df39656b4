#include "exports/cursor.h"

#include <catch2/catch.hpp>

#include "log_fixture.h"
#include "must.h"
#include "temporary_folder.h"

namespace sluice::exports {

using test::must;

TEST_CASE("A cursor is read as it was written, also over an unfinished one") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "export-siem.cursor";
  CHECK_FALSE(must(read_cursor(path)).has_value());
  Cursor cursor{12'345, audit::sha256(as_bytes("a record"))};
  REQUIRE(write_cursor(path, cursor).has_value());
  CHECK(must(read_cursor(path)) == cursor);
  audit::write_file(folder.path() / "export-siem.cursor.new", "half of");
  cursor.next = 20'000;
  REQUIRE(write_cursor(path, cursor).has_value());
  CHECK(must(read_cursor(path)) == cursor);
}

TEST_CASE("What is no cursor is an error, never a beginning") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "cursor";
  REQUIRE(write_cursor(path, {7, {}}).has_value());
  const std::string good = audit::read_file(path);
  for (std::size_t size = 0; size < good.size(); ++size) {
    audit::write_file(path, good.substr(0, size));
    INFO(size);
    CHECK_FALSE(read_cursor(path).has_value());
  }
  audit::write_file(path, good + "more\n");
  CHECK_FALSE(read_cursor(path).has_value());
}

}  // namespace sluice::exports
