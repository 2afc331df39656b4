// Hyperscan on one subject, as the matcher room uses it: '.' matches every byte.
#pragma once

#include <hs.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::config {

/// Whether `expression` occurs in `subject`; fails the test when it does not compile.
inline bool occurs(const std::string& expression, std::string_view subject) {
  hs_database_t* raw_database = nullptr;
  hs_compile_error_t* fault = nullptr;
  INFO(expression);
  const hs_error_t compiled = hs_compile(expression.c_str(), HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH,
                                         HS_MODE_BLOCK, nullptr, &raw_database, &fault);
  if (compiled != HS_SUCCESS) {
    const std::string message = fault->message;
    hs_free_compile_error(fault);
    FAIL(message);
  }
  const std::unique_ptr<hs_database_t, decltype(&hs_free_database)> database(raw_database,
                                                                             &hs_free_database);
  hs_scratch_t* raw_scratch = nullptr;
  REQUIRE(hs_alloc_scratch(database.get(), &raw_scratch) == HS_SUCCESS);
  const std::unique_ptr<hs_scratch_t, decltype(&hs_free_scratch)> scratch(raw_scratch,
                                                                          &hs_free_scratch);
  // Hyperscan 5.4.0 reads behind the end it is given.
  std::string padded(subject);
  padded.append(64, '\0');
  bool is_found = false;
  const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned,
                           void* found) {
    *static_cast<bool*>(found) = true;
    return 0;
  };
  REQUIRE(hs_scan(database.get(), padded.data(), static_cast<unsigned>(subject.size()), 0,
                  scratch.get(), on_match, &is_found) == HS_SUCCESS);
  return is_found;
}

}  // namespace sluice::config
