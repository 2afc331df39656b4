#include "control/file_watch.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "temporary_folder.h"

using sluice::control::FileWatch;

namespace {
void write(const std::filesystem::path& path, const char* text) {
  std::ofstream(path) << text;
}
}  // namespace

TEST_CASE("a watch sees a file rewritten, replaced and brought back, each once") {
  const sluice::test::TemporaryFolder folder;
  const auto path = folder.path() / "keys.yaml";
  write(path, "one");
  FileWatch watch(path);
  CHECK_FALSE(watch.has_changed());

  write(path, "other");
  CHECK(watch.has_changed());
  CHECK_FALSE(watch.has_changed());

  write(folder.path() / "next", "other");
  std::filesystem::rename(folder.path() / "next", path);
  CHECK(watch.has_changed());
  CHECK_FALSE(watch.has_changed());

  std::filesystem::remove(path);
  CHECK_FALSE(watch.has_changed());
  write(path, "three");
  CHECK(watch.has_changed());
}

TEST_CASE("a watch without a file never reports") {
  FileWatch watch("");
  CHECK_FALSE(watch.has_changed());
}
