#include "exports/otlp_message.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sample.h"

namespace sluice::exports {
namespace {

using nlohmann::json;

constexpr Product product{"1.2.3", "gw1.example.com"};

/// The value of an attribute; null when there is none.
json attribute(const json& list, std::string_view key) {
  for (const json& one : list) {
    if (one.at("key") == key) return one.at("value");
  }
  return {};
}

HttpAnswer answer(long status, std::string body = "", Duration retry_after = {}) {
  return {status, std::move(body), retry_after};
}

}  // namespace

TEST_CASE("A record is a log record of OpenTelemetry, its line the body") {
  const json log = json::parse(otlp_log_record(exported(audit::sample_intent()), "the line"));
  CHECK(log.at("timeUnixNano") == "1790000000123456789");
  CHECK(log.at("observedTimeUnixNano") == "1790000000123456789");
  CHECK(log.at("severityNumber") == 9);
  CHECK(log.at("severityText") == "INFO");
  CHECK(log.at("eventName") == "sluice.intent");
  CHECK(log.at("body") == json{{"stringValue", "the line"}});
  const json& list = log.at("attributes");
  CHECK(attribute(list, "log.record.uid") == json{{"stringValue", "0000000000000abc-2-17"}});
  CHECK(attribute(list, "sluice.index") == json{{"intValue", "41"}});
  CHECK(attribute(list, "sluice.operation") == json{{"stringValue", "0000000000000abc-7-1"}});
  CHECK(attribute(list, "session.id") == json{{"stringValue", "7"}});
  CHECK(attribute(list, "user.name") == json{{"stringValue", "service:billing"}});
  CHECK(attribute(list, "client.address") == json{{"stringValue", "192.0.2.7"}});
  CHECK(attribute(list, "client.port") == json{{"intValue", "50123"}});
  CHECK(attribute(list, "http.request.method") == json{{"stringValue", "GET"}});
  CHECK(attribute(list, "url.path") == json{{"stringValue", "/v1/customers/42/cards"}});
  CHECK(attribute(list, "url.query") == json{{"stringValue", "limit=10"}});
  CHECK(attribute(list, "sluice.target") == json{{"stringValue", "payments-api"}});
  CHECK(attribute(list, "db.query.text").is_null());
}

TEST_CASE("Who acts for the subject is an attribute") {
  const audit::Actor actor{"tool", "corp"};
  audit::Record record = audit::sample_intent();
  record.delegation = {&actor, 1};
  const json log = json::parse(otlp_log_record(exported(record), "x"));
  CHECK(attribute(log.at("attributes"), "sluice.delegation") ==
        json{{"arrayValue", {{"values", {{{"stringValue", "tool"}}}}}}});
}

TEST_CASE("The fingerprint of a client's certificate is an attribute") {
  const std::array<std::uint8_t, 32> fingerprint{0xAB};
  audit::Record record = audit::sample_intent();
  record.certificate = fingerprint;
  const json log = json::parse(otlp_log_record(exported(record), "x"));
  CHECK(attribute(log.at("attributes"), "tls.client.hash.sha256") ==
        json{{"stringValue", "AB" + std::string(62, '0')}});
}

TEST_CASE("What was refused is a warning to OpenTelemetry") {
  audit::Record record = audit::sample_intent();
  record.ruling = audit::RulingKind::deny;
  const json log = json::parse(otlp_log_record(exported(record), "x"));
  CHECK(log.at("severityNumber") == 13);
  CHECK(log.at("severityText") == "WARN");
}

TEST_CASE("A statement has the attributes of databases") {
  audit::Record record = audit::sample_intent();
  record.protocol = "postgres";
  record.verb = "select";
  record.resource = "SELECT $1";
  record.host = "shop";
  const json list = json::parse(otlp_log_record(exported(record), "x")).at("attributes");
  CHECK(attribute(list, "db.system.name") == json{{"stringValue", "postgresql"}});
  CHECK(attribute(list, "db.namespace") == json{{"stringValue", "shop"}});
  CHECK(attribute(list, "db.query.text") == json{{"stringValue", "SELECT $1"}});
  CHECK(attribute(list, "url.path").is_null());
}

TEST_CASE("A request holds each log record once, and says whose they are") {
  const std::string one = otlp_log_record(exported(audit::sample_intent()), "1") + ',';
  const std::string two = otlp_log_record(exported(audit::sample_outcome()), "2") + ',';
  const json request = json::parse(otlp_request(one + two, product));
  const json& of_resource = request.at("resourceLogs");
  REQUIRE(of_resource.size() == 1);
  const json& resource = of_resource[0].at("resource").at("attributes");
  CHECK(attribute(resource, "service.name") == json{{"stringValue", "sluice"}});
  CHECK(attribute(resource, "service.version") == json{{"stringValue", "1.2.3"}});
  CHECK(attribute(resource, "service.instance.id") == json{{"stringValue", "gw1.example.com"}});
  const json& records = of_resource[0].at("scopeLogs")[0].at("logRecords");
  REQUIRE(records.size() == 2);
  CHECK(records[0].at("body").at("stringValue") == "1");
  CHECK(records[1].at("body").at("stringValue") == "2");
}

TEST_CASE("A collector has taken a batch when it answers success and rejects none of it") {
  for (const char* body : {"", "{}", R"({"partialSuccess":null})", R"({"partialSuccess":{}})",
                           R"({"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"slow"}})",
                           R"({"partialSuccess":{"rejectedLogRecords":0}})"}) {
    INFO(body);
    CHECK(otlp_verdict(answer(200, body)).has_value());
  }
}

TEST_CASE("What a collector rejects, or does not understand, stops the export") {
  const std::pair<HttpAnswer, const char*> cases[] = {
      {answer(200, R"({"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too\nold"}})"),
       "the collector rejects 3 of the records: too?old"},
      {answer(200, R"({"partialSuccess":{"rejectedLogRecords":1}})"),
       "the collector rejects 1 of the records"},
      {answer(200, R"({"partialSuccess":7})"), "it answers 200 with what is no OTLP"},
      {answer(200, "<html>"), "it answers 200 with what is no OTLP"},
      {answer(400, R"({"code":3,"message":"bad timestamp"})"),
       "the collector answered 400: bad timestamp"},
      {answer(401, "<html>"), "the collector answered 401"},
      {answer(413), "the collector answered 413"},
      {answer(500, "[1]"), "the collector answered 500"},
      {answer(302), "the collector answered 302"}};
  for (const auto& [given, message] : cases) {
    INFO(message);
    const auto verdict = otlp_verdict(given);
    REQUIRE_FALSE(verdict.has_value());
    CHECK(verdict.error().is_final);
    CHECK(verdict.error().message == message);
  }
}

TEST_CASE("What a collector puts off is sent again when it says") {
  for (const long status : {429L, 502L, 503L, 504L}) {
    const auto verdict = otlp_verdict(answer(status, R"({"message":"later"})", seconds(7)));
    REQUIRE_FALSE(verdict.has_value());
    CHECK_FALSE(verdict.error().is_final);
    CHECK(verdict.error().retry_after == seconds(7));
    CHECK(verdict.error().message == fmt::format("the collector answered {}: later", status));
  }
}

}  // namespace sluice::exports
