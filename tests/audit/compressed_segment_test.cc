// Compressed, a sealed segment is the same segment to everybody who reads it.
#include "audit/compressed_segment.h"

#include <zstd.h>
#include <catch2/catch.hpp>

#include <random>

#include "audit/checkpoint.h"
#include "audit/consistency.h"
#include "audit/segment.h"
#include "faulty_disk.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

namespace fs = std::filesystem;

const std::atomic<bool> never = false;

/// Two sealed segments, the first of several blocks, and one that is not sealed.
struct SealedFolder : LogFolder {
  SealedFolder() {
    for (const std::uint64_t records : {700U, 100U, 3U}) {
      const auto log = open();
      for (std::uint64_t i = 0; i < records;) {
        if (log->worker(0).append_single(sample_intent(i))) ++i;  // else the ring is full
      }
    }
    for (std::uint64_t number = 1; number <= 2; ++number) {
      originals.push_back(read_file(plain(number)));
    }
    before = verify_with_key();
    REQUIRE(before.ok);
    records_before = records();
  }

  [[nodiscard]] Result<void> compress(std::uint64_t number, Disk& disk = real_disk()) const {
    return compress_segment(disk, plain(number), never);
  }
  [[nodiscard]] fs::path plain(std::uint64_t number) const {
    return segment_path(options.directory, number);
  }
  [[nodiscard]] fs::path compressed(std::uint64_t number) const {
    return compressed_path(plain(number));
  }
  void check_as_before() const {
    const VerifyReport report = verify_with_key();
    INFO(report.fault << " " << report.where);
    CHECK(report.ok);
    CHECK(report.root_hex == before.root_hex);
    CHECK(report.segments == before.segments);
    CHECK(records() == records_before);
  }

  std::vector<std::string> originals;
  std::vector<std::string> records_before;
  VerifyReport before;
};

struct CompressedFolder : SealedFolder {
  CompressedFolder() {
    REQUIRE(compress(1));
    REQUIRE(compress(2));
  }
};

}  // namespace

TEST_CASE_METHOD(CompressedFolder, "Compressed segments verify, read and are continued as before") {
  CHECK_FALSE(fs::exists(plain(1)));
  CHECK(fs::file_size(compressed(1)) < originals[0].size() / 2);
  CHECK(bytes_of_segment(plain(1)).value() == originals[0].size());
  check_as_before();
  { const auto log = open(); }
  CHECK(verify_with_key().ok);
}

TEST_CASE_METHOD(CompressedFolder, "Zstandard's own decompression gives the segment back") {
  for (std::uint64_t number = 1; number <= 2; ++number) {
    const std::string bytes = read_file(compressed(number));
    std::string out(originals[number - 1].size() + 1, '\0');
    const std::size_t size = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
    REQUIRE(ZSTD_isError(size) == 0);
    out.resize(size);
    CHECK(out == originals[number - 1]);
  }
}

TEST_CASE_METHOD(CompressedFolder, "Any place in a compressed segment is read by itself") {
  const auto file = SegmentFile::open(plain(1));
  REQUIRE(file);
  const std::string& original = originals[0];
  REQUIRE(original.size() > std::size_t{150} << 10);  // So there are two blocks.
  CHECK((*file)->size().value() == original.size());
  for (std::size_t at = original.size(); at > 0; at -= std::min<std::size_t>(at, 4'999)) {
    std::vector<std::uint8_t> out(100);
    const std::size_t got = (*file)->read(at, out).value();
    const std::size_t left = std::min(out.size(), original.size() - at);
    CHECK((left == 0 ? got == 0 : got > 0 && got <= left));
    CHECK(as_text(ByteView(out).first(got)) == std::string_view(original).substr(at, got));
  }
}

TEST_CASE_METHOD(CompressedFolder, "A proof of consistency is made from compressed segments") {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{555}, before.records - 1}) {
    const auto proof = prove_consistency(options.directory, size, before.records);
    REQUIRE(proof);
    CHECK_FALSE(proof->hashes.empty());
  }
}

TEST_CASE("Every flipped bit of a compressed segment is found") {
  const LogFolder folder;
  for (int run = 0; run < 2; ++run) {
    const auto log = folder.open();
    log->worker(0).append_single(sample_outcome());
  }
  const fs::path path = segment_path(folder.options.directory, 1);
  REQUIRE(compress_segment(real_disk(), path, never));
  const std::string good = read_file(compressed_path(path));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      write_byte(compressed_path(path), i, static_cast<unsigned char>(good[i]) ^ (1U << bit));
      const VerifyReport report = folder.verify_with_key();
      if (report.ok || report.where.find("segment-00000001.log") == std::string::npos) {
        FAIL_CHECK("byte " << i << " bit " << bit << ": " << report.fault);
      }
    }
    write_byte(compressed_path(path), i, static_cast<unsigned char>(good[i]));
  }
  CHECK(folder.verify_with_key().ok);
}

TEST_CASE_METHOD(CompressedFolder, "A compressed segment that was cut, or is another's, is found") {
  const std::string good = read_file(compressed(1));
  for (std::size_t length = good.size() - 1; length > 0; length -= 1 + length / 20) {
    write_file(compressed(1), std::string_view(good).substr(0, length));
    CHECK_FALSE(verify_with_key().ok);
  }
  write_file(compressed(1), good + '\0');
  CHECK_FALSE(verify_with_key().ok);
  fs::copy_file(compressed(2), compressed(1), fs::copy_options::overwrite_existing);
  CHECK(verify_with_key().fault.find("holds segment 2, expected 1") != std::string::npos);
  fs::remove(compressed(1));
  CHECK(verify_with_key().fault.find("segment-00000001.log is missing") != std::string::npos);
}

