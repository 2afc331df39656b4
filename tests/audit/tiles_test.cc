// Whatever size the log had when tiles were made, they are those of its newest checkpoint.
#include "audit/tiles.h"

#include <catch2/catch.hpp>

#include "audit/log.h"
#include "audit/merkle.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

namespace fs = std::filesystem;
using Content = Tiles::Content;

struct TiledFolder : LogFolder {
  /// A log with so many records more, and those of a start and a stop.
  void grow(std::uint64_t records) const {
    const auto log = open();
    WorkerLog& worker = log->worker(0);
    for (std::uint64_t i = 0; i < records;) {
      if (worker.append_single(sample_outcome(i))) ++i;  // else the ring is full for a moment
    }
  }
  [[nodiscard]] Result<void> advance(Content content = Content::entries) const {
    auto tiles = Tiles::open(options.directory, tiles_folder(), content);
    if (!tiles) return tl::unexpected(tiles.error());
    return tiles->advance();
  }
  [[nodiscard]] fs::path tiles_folder() const { return folder.path() / "tiles"; }
  [[nodiscard]] fs::path tile(const std::string& name) const { return tiles_folder() / name; }

  [[nodiscard]] std::vector<std::string> all_records() const {
    std::vector<std::string> out;
    REQUIRE(read_records(options.directory, 0, [&](std::uint64_t, ByteView record) {
      out.emplace_back(as_text(record));
      return true;
    }));
    return out;
  }
  /// Each tile is what the records say, none is missing, and of full ones no part is left.
  void check_tiles() const {
    std::vector<Hash> hashes;
    for (const std::string& record : all_records()) hashes.push_back(leaf_hash(as_bytes(record)));
    CHECK(read_file(tile("checkpoint")) == read_file(options.directory / "checkpoint"));
    for (unsigned level = 0; !hashes.empty(); ++level) {
      std::vector<Hash> above;
      for (std::size_t at = 0; at < hashes.size(); at += 256) {
        const std::size_t width = std::min<std::size_t>(256, hashes.size() - at);
        const std::string name = tile_path(level, at / 256, width);
        const auto* const begin = reinterpret_cast<const char*>(hashes[at].data());
        if (read_file(tile(name)) != std::string(begin, width * sizeof(Hash))) FAIL(name);
        if (width < 256) break;
        Tree tree;
        for (std::size_t i = 0; i < width; ++i) tree.append_hash(hashes[at + i]);
        above.push_back(tree.root());
        CHECK_FALSE(fs::exists(tile(name + ".p")));
      }
      hashes = std::move(above);
    }
  }
  void check_bundles() const {
    const std::vector<std::string> records = all_records();
    for (std::size_t at = 0; at < records.size(); at += 256) {
      const std::size_t width = std::min<std::size_t>(256, records.size() - at);
      std::string expected;
      for (std::size_t i = at; i < at + width; ++i) {
        expected += static_cast<char>(records[i].size() / 256);
        expected += static_cast<char>(records[i].size() % 256);
        expected += records[i];
      }
      const std::string name = bundle_path(at / 256, width);
      if (read_file(tile(name)) != expected) FAIL(name);
      CHECK_FALSE((width == 256 && fs::exists(tile(name + ".p"))));
    }
  }
  void check_refused(const std::string& words, Content content = Content::entries) const {
    const auto done = advance(content);
    REQUIRE_FALSE(done);
    INFO(done.error().message);
    CHECK(done.error().message.find(words) != std::string::npos);
  }
};

}  // namespace

