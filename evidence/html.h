// Tables of a page that needs no other file and runs nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::evidence {

std::string html_escaped(std::string_view text);

using TableRows = std::vector<std::vector<std::string>>;
std::string html_table(const std::vector<std::string>& heads, const TableRows& rows);

/// Rows in the order in which they come: the first thousand, and how many more there were.
class FirstRows {
 public:
  void add(std::vector<std::string> row);
  [[nodiscard]] TableRows rows() const;

 private:
  TableRows rows_;
  std::uint64_t count_ = 0;
};

}  // namespace sluice::evidence
