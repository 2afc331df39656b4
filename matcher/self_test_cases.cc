#include "matcher/self_test_cases.h"

#include <array>

namespace sluice::matcher {

std::span<const SelfTestCase> self_test_cases() {
  using Kind = Finder::Kind;
  static const std::array cases = {
      SelfTestCase{{Kind::builtin, "payment-card"},
                   "4111111111111111 5500-0000-0000-0004 4111111111111112",
                   "[redacted] [redacted] 4111111111111112"},
      SelfTestCase{{Kind::builtin, "iban"},
                   "GB82 WEST 1234 5698 7654 32, DE89370400440532013000, DE88370400440532013000",
                   "[redacted], [redacted], DE88370400440532013000"},
      SelfTestCase{{Kind::builtin, "us-ssn"}, "123-45-6789 000-45-6789", "[redacted] 000-45-6789"},
      SelfTestCase{
          {Kind::builtin, "email"}, "<joe@example.com> joe@example", "<[redacted]> joe@example"},
      SelfTestCase{{Kind::builtin, "phone"},
                   "+49 30 1234567, (415) 555-2671, 2024-01-31",
                   "[redacted], [redacted], 2024-01-31"},
      SelfTestCase{{Kind::builtin, "jwt"},
                   "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln eyJhbGciOiJIUzI1NiJ9.x",
                   "[redacted] eyJhbGciOiJIUzI1NiJ9.x"},
      SelfTestCase{{Kind::builtin, "aws-key"},
                   "AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPL",
                   "[redacted] AKIAIOSFODNN7EXAMPL"},
      SelfTestCase{{Kind::builtin, "bearer-token"},
                   "Bearer abc123== the bearer of",
                   "Bearer [redacted] the bearer of"},
      SelfTestCase{{Kind::builtin, "ip"},
                   "10.20.30.40 2001:db8::ff00:42:8329 10.20.30.400 12:30:59",
                   "[redacted] [redacted] 10.20.30.400 12:30:59"},
      SelfTestCase{
          {Kind::regex, "tok_[a-z0-9]{8,16}"}, "tok_a1b2c3d4e5 tok_short", "[redacted] tok_short"},
      SelfTestCase{{Kind::regex, "(?i)\\bsecret-[0-9]{3}\\b"},
                   "SECRET-123 secret-1234",
                   "[redacted] secret-1234"},
      SelfTestCase{
          {Kind::regex, "[A-F]{2,4}:[0-9]{1,5}"}, "ABCDEF:123456 G:1", "AB[redacted]6 G:1"},
      SelfTestCase{{Kind::regex, "cat|concatenate"}, "concatenate cat", "[redacted] [redacted]"},
  };
  return cases;
}

}  // namespace sluice::matcher
