// A reader of the audit log written from docs/audit_log.md alone: whole files in memory,
// no code of audit/, every root computed from its definition. It says what a log holds
// and whether it proves it, so that recovery is not judged by the code that recovers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sluice::test {

/// The members of a record by key; arrays and maps are left out.
struct PlainRecord {
  std::map<std::uint64_t, std::uint64_t> numbers;
  std::map<std::uint64_t, std::string> texts;

  [[nodiscard]] std::uint64_t number(std::uint64_t key) const {
    const auto found = numbers.find(key);
    return found == numbers.end() ? 0 : found->second;
  }
  [[nodiscard]] std::string text(std::uint64_t key) const {
    const auto found = texts.find(key);
    return found == texts.end() ? std::string() : found->second;
  }
};

struct PlainLog {
  std::vector<PlainRecord> records;  ///< Those under a signed checkpoint.
  std::uint64_t commits = 0;
  std::string fault;  ///< The first thing that is not as the page says; empty: none.
};

/// verifier   the line of the public key that the log must be signed with.
PlainLog read_plain_log(const std::filesystem::path& directory, const std::string& verifier);

}  // namespace sluice::test
