#include <catch2/catch.hpp>

#include "load/mix.h"

using namespace sluice;
using load::read_mix;

namespace {

std::string first_problem(std::string_view text) {
  const auto loaded = read_mix(text, "mix.yaml");
  return loaded.problems.empty() ? "" : loaded.problems.front().text();
}

}  // namespace

TEST_CASE("a mix is read from YAML") {
  const auto loaded = read_mix(R"(
identities: [sk_a, sk_b]
think: 5ms..20ms
requests:
  - name: pay
    weight: 3
    method: POST
    path: /v1/payments
    headers: {Authorization: "Bearer {{identity}}", Content-Type: application/json}
    body: '{"card":"{{card}}"}'
    expect: {status: 201, no_unmasked_card: true}
  - path: /v1/list?page={{number 1..9}}
    body_size: 1KiB
    expect: {status: 2xx, sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad}
)",
                               "mix.yaml");
  for (const auto& problem : loaded.problems) UNSCOPED_INFO(problem.text());
  REQUIRE(loaded.problems.empty());
  const load::Mix& mix = loaded.mix;
  CHECK(mix.identities == std::vector<std::string>{"sk_a", "sk_b"});
  CHECK(mix.think_min == milliseconds(5));
  CHECK(mix.think_max == milliseconds(20));
  REQUIRE(mix.requests.size() == 2);
  const load::MixRequest& pay = mix.requests[0];
  CHECK(pay.name == "pay");
  CHECK(pay.weight == 3);
  CHECK(pay.method == "POST");
  CHECK(pay.path == "/v1/payments");
  CHECK(pay.headers.size() == 2);
  CHECK(pay.body == "{\"card\":\"{{card}}\"}");
  CHECK(pay.expect.status->holds(201));
  CHECK(pay.expect.no_unmasked_card);
  const load::MixRequest& list = mix.requests[1];
  CHECK(list.name == "request 2");
  CHECK(list.method == "GET");
  CHECK(list.body.size() == 1024);
  CHECK(list.expect.digest->front() == 0xba);
}

TEST_CASE("JSON is read as well") {
  const auto loaded = read_mix(
      R"({"think": "1s", "requests": [{"name": "a", "path": "/", "expect": {"status": "200"}}]})",
      "m");
  CHECK(loaded.problems.empty());
  CHECK(loaded.mix.think_max == seconds(1));
  CHECK(loaded.mix.requests.size() == 1);
}

TEST_CASE("a fault is told with file, line, column and what was meant") {
  struct Row {
    const char* text;
    const char* says;
  };
  for (const Row& row : {
           Row{"requests: [{pth: /}]", "mix.yaml:1:13: unknown key 'pth'; did you mean 'path'?"},
           Row{"request: []", "mix.yaml:1:1: unknown key 'request'; did you mean 'requests'?"},
           Row{"requests: [{body: '{{crad}}'}]",
               "mix.yaml:1:19: '{{crad}}' is no placeholder; did you mean 'card'?"},
           Row{"requests:\n  - weight: 0", "mix.yaml:2:13: '0' is not a weight"},
           Row{"requests: [{path: no}]", "mix.yaml:1:19: a path begins with '/'"},
           Row{"requests: [{path: '/a b'}]", "mix.yaml:1:19: a path begins"},
           Row{"requests: [{path: '/{{uuid}} b'}]", "mix.yaml:1:19: a path begins"},
           Row{"requests: [{method: 'G T'}]", "mix.yaml:1:21: a method is one word"},
           Row{"requests: [{headers: [a]}]",
               "mix.yaml:1:22: expected names with values, found a list"},
           Row{"requests: [{headers: {'a b': c}}]", "'a b' is not a header's name"},
           Row{"requests: [{headers: {a: \"b\\nc\"}}]", "a header's value is one line"},
           Row{"requests: [{headers: {Content-Length: 1}}]", "leave this header out"},
           Row{"requests: [{body: a, body_size: 1KiB}]", "either 'body' or 'body_size'"},
           Row{"requests: [{body_size: 1GiB}]", "at most 64MiB"},
           Row{"requests: [{body_size: x}]", "mix.yaml:1:24: "},
           Row{"requests: [{expect: {status: 20}}]", "'20' is not a status such as 201 or 2xx"},
           Row{"requests: [{expect: {sha256: ab}}]", "64 hexadecimal digits"},
           Row{"requests: [{expect: {no_unmasked_card: yes}}]", "neither true nor false"},
           Row{"requests: [{name: a}, {name: a}]", "a second request is called 'a'"},
           Row{"requests: [{headers: {A: '{{identity}}'}}]", "'identities' lists none"},
           Row{"identities: [a]\nrequests: [{path: /}]", "mix.yaml:1:13: nothing uses these"},
           Row{"identities: ['a b']\nrequests: [{path: '/{{identity}}'}]", "an identity is a key"},
           Row{"think: 20ms..5ms\nrequests: [{path: /}]",
               "mix.yaml:1:8: '20ms..5ms' is not a time"},
           Row{"requests: []", "expected a list, found an empty one"},
           Row{"think: 1s", "'requests' is missing"},
           Row{"requests: [{path: /, path: /}]", "'path' is given twice"},
           Row{"[]", "expected a section with keys, found a list"},
           Row{"", "the file is empty"},
       }) {
    CAPTURE(row.text, first_problem(row.text));
    CHECK(first_problem(row.text).find(row.says) != std::string::npos);
  }
}

TEST_CASE("all problems of a mix are told, not only the first") {
  CHECK(read_mix("requests: [{pth: /, weight: x}, {mehtod: GET}]", "m").problems.size() == 3);
}