TEST_CASE_METHOD(SealedFolder, "A damaged segment keeps its damage, and what is said of it") {
  write_byte(plain(2), 700, 0xff);
  const VerifyReport damaged = verify_with_key();
  REQUIRE_FALSE(damaged.ok);
  REQUIRE(compress(2));
  const VerifyReport report = verify_with_key();
  CHECK(report.fault == damaged.fault);
  CHECK(report.where == damaged.where);
}

// The gateway was killed between a new segment's name and its first commit: the start
// removes that one, and the last is one that was compressed already.
TEST_CASE_METHOD(SealedFolder, "A log whose last segment is compressed is continued") {
  REQUIRE(compress(1));
  REQUIRE(compress(2));
  REQUIRE(compress(3));
  check_as_before();
  SECTION("by a start") {
    { const auto log = open(); }
  }
  SECTION("behind one that was only begun") {
    write_file(plain(4), "");
    { const auto log = open(); }
  }
  SECTION("behind one that is torn") {
    write_file(plain(4), std::string_view(originals[1]).substr(0, 60));
    { const auto log = open(); }
  }
  const VerifyReport report = verify_with_key();
  INFO(report.fault << " " << report.where);
  CHECK(report.ok);
  CHECK(report.records > before.records);
}

TEST_CASE_METHOD(SealedFolder, "Damage at the end of a compressed segment is no torn write") {
  const std::string checkpoint = read_file(options.directory / checkpoint_name);
  REQUIRE(compress(3));
  const std::string good = read_file(compressed(3));
  // Not even where the checkpoint file is an older one, as after power loss.
  auto signer = *Signer::load(options.signing_key);
  write_file(options.directory / checkpoint_name, *sign_checkpoint(signer, 0, Tree{}.root()));
  REQUIRE(verify_with_key().ok);
  for (const std::size_t at : {std::size_t{30}, good.size() - 1}) {
    write_byte(compressed(3), at, static_cast<unsigned char>(good[at]) ^ 1U);
    CHECK_FALSE(verify_with_key().ok);
    const auto opened = try_open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find("a sealed segment holds a bad frame") != std::string::npos);
    write_byte(compressed(3), at, static_cast<unsigned char>(good[at]));
  }
  write_file(options.directory / checkpoint_name, checkpoint);
  CHECK(verify_with_key().ok);
}

TEST_CASE_METHOD(SealedFolder, "Wherever the disk fails, the log reads as before") {
  for (const auto fault : {FaultyDisk::Fault::error, FaultyDisk::Fault::sync_error,
                           FaultyDisk::Fault::full, FaultyDisk::Fault::read_only}) {
    for (std::uint64_t fail_at = 1;; ++fail_at) {
      FaultyDisk disk(fail_at, fault);
      const auto done = compress(1, disk);
      INFO("operation " << fail_at << ", fault " << static_cast<int>(fault));
      check_as_before();
      CHECK_FALSE(fs::exists(compressed(1).string() + ".new"));
      if (done) {
        CHECK(fail_at > 2);
        break;
      }
      // What is left of it is no hindrance on a disk that works.
      if (fail_at % 2 == 0) REQUIRE(compress(1));
      if (fail_at % 2 == 0) check_as_before();
      fs::remove(compressed(1));
      write_file(plain(1), originals[0]);
    }
    fs::remove(compressed(1));
    write_file(plain(1), originals[0]);
  }
}

TEST_CASE_METHOD(SealedFolder, "Whenever power is lost, the log reads as before") {
  std::size_t left = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    FaultyDisk disk(1 + random() % 8, FaultyDisk::Fault::stopped);
    static_cast<void>(compress(1, disk));
    disk.cut_power(random);
    INFO("seed " << seed);
    check_as_before();
    left += fs::exists(compressed(1)) && fs::exists(plain(1)) ? 1U : 0U;
    if (fs::exists(plain(1))) REQUIRE(compress(1));
    check_as_before();
    fs::remove(compressed(1));
    write_file(plain(1), originals[0]);
  }
  CHECK(left > 5);  // The moments that matter were among them.
}

TEST_CASE_METHOD(SealedFolder, "One that is told to stop leaves the segment as it was") {
  const std::atomic<bool> stop = true;
  CHECK_FALSE(compress_segment(real_disk(), plain(1), stop));
  CHECK_FALSE(fs::exists(compressed(1)));
  CHECK_FALSE(fs::exists(compressed(1).string() + ".new"));
  check_as_before();
}

TEST_CASE_METHOD(SealedFolder, "Of two forms that differ neither is removed") {
  REQUIRE(compress(1));
  write_file(plain(1), originals[0]);
  write_byte(plain(1), 5'000, 0xff);
  CHECK_FALSE(compress(1));
  CHECK(fs::exists(plain(1)));
  CHECK(fs::exists(compressed(1)));
  CHECK_FALSE(verify_with_key().ok);
  fs::remove(plain(1));
  check_as_before();
}

}  // namespace sluice::audit
