// Packages under a name, as tests read and change them.
#pragma once

#include <array>
#include <filesystem>
#include <span>

#include "audit/log_signer.h"
#include "evidence/archive.h"
#include "evidence/package.h"

namespace sluice::evidence {

inline void keep(const NamelessFile& file, const std::filesystem::path& path) {
  std::filesystem::copy_file(file.path(), path, std::filesystem::copy_options::overwrite_existing);
}

/// In the folder of `path`, which is left alone when it fails.
inline Result<PackageSummary> make_package_at(const std::filesystem::path& path,
                                              PackageOptions package,
                                              const std::filesystem::path& key) {
  package.place.folder = path.parent_path();
  audit::LocalSigner signer(*audit::Signer::load(key));
  auto made = make_package(package, signer);
  if (!made) return tl::unexpected(made.error());
  keep(made->file, path);
  return made->summary;
}

/// last   a file for the content of the last member.
inline Result<void> write_archive_at(const std::filesystem::path& path,
                                     std::span<const Member> members,
                                     const std::filesystem::path& last) {
  auto file = NamelessFile::in(std::make_shared<Room>(Workplace{.folder = path.parent_path()}));
  if (!file) return tl::unexpected(file.error());
  auto done = write_archive(*file, members.first(members.size() - 1),
                            std::array{FileMember{members.back().name, last}});
  if (done) keep(*file, path);
  return done;
}

}  // namespace sluice::evidence
