#include "evidence/html.h"

#include <fmt/format.h>

namespace sluice::evidence {
namespace {

constexpr std::size_t rows_max = 1000;

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_table(const std::vector<std::string>& heads, const TableRows& rows) {
  if (rows.empty()) return "<p>None.</p>\n";
  std::string out = "<table><tr>";
  for (const std::string& head : heads) out += fmt::format("<th>{}</th>", html_escaped(head));
  out += "</tr>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += fmt::format("<td>{}</td>", html_escaped(cell));
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

void FirstRows::add(std::vector<std::string> row) {
  if (++count_ <= rows_max) rows_.push_back(std::move(row));
}

TableRows FirstRows::rows() const {
  TableRows out = rows_;
  if (count_ > out.size()) out.push_back({fmt::format("… and {} more", count_ - out.size())});
  return out;
}

}  // namespace sluice::evidence
