#include "exports/file_destination.h"

#include <catch2/catch.hpp>

#include "log_fixture.h"
#include "sample.h"
#include "temporary_folder.h"

namespace sluice::exports {

using audit::read_file;
using audit::write_file;

namespace {

Batch lines(std::string text) {
  return {.frames = std::move(text), .records = 1};
}

}  // namespace

TEST_CASE("Lines go to numbered files; a size and a start begin the next one") {
  const test::TemporaryFolder folder;
  const auto directory = folder.path() / "made" / "here";
  {
    FileDestination files(directory, "siem", 20);
    REQUIRE(files.send(lines("first line\n")).has_value());
    REQUIRE(files.send(lines("second line\n")).has_value());
    REQUIRE(files.send(lines("third line\n")).has_value());
  }
  CHECK(read_file(directory / "siem-00000001.log") == "first line\nsecond line\n");
  FileDestination files(directory, "siem", 20);
  REQUIRE(files.send(lines("fourth line\n")).has_value());
  CHECK(read_file(directory / "siem-00000002.log") == "third line\n");
  CHECK(read_file(directory / "siem-00000003.log") == "fourth line\n");
}

TEST_CASE("A line that a crash left unfinished is removed") {
  const std::string half(200'000, 'x');
  for (const std::string whole : {"", "whole\n", "one\ntwo\n"}) {
    const test::TemporaryFolder folder;
    write_file(folder.path() / "siem-00000001.log", whole + half);
    FileDestination files(folder.path(), "siem", 1'000'000);
    REQUIRE(files.send(lines("next\n")).has_value());
    CHECK(read_file(folder.path() / "siem-00000001.log") == whole);
    CHECK(read_file(folder.path() / "siem-00000002.log") == "next\n");
  }
}

TEST_CASE("Other files of the directory are left alone") {
  const test::TemporaryFolder folder;
  for (const char* name : {"siem-7.log", "siem-00000009.txt", "siem-more-00000008.log"}) {
    write_file(folder.path() / name, "theirs");
  }
  FileDestination files(folder.path(), "siem", 1'000);
  REQUIRE(files.send(lines("ours\n")).has_value());
  CHECK(read_file(folder.path() / "siem-00000001.log") == "ours\n");
}

TEST_CASE("A directory that cannot be made is an error with its name") {
  const test::TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  FileDestination files(folder.path() / "file" / "below", "siem", 1'000);
  const auto done = files.send(lines("x\n"));
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message.find("below") != std::string::npos);
}

}  // namespace sluice::exports
