#include <nlohmann/json.hpp>

#include "exports/projection.h"

namespace sluice::exports {
namespace {

using nlohmann::json;

constexpr std::uint64_t ns_per_ms = 1'000'000;

// Of OCSF: classes, and what they call what happened.
struct Activity {
  unsigned category = 0;
  unsigned class_id = 0;
  unsigned activity = 0;
};
constexpr unsigned activity_other = 99;

unsigned http_activity(std::string_view method) {
  if (method == "GET" || method == "HEAD") return 2;
  if (method == "POST") return 1;
  if (method == "PUT" || method == "PATCH") return 3;
  if (method == "DELETE") return 4;
  return activity_other;
}

Activity activity_of(const ExportedRecord& record) {
  constexpr unsigned application_activity = 6;
  constexpr unsigned application_lifecycle = 6002;
  constexpr unsigned api_activity = 6003;
  constexpr unsigned datastore_activity = 6005;
  const std::string phase = record.text("phase");
  if (is_of_gateway(record)) {
    const std::string event = record.text("event");
    const unsigned activity = event == "started" ? 3 : event == "stopped" ? 4 : activity_other;
    return {application_activity, application_lifecycle, activity};
  }
  if (record.text("protocol") == "postgres") {
    constexpr unsigned connect = 3;
    constexpr unsigned query = 4;
    if (phase == "approval") return {application_activity, datastore_activity, activity_other};
    return {application_activity, datastore_activity, phase == "session" ? connect : query};
  }
  const bool has_method = phase == "intent";
  return {application_activity, api_activity,
          has_method ? http_activity(record.text("verb")) : activity_other};
}

json actor_of(const ExportedRecord& record) {
  json actor{{"session", {{"uid", record.text("session")}}}};
  if (!record.has("subject")) return actor;
  actor["user"] = {{"name", record.text("subject")}};
  if (record.has("issuer")) actor["user"]["domain"] = record.text("issuer");
  if (record.has("credential")) actor["user"]["credential_uid"] = record.text("credential");
  if (const auto groups = record.json().find("groups"); groups != record.json().end()) {
    for (const json& group : *groups) actor["user"]["groups"].push_back({{"name", group}});
  }
  if (record.has("certificate")) {
    actor["session"]["credential_uid"] = record.text("certificate");
  }
  // The client that acts for the user.
  if (const auto actors = record.actors(); !actors.empty()) actor["app_name"] = actors.front();
  return actor;
}

void add_ruling(json& out, const ExportedRecord& record) {
  constexpr unsigned allowed = 1;
  constexpr unsigned blocked = 2;
  if (!record.has("ruling")) return;
  out["action_id"] = record.is_denied() ? 2 : 1;
  out["disposition_id"] = record.is_denied() ? blocked : allowed;
  out["policy"] = {{"name", record.text("rule")}, {"is_applied", true}};
  if (record.has("reason")) out["status_detail"] = record.text("reason");
}

}  // namespace

std::string to_ocsf(const ExportedRecord& record, const Product& product) {
  constexpr unsigned informational = 1;
  constexpr unsigned medium = 3;
  const Activity what = activity_of(record);
  json out{{"category_uid", what.category},
           {"class_uid", what.class_id},
           {"activity_id", what.activity},
           {"type_uid", what.class_id * 100 + what.activity},
           {"severity_id", record.is_notable() ? medium : informational},
           {"time", record.time_ns() / ns_per_ms},
           {"actor", actor_of(record)},
           {"unmapped", record.json()}};
  out["metadata"] = {
      {"version", "1.3.0"},
      {"uid", record.id()},
      {"sequence", record.index()},
      {"log_name", product.origin},
      {"product", {{"name", "Sluice"}, {"vendor_name", "Sluice"}, {"version", product.version}}}};
  if (const std::string id = record.operation_id(); !id.empty()) {
    out["metadata"]["correlation_uid"] = id;
    out["api"]["request"] = {{"uid", id}};
  }
  if (record.has("verb")) out["api"]["operation"] = record.text("verb");
  if (record.has("peer")) {
    out["src_endpoint"] = {{"ip", record.peer_address()}, {"port", record.peer_port()}};
  }
  if (record.has("target")) out["dst_endpoint"] = {{"svc_name", record.text("target")}};
  if (record.has("duration_ns")) out["duration"] = record.number("duration_ns") / ns_per_ms;
  if (record.text("protocol") == "postgres") {
    constexpr unsigned relational = 1;
    if (record.has("host"))
      out["database"] = {{"name", record.text("host")}, {"type_id", relational}};
    if (record.has("resource")) out["query_info"] = {{"query_string", record.text("resource")}};
  } else if (record.has("resource")) {
    out["http_request"] = {
        {"http_method", record.text("verb")},
        {"url", {{"path", record.text("resource")}, {"hostname", record.text("host")}}}};
  }
  if (record.has("status")) out["http_response"] = {{"code", record.number("status")}};
  if (record.has("event")) out["app"] = {{"name", "Sluice"}, {"uid", record.text("event")}};
  add_ruling(out, record);
  return one_line(out);
}

}  // namespace sluice::exports
