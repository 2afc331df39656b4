// The page that an auditor reads first: what happened in the range, counted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "evidence/manifest.h"

namespace sluice::evidence {

class Report {
 public:
  /// A record as one line of JSON, in log order.
  void add(const std::string& record);
  /// Needs no other file, and runs nothing.
  [[nodiscard]] std::string html(const Manifest& manifest) const;

 private:
  struct Access {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t held = 0;
  };
  struct Line {
    std::string time;
    std::vector<std::string> words;
  };
  using Table = std::vector<std::vector<std::string>>;
  [[nodiscard]] Table access_table() const;
  static Table lines_table(const std::vector<Line>& lines, std::uint64_t count);

  std::map<std::tuple<std::string, std::string, std::string>, Access> access_;
  std::map<std::string, std::uint64_t> masks_;
  std::map<std::string, std::uint64_t> results_;
  std::vector<Line> denials_;  ///< The first of them.
  std::uint64_t denials_count_ = 0;
  struct Beats {
    std::uint64_t count = 0;
    std::uint64_t unsure = 0;  ///< Whose clock was not synchronised.
    std::uint64_t last_ns = 0;
    std::uint64_t longest_gap_ns = 0;
  };
  [[nodiscard]] Table beats_table() const;

  std::map<std::string, Beats> beats_;  ///< By epoch.
  std::vector<Line> events_;            ///< Of the gateway itself; the first of them.
  std::uint64_t events_count_ = 0;
};

}  // namespace sluice::evidence
