#include "cli/key_line.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace sluice::cli {

Result<std::string> key_line(const std::string& key) {
  if (key.empty()) return std::string();
  std::error_code ignored;
  if (!std::filesystem::exists(key, ignored)) {
    // A key's line has a '+' in it; what has none was meant as a file.
    if (key.find('+') == std::string::npos) return fail(fmt::format("there is no file '{}'", key));
    return key;
  }
  std::ifstream file(key);
  std::string line;
  if (!std::getline(file, line)) return fail(fmt::format("cannot read the key file '{}'", key));
  return line;
}

}  // namespace sluice::cli