TEST_CASE("A tile's path is what tlog-tiles says") {
  CHECK(tile_path(0, 0, 256) == "tile/0/000");
  CHECK(tile_path(1, 67, 8) == "tile/1/067.p/8");
  CHECK(tile_path(0, 1'234'067, 256) == "tile/0/x001/x234/067");
  CHECK(tile_path(2, 1'000, 1) == "tile/2/x001/000.p/1");
  CHECK(bundle_path(0, 256) == "tile/entries/000");
  CHECK(bundle_path(1'234'067, 8) == "tile/entries/x001/x234/067.p/8");
}

TEST_CASE_METHOD(TiledFolder, "Tiles grow with the log, level by level") {
  for (const std::uint64_t records : {10U, 300U, 1'000U, 65'000U}) {
    grow(records);
    REQUIRE(advance());
    check_tiles();
    check_bundles();
  }
  CHECK(fs::exists(tile("tile/2/000.p/1")));
  REQUIRE(advance());  // Nothing new.
  check_tiles();
}

TEST_CASE_METHOD(TiledFolder, "One maker of tiles goes on as the log does") {
  grow(10);
  auto tiles = Tiles::open(options.directory, tiles_folder(), Content::entries);
  REQUIRE(tiles);
  for (const std::uint64_t records : {0U, 3U, 250U, 600U}) {
    grow(records);
    REQUIRE(tiles->advance());
    CHECK(tiles->size() == all_records().size());
    check_tiles();
    check_bundles();
  }
}

TEST_CASE_METHOD(TiledFolder, "Without entries nothing in the tiles tells what a record says") {
  grow(300);
  REQUIRE(advance(Content::hashes));
  check_tiles();
  CHECK_FALSE(fs::exists(tile("tile/entries")));
  check_refused("was begun without entries");
  grow(300);
  REQUIRE(advance(Content::hashes));
  check_tiles();
}

TEST_CASE_METHOD(TiledFolder, "An empty log has a checkpoint and no tiles") {
  { const auto log = open(); }
  auto signer = *Signer::load(options.signing_key);
  fs::create_directory(folder.path() / "empty");
  write_file(folder.path() / "empty/checkpoint", *sign_checkpoint(signer, 0, Tree{}.root()));
  for (int run = 0; run < 2; ++run) {
    auto tiles = Tiles::open(folder.path() / "empty", tiles_folder(), Content::entries);
    REQUIRE(tiles);
    REQUIRE(tiles->advance());
  }
  CHECK_FALSE(fs::exists(tile("tile")));
  REQUIRE(advance());  // The log has begun.
  check_tiles();
}

TEST_CASE_METHOD(TiledFolder,
                 "Tiles of an older checkpoint stay as they are until full ones are there") {
  grow(600);
  REQUIRE(advance());
  const std::size_t before = all_records().size();
  const fs::path upper = tile(tile_path(1, 0, before / 256));
  const fs::path lower = tile(tile_path(0, before / 256, before % 256));
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(24);
  fs::last_write_time(upper, long_ago);
  fs::last_write_time(lower, long_ago);
  grow(20);
  REQUIRE(advance());
  CHECK(fs::last_write_time(upper) == long_ago);
  CHECK(fs::last_write_time(lower) == long_ago);
  grow(300);
  REQUIRE(advance());
  CHECK_FALSE(fs::exists(lower));
  check_tiles();
}

TEST_CASE_METHOD(TiledFolder, "Tiles go on from wherever a power cut left them") {
  grow(500);
  REQUIRE(advance());
  const fs::path before = folder.path() / "before";
  fs::copy(tiles_folder(), before, fs::copy_options::recursive);
  grow(500);
  REQUIRE(advance());
  // All new tiles are there, or cut, and nothing of the older checkpoint was touched.
  const auto again = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
  SECTION("whole") {}
  SECTION("cut") {
    for (const auto& file : fs::recursive_directory_iterator(tiles_folder())) {
      if (file.is_regular_file()) fs::resize_file(file, fs::file_size(file) / 2);
    }
  }
  SECTION("as drafts") {
    for (const char* name : {"tile/0/001", "tile/entries/001"}) {
      fs::rename(tile(name), tile(std::string(name) + ".new"));
    }
  }
  fs::copy(before, tiles_folder(), again);
  REQUIRE(advance());
  check_tiles();
  check_bundles();
}

TEST_CASE_METHOD(TiledFolder,
                 "Tiles that were changed, or are another log's, are not gone on with") {
  grow(300);
  REQUIRE(advance());
  const std::size_t records = all_records().size();
  const auto spoil = [&](const std::string& name, const std::string& words) {
    const std::string good = read_file(tile(name));
    write_byte(tile(name), 5, static_cast<unsigned char>(good[5]) ^ 1U);
    check_refused(words);
    write_file(tile(name), std::string_view(good).substr(1));
    CHECK_FALSE(advance());
    fs::remove(tile(name));
    check_refused("cannot read");
    write_file(tile(name), good);
    REQUIRE(advance());
  };
  spoil(tile_path(0, 1, records % 256), "are not those of the checkpoint");
  spoil(tile_path(1, 0, 1), "are not those of the checkpoint");
  spoil(bundle_path(1, records % 256), "is not what the tiles say");
  check_refused("was begun with entries", Content::hashes);

  const TiledFolder other;
  other.grow(400);
  auto tiles = Tiles::open(other.options.directory, tiles_folder(), Content::entries);
  REQUIRE(tiles);
  const auto mixed = tiles->advance();
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().message.find("does not continue") != std::string::npos);
}

TEST_CASE_METHOD(TiledFolder, "A folder without a log has no tiles") {
  check_refused("holds no audit log");
}

}  // namespace sluice::audit
