// docs/audit_log.cddl is what others read records by: it says what the code does.
#include <catch2/catch.hpp>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "audit/cbor.h"
#include "audit/record_key.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

using Names = std::map<std::uint64_t, std::string>;

std::string grammar() {
  return read_file(SLUICE_TEST_DATA "/../../docs/audit_log.cddl");
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin) + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

/// The grammar's members of a record: "? 8 => uint,  ; session  …".
Names members_in_grammar() {
  static const std::regex member(R"(\s*(\? )?([0-9]+) => [^;]+; ([a-z_]+).*)");
  Names out;
  std::istringstream lines(between(grammar(), "record = {\n", "\n}"));
  std::smatch found;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, found, member)) out[std::stoull(found[2])] = found[3];
  }
  return out;
}

Names phases_in_grammar() {
  static const std::regex phase("([a-z]+): ([0-9]+)");
  const std::string list = between(grammar(), "phase = &( ", " )");
  Names out;
  for (std::sregex_iterator at(list.begin(), list.end(), phase), end; at != end; ++at) {
    out[std::stoull((*at)[2])] = (*at)[1];
  }
  return out;
}

/// One with every member there is, cut to fit.
std::vector<std::uint8_t> fullest_record() {
  static const std::string long_text(10'000, 'x');
  static constexpr std::string_view word = "w";
  static constexpr MaskCount mask{"w", 1};
  static constexpr Actor actor{"w", "w"};
  static constexpr std::array<std::uint8_t, 32> policy{1};
  Record r = sample_intent();
  r.policy = policy;
  r.certificate = policy;
  r.groups = {&word, 1};
  r.unmasked = {&word, 1};
  r.masks = {&mask, 1};
  r.delegation = {&actor, 1};
  r.status = 200;
  r.bytes_in = r.bytes_out = r.rows_in = r.rows_out = 1;
  r.duration = {1};
  r.operations = r.first_sequence = r.last_sequence = 1;
  r.reason = r.result = r.upstream = r.upstream_user = r.event = r.issuer = word;
  r.recording = word;
  r.detail = long_text;
  r.approval = word;
  r.binding = policy;
  Stamp stamp;
  stamp.epoch = stamp.sequence = stamp.worker = 1;
  std::vector<std::uint8_t> out(4'000);
  out.resize(encode(r, stamp, out));
  return out;
}

}  // namespace

TEST_CASE("The grammar has each member of a record, under its number and its name in JSON") {
  const auto record = fullest_record();
  const auto json = nlohmann::ordered_json::parse(*to_json(record));
  cbor::Reader in(record);
  REQUIRE(in.expect(cbor::Major::map) == json.size());
  Names encoded;
  for (const auto& [name, value] : json.items()) {
    encoded[*in.unsigned_integer()] = name;
    REQUIRE(in.skip());
  }
  CHECK(encoded.rbegin()->first == last_key);
  CHECK(members_in_grammar() == encoded);
}

TEST_CASE("The grammar has each phase") {
  Names known;
  for (std::uint8_t phase = 1; phase < 16; ++phase) {
    Record record = sample_intent();
    record.phase = static_cast<Phase>(phase);
    Stamp stamp;
    stamp.epoch = stamp.sequence = 1;
    std::vector<std::uint8_t> bytes(encoded_bytes_max(record));
    bytes.resize(encode(record, stamp, bytes));
    const auto json = to_json(bytes);
    if (json) known[phase] = nlohmann::json::parse(*json).at("phase").get<std::string>();
  }
  CHECK(phases_in_grammar() == known);
}

}  // namespace sluice::audit
