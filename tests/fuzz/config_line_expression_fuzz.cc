// Input: an expression, a NUL, a value, a NUL, other values. Whatever other
// header lines follow, an expression on one field finds the same.
#include <hs.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "config/model/line_expression.h"

namespace {

using namespace sluice;

bool occurs(const hs_database_t* database, hs_scratch_t* scratch, std::string subject) {
  const std::size_t size = subject.size();
  subject.append(readable_tail_bytes, '\0');
  bool is_found = false;
  const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned,
                           void* found) {
    *static_cast<bool*>(found) = true;
    return 0;
  };
  if (hs_scan(database, subject.data(), static_cast<unsigned>(size), 0, scratch, on_match,
              &is_found) != HS_SUCCESS) {
    std::abort();
  }
  return is_found;
}

/// Header values hold no control characters: the codec refuses them.
std::string value_of(std::string_view text) {
  std::string value;
  for (const char c : text) value += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '.' : c;
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = as_text(ByteView(data, size));
  const auto next = [&] {
    const std::size_t end = std::min(input.find('\0'), input.size());
    const std::string_view part = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return part;
  };
  const std::string_view pattern = next();
  const std::string value = value_of(next());
  const std::string other = value_of(next());
  // Long repeats make Hyperscan's compiler slow; that is not what is tested here.
  if (pattern.size() > 48 || value.size() > 256 || other.size() > 256) return 0;

  const auto expression = config::line_expression("X-Name", pattern);
  if (!expression) return 0;
  hs_database_t* raw_database = nullptr;
  hs_compile_error_t* fault = nullptr;
  if (hs_compile(expression->c_str(), HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH, HS_MODE_BLOCK, nullptr,
                 &raw_database, &fault) != HS_SUCCESS) {
    hs_free_compile_error(fault);
    return 0;
  }
  const std::unique_ptr<hs_database_t, decltype(&hs_free_database)> database(raw_database,
                                                                             &hs_free_database);
  hs_scratch_t* raw_scratch = nullptr;
  if (hs_alloc_scratch(database.get(), &raw_scratch) != HS_SUCCESS) std::abort();
  const std::unique_ptr<hs_scratch_t, decltype(&hs_free_scratch)> scratch(raw_scratch,
                                                                          &hs_free_scratch);

  const std::string line = "x-name: " + value + "\n";
  const std::string before = "a: " + other + "\n";
  const std::string after = "z-name: " + other + "\n";
  const bool alone = occurs(database.get(), scratch.get(), line);
  const bool among = occurs(database.get(), scratch.get(), before + line + after);
  const bool without = occurs(database.get(), scratch.get(), before + after);
  if (alone != among || without) {
    std::fprintf(stderr, "'%s' became '%s' and is not confined\n", std::string(pattern).c_str(),
                 expression->c_str());
    std::abort();
  }
  return 0;
}
