#include "parsers/postgres/header.h"

#include <catch2/catch.hpp>
#include <map>

#include "cases.h"

using namespace sluice;
using namespace sluice::postgres;
using namespace sluice::testing;

namespace {

constexpr std::uint32_t any = body_bytes_max;

/// The sizes a body may have, by tag; what is not here does not exist.
struct Sizes {
  std::uint32_t min;
  std::uint32_t max;
};
const std::map<char, Sizes> frontend = {
    {'B', {8, any}}, {'C', {2, 10'000}}, {'D', {2, 10'000}}, {'E', {5, 10'000}}, {'F', {10, any}},
    {'H', {0, 0}},   {'P', {4, any}},    {'Q', {1, any}},    {'S', {0, 0}},      {'X', {0, 0}},
    {'c', {0, 0}},   {'d', {0, any}},    {'f', {1, 10'000}}, {'p', {0, 65'535}},
};
const std::map<char, Sizes> backend = {
    {'1', {0, 0}},       {'2', {0, 0}},      {'3', {0, 0}},       {'A', {6, any}},
    {'C', {1, 29'996}},  {'D', {2, any}},    {'E', {1, any}},     {'G', {3, 131'073}},
    {'H', {3, 131'073}}, {'I', {0, 0}},      {'K', {8, 260}},     {'N', {1, any}},
    {'R', {4, 1'996}},   {'S', {2, 29'996}}, {'T', {2, any}},     {'V', {4, any}},
    {'W', {3, 131'073}}, {'Z', {1, 1}},      {'c', {0, 0}},       {'d', {0, any}},
    {'n', {0, 0}},       {'s', {0, 0}},      {'t', {2, 262'142}}, {'v', {8, 1'996}},
};

std::string header(Side side, std::string_view bytes) {
  GuardedBytes room(bytes.size());
  const HeaderStep step = decode_header(side, room.hold(as_bytes(bytes)));
  switch (step.kind) {
    case HeaderStep::Kind::needs_more:
      return "needs_more";
    case HeaderStep::Kind::header:
      return std::string(1, static_cast<char>(step.header.tag)) + ' ' +
             std::to_string(step.header.body_bytes);
    case HeaderStep::Kind::malformed:
      return std::string(text(step.fault));
  }
  return "?";
}

std::string header(Side side, char tag, std::uint32_t length) {
  return header(side, tag + u32(length));
}

}  // namespace

TEST_CASE("each tag has its bounds, and what is no tag is refused at its byte") {
  for (const Side side : {Side::frontend, Side::backend}) {
    const auto& known = side == Side::frontend ? frontend : backend;
    for (int code = 0; code < 256; ++code) {
      const char tag = static_cast<char>(code);
      CAPTURE(code, side == Side::frontend);
      const auto sizes = known.find(tag);
      if (sizes == known.end()) {
        CHECK(header(side, std::string(1, tag)) == "unknown_message");
        CHECK(header(side, tag, 4) == "unknown_message");
        continue;
      }
      const auto [min, max] = sizes->second;
      const std::string name = std::string(1, tag) + ' ';
      CHECK(header(side, tag, 4 + min) == name + std::to_string(min));
      CHECK(header(side, tag, 4 + max) == name + std::to_string(max));
      CHECK(header(side, tag, 4 + max + 1) == "bad_length");
      CHECK(header(side, tag, 4 + min - 1) == "bad_length");
      for (const std::uint32_t length : {0U, 1U, 3U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        CHECK(header(side, tag, length) == "bad_length");
      }
    }
  }
}

TEST_CASE("a header is awaited whole and its body not at all") {
  const std::string query = message('Q', z("select 1"));
  for (std::size_t size = 0; size < header_bytes; ++size) {
    CHECK(header(Side::frontend, query.substr(0, size)) == "needs_more");
  }
  for (std::size_t size = header_bytes; size <= query.size(); ++size) {
    CHECK(header(Side::frontend, query.substr(0, size)) == "Q 9");
  }
}

TEST_CASE("a header counts its message with the tag and knows its side's name for it") {
  const HeaderStep step = decode_header(Side::backend, as_bytes(message('S', z("a") + z("b"))));
  CHECK(step.header.message_bytes() == 9);
  CHECK(step.header.backend() == BackendType::parameter_status);
  const HeaderStep sync = decode_header(Side::frontend, as_bytes(message('S', "")));
  CHECK(sync.header.message_bytes() == 5);
  CHECK(sync.header.frontend() == FrontendType::sync);
}

TEST_CASE("every fault has a name of its own") {
  std::map<std::string_view, int> names;
  for (int i = 0; i <= static_cast<int>(Fault::bad_mechanisms); ++i) {
    ++names[text(static_cast<Fault>(i))];
  }
  CHECK(names.size() == static_cast<std::size_t>(Fault::bad_mechanisms) + 1);
  CHECK(names.count("?") == 0);
}
