// A zip file, written once and read by member. The only place that knows libzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/nameless_file.h"

struct zip;

namespace sluice::evidence {

struct Member {
  std::string name;
  std::string content;
};

/// A member whose content is a file's.
struct FileMember {
  std::string name;
  std::filesystem::path file;
};

/// Writes members, then those that are files, into an empty file.
Result<void> write_archive(NamelessFile& to, std::span<const Member> members,
                           std::span<const FileMember> files);

class Archive {
 public:
  static Result<Archive> open(const std::filesystem::path& path);

  [[nodiscard]] std::vector<std::string> names() const;
  /// error   there is no such member, it is damaged, or longer than `bytes_max`.
  Result<std::string> read(const std::string& name, std::size_t bytes_max) const;
  /// Hands on a member's bytes piece by piece; stops at the first false.
  Result<void> stream(const std::string& name, const std::function<bool(ByteView)>& each) const;

 private:
  struct Discard {
    void operator()(zip* archive) const noexcept;
  };
  explicit Archive(zip* archive) noexcept : archive_(archive) {}
  std::unique_ptr<zip, Discard> archive_;
};

}  // namespace sluice::evidence
