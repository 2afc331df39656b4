#include "dataplane/session/masked_host.h"

#include <catch2/catch.hpp>
#include <string>

using sluice::dataplane::MaskedHost;

TEST_CASE("A masked host is remembered for its text and its configuration only") {
  MaskedHost memo;
  CHECK_FALSE(memo.find("", 1));
  memo.remember("10.0.0.1:80", 4, "[redacted]:80");
  CHECK(memo.find("10.0.0.1:80", 4) == "[redacted]:80");
  CHECK_FALSE(memo.find("10.0.0.1:8", 4));
  CHECK_FALSE(memo.find("10.0.0.1:800", 4));
  CHECK_FALSE(memo.find("10.0.0.1:80", 5));
  memo.remember("api", 4, "api");
  CHECK(memo.find("api", 4) == "api");
  CHECK_FALSE(memo.find("10.0.0.1:80", 4));
}

TEST_CASE("A host that is too long to remember leaves the last one remembered") {
  MaskedHost memo;
  const std::string longest(MaskedHost::bytes_max, 'a');
  memo.remember(longest, 1, "short");
  CHECK(memo.find(longest, 1) == "short");
  memo.remember(longest + "a", 1, "other");
  CHECK_FALSE(memo.find(longest + "a", 1));
  memo.remember("h", 1, longest + "a");
  CHECK_FALSE(memo.find("h", 1));
  CHECK(memo.find(longest, 1) == "short");
}
