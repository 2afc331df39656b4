#include "exports/projection.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "exports/otlp_message.h"
#include "exports/syslog_message.h"
#include "sample.h"

namespace sluice::exports {
namespace {

using audit::sample_intent;
using audit::sample_outcome;
using config::ExportFormat;
using nlohmann::json;

constexpr Product product{"1.2.3", "gw1.example.com"};
constexpr auto formats = {ExportFormat::native, ExportFormat::ocsf, ExportFormat::ecs,
                          ExportFormat::cef};

audit::Record denied() {
  audit::Record record = sample_intent();
  record.ruling = audit::RulingKind::deny;
  record.rule = "no | pipes = here";
  record.reason = "back\\slash";
  return record;
}

/// What a client may have put into a path, and what terminals act on.
constexpr std::string_view hostile = "/a\x1b[31m\nCEF:0|forged\r\x7f\xc2\x9b|x=y\\z \xe2\x82\xac";

bool has_control(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    const bool begins_c1 = byte == 0xc2 && i + 1 < line.size();
    if (begins_c1 && static_cast<unsigned char>(line[i + 1]) < 0xa0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("No format lets a record's text end its line or reach a terminal") {
  audit::Record record = sample_intent();
  record.resource = hostile;
  record.subject = hostile;
  record.host = "\xff\xfe";  // no UTF-8
  for (const auto format : formats) {
    const std::string line = project(format, exported(record), product);
    INFO(line);
    CHECK_FALSE(has_control(line));
  }
}

TEST_CASE("The native format is the record with its index") {
  const json line = json::parse(to_native(exported(sample_intent())));
  CHECK(line.at("index") == 41);
  CHECK(line.at("subject") == "service:billing");
  CHECK(line.at("sequence") == 17);
}

TEST_CASE("OCSF: a request is API activity, with who, what, where and the ruling") {
  const json line = json::parse(to_ocsf(exported(denied()), product));
  CHECK(line.at("class_uid") == 6003);
  CHECK(line.at("category_uid") == 6);
  CHECK(line.at("activity_id") == 2);
  CHECK(line.at("type_uid") == 600302);
  CHECK(line.at("time") == 1'790'000'000'123);
  CHECK(line.at("severity_id") == 3);
  CHECK(line.at("metadata").at("version") == "1.3.0");
  CHECK(line.at("metadata").at("uid") == "0000000000000abc-2-17");
  CHECK(line.at("metadata").at("correlation_uid") == "0000000000000abc-7-1");
  CHECK(line.at("metadata").at("product").at("version") == "1.2.3");
  CHECK(line.at("actor").at("user").at("name") == "service:billing");
  CHECK(line.at("src_endpoint") == json{{"ip", "192.0.2.7"}, {"port", 50123}});
  CHECK(line.at("dst_endpoint").at("svc_name") == "payments-api");
  CHECK(line.at("http_request").at("url").at("path") == "/v1/customers/42/cards?limit=10");
  CHECK(line.at("disposition_id") == 2);
  CHECK(line.at("policy").at("name") == "no | pipes = here");
}

TEST_CASE("Who acts for the subject is in every schema") {
  const std::vector<audit::Actor> chain{{"tool", "corp"}, {"agent\xff", "corp"}};
  audit::Record record = sample_intent();
  record.delegation = chain;
  CHECK(json::parse(to_native(exported(record))).at("delegation").at(0).at("subject") == "tool");
  CHECK(json::parse(to_ocsf(exported(record), product)).at("actor").at("app_name") == "tool");
  const json ecs = json::parse(to_ecs(exported(record), product));
  CHECK(ecs.at("related").at("user") == json{"tool", "6167656e74ff", "service:billing"});
  CHECK(ecs.at("user").at("name") == "service:billing");
  CHECK(to_cef(exported(record), product).find("cs5Label=delegation cs5=tool, 6167656e74ff") !=
        std::string::npos);
}

TEST_CASE("The fingerprint of a client's certificate is in every schema") {
  const std::array<std::uint8_t, 32> fingerprint{0xAB, 1};
  audit::Record record = sample_intent();
  record.certificate = fingerprint;
  const auto digits = [](std::string_view first) {
    std::string text(64, '0');
    std::ranges::copy(first, text.begin());
    return text;
  };
  const std::string hex = digits("ab01");
  const std::string capitals = digits("AB01");
  CHECK(json::parse(to_native(exported(record))).at("certificate") == hex);
  CHECK(json::parse(to_ocsf(exported(record), product))
            .at("actor")
            .at("session")
            .at("credential_uid") == hex);
  CHECK(json::parse(to_ecs(exported(record), product))
            .at("tls")
            .at("client")
            .at("hash")
            .at("sha256") == capitals);
  CHECK(to_cef(exported(record), product).find("cs6Label=certificate cs6=" + hex) !=
        std::string::npos);
}

TEST_CASE("OCSF: statements are datastore activity, the gateway's own doings its life") {
  audit::Record statement = sample_intent();
  statement.protocol = "postgres";
  statement.verb = "select";
  statement.resource = "SELECT $1";
  statement.host = "shop";
  const json query = json::parse(to_ocsf(exported(statement), product));
  CHECK(query.at("class_uid") == 6005);
  CHECK(query.at("activity_id") == 4);
  CHECK(query.at("query_info").at("query_string") == "SELECT $1");
  CHECK(query.at("database").at("name") == "shop");

  audit::Record control;
  control.phase = audit::Phase::control;
  control.event = "started";
  const json start = json::parse(to_ocsf(exported(control), product));
  CHECK(start.at("class_uid") == 6002);
  CHECK(start.at("activity_id") == 3);
  CHECK_FALSE(start.contains("src_endpoint"));

  control.phase = audit::Phase::gap;
  control.event = "epoch-cut";
  CHECK(json::parse(to_ocsf(exported(control), product)).at("class_uid") == 6002);
  CHECK(json::parse(to_ecs(exported(control), product)).at("event").at("category") ==
        json{"configuration"});
}

TEST_CASE("OCSF: an outcome is found by its operation") {
  const json line = json::parse(to_ocsf(exported(sample_outcome()), product));
  CHECK(line.at("metadata").at("correlation_uid") == "0000000000000abc-7-1");
  CHECK(line.at("http_response").at("code") == 200);
  CHECK(line.at("duration") == 1);
  CHECK(line.at("actor").at("session").at("uid") == "7");
}

TEST_CASE("ECS names the same things its own way") {
  const json line = json::parse(to_ecs(exported(denied()), product));
  CHECK(line.at("@timestamp") == "2026-09-21T14:13:20.123456789Z");
  CHECK(line.at("event").at("category") == json{"api"});
  CHECK(line.at("event").at("type") == json{"denied"});
  CHECK(line.at("event").at("outcome") == "failure");
  CHECK(line.at("event").at("id") == "0000000000000abc-2-17");
  CHECK(line.at("user").at("name") == "service:billing");
  CHECK(line.at("source").at("ip") == "192.0.2.7");
  CHECK(line.at("rule").at("name") == "no | pipes = here");
  CHECK(line.at("url").at("path") == "/v1/customers/42/cards?limit=10");
  CHECK(json::parse(to_ecs(exported(sample_outcome()), product)).at("event").at("outcome") ==
        "success");
}

TEST_CASE("CEF escapes what its header and its extension give a meaning") {
  const std::string line = to_cef(exported(denied()), product);
  INFO(line);
  CHECK(line.starts_with("CEF:0|Sluice|Sluice|1.2.3|intent|GET|7|rt=1790000000123 "));
  CHECK(line.find(" cs1Label=rule cs1=no | pipes \\= here ") != line.npos);
  CHECK(line.find(" reason=back\\\\slash ") != line.npos);
  CHECK(line.find(" request=/v1/customers/42/cards?limit\\=10 ") != line.npos);
  audit::Record record = sample_intent();
  record.verb = "G|T\\";
  CHECK(to_cef(exported(record), product).find("|intent|G\\|T\\\\|2|") != line.npos);
}

TEST_CASE("An address of version 6 comes without its brackets") {
  audit::Record record = sample_intent();
  record.peer = "[2001:db8::1]:443";
  const ExportedRecord six = exported(record);
  CHECK(six.peer_address() == "2001:db8::1");
  CHECK(six.peer_port() == 443);
}

TEST_CASE("A syslog message has its length in front, and a header of RFC 5424") {
  CHECK(syslog_message(exported(sample_intent()), "gw 1\n", "text") ==
        "63 <110>1 2026-09-21T14:13:20.123456Z gw_1_ sluice - intent - text");
  CHECK(syslog_message(exported(denied()), "", "x").find("<108>1 ") != std::string::npos);
}

TEST_CASE("What was refused, and who broke the glass, stands out; nothing else does") {
  const auto event = [](std::string_view name) {
    audit::Record record = sample_intent();
    record.phase = audit::Phase::approval;
    record.event = name;
    return record;
  };
  const auto ruled = [](audit::RulingKind ruling) {
    audit::Record record = sample_intent();
    record.ruling = ruling;
    return record;
  };
  audit::Record named = sample_intent();
  named.verb = named.resource = named.rule = named.subject = named.detail = "break-glass";
  struct Case {
    std::string_view name;
    audit::Record record;
    bool is_notable;
  };
  const Case cases[] = {{"allowed", ruled(audit::RulingKind::allow), false},
                        {"held", ruled(audit::RulingKind::hold), false},
                        {"denied", denied(), true},
                        {"what an operation came to", sample_outcome(), false},
                        {"broke the glass", event("break-glass"), true},
                        {"approved", event("approved"), false},
                        {"reviewed", event("reviewed"), false},
                        {"an event of nearly that name", event("break-glass-key"), false},
                        {"only named so", named, false}};
  for (const auto& [name, record, is_notable] : cases) {
    INFO(name);
    const ExportedRecord line = exported(record);
    CHECK(line.is_notable() == is_notable);
    CHECK(json::parse(to_ocsf(line, product)).at("severity_id") == (is_notable ? 3 : 1));
    CHECK(json::parse(otlp_log_record(line, "x")).at("severityNumber") == (is_notable ? 13 : 9));
    CHECK(json::parse(otlp_log_record(line, "x")).at("severityText") ==
          (is_notable ? "WARN" : "INFO"));
    const std::string priority = is_notable ? "<108>1 " : "<110>1 ";
    CHECK(syslog_message(line, "gw", "x").find(priority) != std::string::npos);
    CHECK((to_cef(line, product).find("|7|") != std::string::npos) == is_notable);
    CHECK((to_cef(line, product).find("|2|") != std::string::npos) == !is_notable);
  }
}

}  // namespace sluice::exports
