#include "audit/record.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "audit/operation_key.h"
#include "audit/record_fields.h"
#include "audit/record_key.h"
#include "audit/record_view.h"
#include "audit/utf8.h"
#include "audit/verify.h"
#include "audit/worker_log.h"
#include "base/text_codec.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

constexpr Stamp stamp{
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 0x1122334455667788U, 9, 2};

std::vector<std::uint8_t> encoded(const Record& record, std::size_t bytes_max = 0) {
  // Guards behind the end show a write past what was announced.
  const std::size_t room = bytes_max == 0 ? encoded_bytes_max(record) : bytes_max;
  std::vector<std::uint8_t> out(room + 64, 0xee);
  const std::size_t bytes = encode(record, stamp, ByteSpan(out).first(room));
  CHECK(bytes <= room);
  CHECK(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(room), out.end(),
                    [](std::uint8_t byte) { return byte == 0xee; }));
  out.resize(bytes);
  return out;
}

std::string json_of(const Record& record, std::size_t bytes_max = 0) {
  const auto json = to_json(encoded(record, bytes_max));
  return json ? *json : json.error().message;
}

}  // namespace

TEST_CASE("A small record has exactly these bytes") {
  Record record;
  record.phase = Phase::control;
  record.time = {{24}, {1'000'000'000}};
  record.event = "ok";
  CHECK(to_hex(encoded(record)) ==
        "a8"                                    // map of 8
        "011a3b9aca00"                          // time
        "021b1122334455667788"                  // epoch
        "0302"                                  // worker
        "0409"                                  // sequence
        "0550000102030405060708090a0b0c0d0e0f"  // salt
        "0604"                                  // phase: control
        "071818"                                // monotonic
        "1821626f6b");                          // event
}

TEST_CASE("An intent reads back as JSON, every key named") {
  Record record = sample_intent();
  const std::vector<std::string_view> groups{"payments", "eu"};
  record.groups = groups;
  record.issuer = "local";
  CHECK(json_of(record) ==
        R"({"time":"2026-09-21T14:13:20.123456789Z","epoch":"1122334455667788","worker":2,)"
        R"("sequence":9,"salt":"000102030405060708090a0b0c0d0e0f","phase":"intent",)"
        R"("monotonic_ns":5000000000,"session":7,"operation":1,"configuration":3,)"
        R"("subject":"service:billing","issuer":"local","proof":"api-key","credential":"k_5d2f",)"
        R"("groups":["payments","eu"],"peer":"192.0.2.7:50123","listener":"payments",)"
        R"("target":"payments-api","protocol":"http","verb":"GET",)"
        R"("resource":"/v1/customers/42/cards?limit=10","host":"payments.example.com",)"
        R"("ruling":"allow","rule":"billing-reads"})");
}

TEST_CASE("An outcome reads back as JSON, masks counted by rule") {
  Record record = sample_outcome();
  const std::vector<MaskCount> masks{{"cards", 3}, {"emails", 70'000}};
  record.masks = masks;
  record.bytes_in = 5'000'000'000;
  const std::string json = json_of(record);
  CHECK(json.find(R"("phase":"outcome")") != std::string::npos);
  CHECK(json.find(R"("bytes_in":5000000000,"bytes_out":1024,"duration_ns":1000000,)"
                  R"("upstream":"127.0.0.1:9000",)"
                  R"("masks":[{"rule":"cards","count":3},{"rule":"emails","count":70000}]})") !=
        std::string::npos);
  CHECK(json.find("ruling") == std::string::npos);
}

TEST_CASE("Rows of a database are counted in an outcome, also in one that was shortened") {
  Record record = sample_outcome();
  record.rows_in = 3;
  record.rows_out = 5'000'000'000;
  CHECK(json_of(record).ends_with(R"("rows_in":3,"rows_out":5000000000})"));
  const std::string result(100'000, 'x');
  record.result = result;
  CHECK(json_of(record).ends_with(R"("cut":true,"rows_in":3,"rows_out":5000000000})"));
}

TEST_CASE("Digests, the target's user and a session's counts read back") {
  Record record = sample_intent();
  const std::string_view operation = "SELECT 1";
  const std::vector<std::uint8_t> policy(32, 0xab);
  record.unmasked = {&operation, 1};
  record.policy = policy;
  record.upstream_user = "ledger";
  record.operations = 2;
  record.first_sequence = 3;
  record.last_sequence = 9;
  const std::string json = json_of(record);
  CHECK(json.ends_with(R"("digest":")" + std::string(64, '0') + R"(","policy":")" + to_hex(policy) +
                       R"(","upstream_user":"ledger","operations":2,"first_sequence":3,)"
                       R"("last_sequence":9})"));
  CHECK(json.find("SELECT") == std::string::npos);
}

TEST_CASE("A text behind the mark that something was cut is marked, too") {
  Record record = sample_outcome();
  const std::string user(100'000, 'u');
  record.upstream_user = user;
  const std::string json = json_of(record, outcome_bytes_max);
  CHECK(json.find(R"("cut":true)") != std::string::npos);
}

TEST_CASE("An operation's digest is SHA-256 of its key and its pieces, a zero byte between them") {
  OperationKey::Bytes key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  const OperationKey digests(key);
  const std::vector<std::string_view> pieces{"GET", "/cards?pan=4111111111111111", "pay.example"};
  // From Python's hashlib.
  CHECK(to_hex(digests.digest(pieces)) ==
        "2e3872aebcf0243e220dfd1c18b3f3969f8d5bb4e8269ca4a63459a5c6510f7c");
  CHECK(to_hex(digests.digest({})) ==
        "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
}

TEST_CASE("Members that checks ask for are found without JSON") {
  Record record = sample_intent();
  const std::vector<std::uint8_t> policy(32, 0xab);
  record.policy = policy;
  record.subject = "\xff\xfe";
  const auto bytes = encoded(record);
  const auto fields = fields_of(bytes);
  REQUIRE(fields);
  CHECK(fields->epoch == stamp.epoch);
  CHECK(fields->sequence == stamp.sequence);
  CHECK(fields->session == 7);
  CHECK(fields->ruling == 1);
  CHECK(fields->subject == "\xff\xfe");
  CHECK(fields->target == "payments-api");
  CHECK(fields->rule == "billing-reads");
  CHECK(to_hex(fields->policy) == to_hex(policy));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(fields_of(ByteView(bytes).first(length)));
  }
}

TEST_CASE("A record of more than 23 members has a two-byte head") {
  Record record = sample_intent();
  record.status = 200;
  record.result = "ok";
  record.bytes_in = 1;
  record.bytes_out = 2;
  record.upstream = "u";
  record.event = "e";
  record.detail = "d";
  const auto bytes = encoded(record);
  CHECK(bytes[0] == 0xb8);
  CHECK(to_json(bytes));
  CHECK(origin_of(bytes)->sequence == stamp.sequence);
}

TEST_CASE("The writer finds time, epoch, worker and sequence without decoding the rest") {
  const auto bytes = encoded(sample_intent());
  const auto origin = origin_of(bytes);
  REQUIRE(origin);
  CHECK(origin->time_ns == 1'790'000'000'123'456'789U);
  CHECK(origin->epoch == stamp.epoch);
  CHECK(origin->worker == stamp.worker);
  CHECK(origin->sequence == stamp.sequence);
  for (std::size_t length = 0; length < 20; ++length) {
    CHECK_FALSE(origin_of(ByteView(bytes).first(length)));
  }
}

TEST_CASE("A text too long is cut between characters and the record says so") {
  Record record = sample_intent();
  std::string resource = "/";
  while (resource.size() < 100'000) resource += "é€𝄞";
  record.resource = resource;
  const auto bytes = encoded(record);
  CHECK(bytes.size() <= record_bytes_max);
  CHECK(bytes.size() > record_bytes_max / 4);
  const auto json = to_json(bytes);
  REQUIRE(json);
  CHECK(json->ends_with(R"("cut":true})"));
  CHECK(json->find(R"("subject":"service:billing")") != std::string::npos);
}

TEST_CASE("A text that just fits is not cut") {
  Record record = sample_outcome();
  for (std::size_t length = 1200; length < outcome_bytes_max; ++length) {
    const std::string detail(length, 'x');
    record.detail = detail;
    const std::string json = json_of(record, outcome_bytes_max);
    const bool is_whole = json.find(detail + '"') != std::string::npos;
    CHECK(is_whole == (json.find("\"cut\":true") == std::string::npos));
    if (length == 1200) CHECK(is_whole);
  }
}

TEST_CASE("An outcome with very many masks fits the space its intent reserved") {
  std::vector<std::string> names;
  std::vector<MaskCount> masks;
  for (int i = 0; i < 5'000; ++i)
    names.push_back("a-mask-rule-with-a-long-name-" + std::to_string(i));
  for (const auto& name : names) masks.push_back({name, 1'000'000});
  Record record = sample_outcome();
  record.masks = masks;
  const std::string json = json_of(record, outcome_bytes_max);
  CHECK(json.find(R"({"rule":"a-mask-rule-with-a-long-name-0","count":1000000})") !=
        std::string::npos);
  CHECK(json.ends_with(R"("cut":true})"));
}

TEST_CASE("What is not UTF-8 is kept byte for byte") {
  Record record = sample_intent();
  record.resource = "/a\xff\xc3";
  CHECK(json_of(record).find(R"("resource":{"hex":"2f61ffc3"})") != std::string::npos);
}

TEST_CASE("What is cut off does not make a byte string of what is kept") {
  Record record = sample_intent();
  const std::string resource = std::string(100'000, 'x') + '\xff';
  record.resource = resource;
  const std::string json = json_of(record);
  CHECK(json.find("\"resource\":\"xxx") != std::string::npos);
  CHECK(json.ends_with(R"("cut":true})"));
}

TEST_CASE("JSON escapes everything a terminal could act on") {
  Record record;
  record.detail =
      "a\"b\\c\n\x1b[31m\x7f\xc2\x9b"
      "d\xc2\xa0";
  CHECK(
      json_of(record).find("\"detail\":\"a\\\"b\\\\c\\u000a\\u001b[31m\\u007f\\u009bd\xc2\xa0\"") !=
      std::string::npos);
}

TEST_CASE("A delegation reads back, nearest actor first, also in a record that was shortened") {
  Record record = sample_intent();
  const std::vector<Actor> chain{{"tool", "corp"}, {"agent", "corp"}};
  record.delegation = chain;
  const std::string expected =
      R"("delegation":[{"subject":"tool","issuer":"corp"},{"subject":"agent","issuer":"corp"}]})";
  CHECK(json_of(record).ends_with(expected));
  const std::string resource(100'000, 'x');
  record.resource = resource;
  CHECK(json_of(record).ends_with(R"("cut":true,)" + expected));
  const std::vector<Actor> long_chain(5'000, Actor{"a name of some length", "an issuer"});
  record = sample_intent();
  record.delegation = long_chain;
  CHECK(json_of(record).find(R"("cut":true)") != std::string::npos);
}

TEST_CASE("A key that no record has yet is refused") {
  const std::string head =
      "a8010502010300040105"
      "50000102030405060708090a0b0c0d0e0f"
      "06040700";
  CHECK(to_json(*from_hex(head + "18216178")).has_value());
  CHECK_FALSE(to_json(*from_hex(head + "183f6178")).has_value());
}

TEST_CASE("Negative clocks and durations are left at zero") {
  Record record = sample_outcome();
  record.time = {{-5}, {-1}};
  record.duration = {-7};
  const std::string json = json_of(record);
  CHECK(json.find(R"("time":"1970-01-01T00:00:00.000000000Z")") != std::string::npos);
  CHECK(json.find("duration") == std::string::npos);
}

TEST_CASE("No prefix of a record and no record with a byte added is a record") {
  Record record = sample_intent();
  const std::vector<std::string_view> groups{"a", "b"};
  record.groups = groups;
  auto bytes = encoded(record);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(to_json(ByteView(bytes).first(length)));
  }
  bytes.push_back(0);
  CHECK_FALSE(to_json(bytes));
}

TEST_CASE("Encodings that are not the deterministic one are refused") {
  // map(8) {1: 5, 2: 1, 3: 0, 4: 1, 5: salt, 6: 4, 7: 0, 33: "x"} and variants of it
  const std::string salt = "0550000102030405060708090a0b0c0d0e0f";
  const auto is_record = [](const std::string& hex) { return to_json(*from_hex(hex)).has_value(); };
  CHECK(
      is_record("a8010502010300040"
                "1" +
                salt +
                "060407001821"
                "6178"));
  const std::vector<std::string> refused{
      "a801180502010300040"
      "1" +
          salt + "0604070018216178",  // 5 in two bytes
      "b80801050201030004"
      "01" +
          salt + "0604070018216178",  // map head too long
      "bf01050201030004"
      "01" +
          salt + "0604070018216178ff",                   // indefinite length
      "a80201010503000401" + salt + "0604070018216178",  // keys out of order
      "a8010501050300040"
      "1" +
          salt + "0604070018216178",  // a key twice
      "a7010502010300040"
      "1" +
          salt + "060418216178",  // no monotonic time
      "a8010502010300040"
      "1" +
          salt + "0609070018216178",  // unknown phase
      "a8010502010300040"
      "1" +
          salt +
          "06040700182461"
          "78",  // unknown key
      "a8010502010300040"
      "1" +
          salt + "0604070018217f6178ff",  // text in chunks
      "a8010502010300040"
      "1" +
          salt +
          "0604070018216"
          "1ff",  // text not UTF-8
      "a8010502010300040"
      "1" +
          salt +
          "0604070018214"
          "178",  // bytes that are UTF-8
      "a8010502010300040"
      "1" +
          salt + "06040700182121",  // negative number
      "a8c1010502010300040"
      "1" +
          salt + "0604070018216178",  // tag
      "a8010502010300040"
      "1" +
          salt + "060407001823f4",  // cut: false
      "80",
      "a0",
      "00",
      "f6",
  };
  for (const auto& hex : refused) {
    INFO(hex);
    CHECK_FALSE(is_record(hex));
  }
}

TEST_CASE("UTF-8 is judged as RFC 3629 says") {
  for (const auto* good : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                           "12345678\xc3\xa9"
                           "12345678"}) {
    INFO(to_hex(as_bytes(good)));
    CHECK(is_utf8(good));
  }
  for (const auto* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "12345678\xff"}) {
    INFO(to_hex(as_bytes(bad)));
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("Cutting never splits a character") {
  const std::string text = "aé€𝄞b";
  for (std::size_t length = 0; length <= text.size() + 1; ++length) {
    const auto cut = cut_utf8(text, length);
    CHECK(cut.size() <= length);
    CHECK(is_utf8(cut));
    CHECK(cut.size() + 3 >= std::min(length, text.size()));
  }
}

}  // namespace sluice::audit
