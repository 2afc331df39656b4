// A record of the log as JSON: what one of its members holds.
#pragma once

#include <string>

namespace sluice::dataplane::postgres_sim {

/// Empty: it has no such member.
inline std::string member(const std::string& record, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = record.find(key);
  if (at == std::string::npos) return {};
  std::size_t begin = at + key.size();
  const bool is_text = record[begin] == '"';
  if (is_text) ++begin;
  std::size_t end = begin;
  while (end < record.size() &&
         (is_text ? record[end] != '"' : record[end] != ',' && record[end] != '}')) {
    end += record[end] == '\\' ? 2U : 1U;
  }
  return record.substr(begin, end - begin);
}

}  // namespace sluice::dataplane::postgres_sim
