#include <nlohmann/json.hpp>

#include "exports/projection.h"

namespace sluice::exports {
namespace {

using nlohmann::json;

std::string_view category_of(const ExportedRecord& record) {
  const std::string phase = record.text("phase");
  if (phase == "session") return "session";
  if (is_of_gateway(record)) return "configuration";
  return record.text("protocol") == "postgres" ? "database" : "api";
}

json event_of(const ExportedRecord& record) {
  const std::string result = record.text("result");
  json event{
      {"kind", record.text("phase") == "heartbeat" ? "metric" : "event"},
      {"category", {category_of(record)}},
      {"type", {record.has("ruling") ? (record.is_denied() ? "denied" : "allowed") : "info"}},
      {"id", record.id()},
      {"sequence", record.index()},
      {"module", "sluice"},
      {"outcome", "unknown"}};
  if (record.is_denied() || (!result.empty() && result != "ok")) event["outcome"] = "failure";
  if (result == "ok") event["outcome"] = "success";
  const std::string action = record.has("event") ? record.text("event") : record.text("verb");
  if (!action.empty()) event["action"] = action;
  if (record.has("reason")) event["reason"] = record.text("reason");
  if (record.has("duration_ns")) event["duration"] = record.number("duration_ns");
  return event;
}

}  // namespace

std::string to_ecs(const ExportedRecord& record, const Product& product) {
  json out{{"@timestamp", record.text("time")},
           {"ecs", {{"version", "8.11.0"}}},
           {"event", event_of(record)},
           {"observer",
            {{"vendor", "Sluice"},
             {"product", "Sluice"},
             {"type", "gateway"},
             {"version", product.version},
             {"name", product.origin}}},
           {"sluice", record.json()}};
  if (const std::string id = record.operation_id(); !id.empty()) out["transaction"] = {{"id", id}};
  if (record.has("subject")) {
    out["user"] = {{"name", record.text("subject")}};
    if (record.has("issuer")) out["user"]["domain"] = record.text("issuer");
  }
  if (const auto groups = record.json().find("groups"); groups != record.json().end()) {
    out["user"]["roles"] = *groups;
  }
  if (const auto actors = record.actors(); !actors.empty()) {
    out["related"]["user"] = actors;
    out["related"]["user"].push_back(record.text("subject"));
  }
  if (record.has("certificate")) {
    out["tls"]["client"]["hash"] = {{"sha256", record.certificate()}};
  }
  if (record.has("peer"))
    out["source"] = {{"ip", record.peer_address()}, {"port", record.peer_port()}};
  if (record.has("target")) out["service"] = {{"name", record.text("target")}};
  if (record.has("rule")) out["rule"] = {{"name", record.text("rule")}};
  if (record.has("protocol")) out["network"] = {{"protocol", record.text("protocol")}};
  if (record.text("protocol") == "http" && record.has("verb")) {
    out["http"]["request"]["method"] = record.text("verb");
    out["url"] = {{"path", record.text("resource")}, {"domain", record.text("host")}};
  }
  if (record.has("status")) out["http"]["response"]["status_code"] = record.number("status");
  return one_line(out);
}

}  // namespace sluice::exports
