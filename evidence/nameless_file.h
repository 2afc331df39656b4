// Files that a package is made in. They have no names: nothing of them is left over, however the
// process ends.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::evidence {

/// Where they lie, and what they may take.
struct Workplace {
  std::filesystem::path folder;
  /// All of them together.
  std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();
  /// Asked often: an error ends the making, and is what it says. Empty: nothing ends it.
  std::function<Result<void>()> goes_on = {};
};

/// What is left of a workplace's bytes. Shared by its files, on one thread.
class Room {
 public:
  explicit Room(Workplace place) : place_(std::move(place)), left_(place_.bytes_max) {}

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return place_.folder; }
  [[nodiscard]] Result<void> goes_on() const;
  /// errors   there are not so many left, or it does not go on.
  Result<void> take(std::uint64_t bytes);

 private:
  Workplace place_;
  std::uint64_t left_;
};

class NamelessFile {
 public:
  static Result<NamelessFile> in(std::shared_ptr<Room> room);

  /// By which it can be read as long as it is here, from its beginning for each who opens it.
  [[nodiscard]] std::filesystem::path path() const;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  /// Up to so many bytes from there on, once flushed; empty at its end.
  /// errors   it cannot be read.
  [[nodiscard]] Result<std::string> read(std::uint64_t at, std::size_t bytes_max) const;

  Result<void> append(ByteView bytes) { return write(bytes_, bytes); }
  /// Over what is there, and behind it.
  Result<void> write(std::uint64_t at, ByteView bytes);
  /// Whoever reads it finds all of it.
  Result<void> flush();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  NamelessFile(std::shared_ptr<Room> room, std::FILE* file) : room_(std::move(room)), file_(file) {}

  std::shared_ptr<Room> room_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t at_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice::evidence
