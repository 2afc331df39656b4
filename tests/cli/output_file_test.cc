#include "cli/output_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>

#include "temporary_folder.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

struct Outputs {
  test::TemporaryFolder folder;
  fs::path path = folder.path() / "out.zip";

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
  }
};

TEST_CASE_METHOD(Outputs, "A file has its name when it is whole, and not before") {
  {
    auto file = OutputFile::begin(path).value();
    REQUIRE(file.append(as_bytes("half")));
    CHECK_FALSE(fs::exists(path));
    CHECK(files() == 1);
    SECTION("finished") {
      REQUIRE(file.append(as_bytes(", whole")));
      REQUIRE(file.finish());
      CHECK(fs::file_size(path) == 11);
    }
    SECTION("not finished") {}
  }
  CHECK(files() == (fs::exists(path) ? 1U : 0U));
}

TEST_CASE_METHOD(Outputs, "A file that is there stays as it is") {
  auto first = OutputFile::begin(path).value();
  REQUIRE(first.append(as_bytes("first")));
  REQUIRE(first.finish());
  const auto second = OutputFile::begin(path);
  REQUIRE_FALSE(second);
  CHECK(second.error().message == path.string() + " exists already");
  CHECK(files() == 1);

  // It came while the other was written.
  fs::rename(path, folder.path() / "aside");
  std::optional third = std::move(*OutputFile::begin(path));
  fs::rename(folder.path() / "aside", path);
  REQUIRE(third->append(as_bytes("third")));
  CHECK_FALSE(third->finish());
  third.reset();
  CHECK(fs::file_size(path) == 5);
  CHECK(files() == 1);
  CHECK_FALSE(OutputFile::begin(folder.path() / "absent" / "x"));
}

}  // namespace
}  // namespace sluice::cli
