#include "exports/otlp_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace sluice::exports {
namespace {

using nlohmann::json;

json text_value(std::string text) {
  return {{"stringValue", std::move(text)}};
}

/// 64-bit numbers are decimal strings, as everywhere in Protobuf's JSON.
json number_value(std::uint64_t number) {
  return {{"intValue", std::to_string(number)}};
}

/// A list of attributes; what is empty is left out.
class Attributes {
 public:
  void add(std::string_view name, std::string text) {
    if (!text.empty()) put(name, text_value(std::move(text)));
  }
  void put(std::string_view name, json value) {
    list_.push_back({{"key", name}, {"value", std::move(value)}});
  }
  [[nodiscard]] json take() && { return std::move(list_); }

 private:
  json list_ = json::array();
};

void add_caller(Attributes& out, const ExportedRecord& record) {
  out.add("user.name", record.text("subject"));
  if (const auto groups = record.json().find("groups"); groups != record.json().end()) {
    json values = json::array();
    for (const json& group : *groups) {
      values.push_back(text_value(group.is_string() ? group.get<std::string>() : group.dump()));
    }
    out.put("user.roles", {{"arrayValue", {{"values", std::move(values)}}}});
  }
  if (auto actors = record.actors(); !actors.empty()) {
    json values = json::array();
    for (std::string& actor : actors) values.push_back(text_value(std::move(actor)));
    out.put("sluice.delegation", {{"arrayValue", {{"values", std::move(values)}}}});
  }
  out.add("tls.client.hash.sha256", record.certificate());
  out.add("client.address", record.peer_address());
  if (record.peer_port() != 0) out.put("client.port", number_value(record.peer_port()));
}

void add_request(Attributes& out, const ExportedRecord& record) {
  const std::string resource = record.text("resource");
  const std::size_t query = resource.find('?');
  out.add("http.request.method", record.text("verb"));
  out.add("server.address", record.text("host"));
  out.add("url.path", resource.substr(0, query));
  if (query != resource.npos) out.add("url.query", resource.substr(query + 1));
}

void add_statement(Attributes& out, const ExportedRecord& record) {
  out.add("db.system.name", "postgresql");
  out.add("db.namespace", record.text("host"));
  out.add("db.operation.name", record.text("verb"));
  out.add("db.query.text", record.text("resource"));
}

json attributes_of(const ExportedRecord& record) {
  Attributes out;
  out.add("log.record.uid", record.id());
  out.put("sluice.index", number_value(record.index()));
  out.add("sluice.operation", record.operation_id());
  out.add("session.id", record.text("session"));
  add_caller(out, record);
  const std::string protocol = record.text("protocol");
  if (protocol == "http") add_request(out, record);
  if (protocol == "postgres") add_statement(out, record);
  if (record.has("status"))
    out.put("http.response.status_code", number_value(record.number("status")));
  for (const char* const member :
       {"target", "ruling", "rule", "reason", "result", "event", "approval"}) {
    out.add(fmt::format("sluice.{}", member), record.text(member));
  }
  return std::move(out).take();
}

/// What somebody else wrote, fit for a line of ours.
std::string shown(std::string_view text) {
  constexpr std::size_t size_max = 200;
  std::string out(text.substr(0, size_max));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

/// A text of an answer's JSON, with a colon before it; empty when there is none.
std::string reason_in(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return ": " + shown(found->get_ref<const std::string&>());
}

json parsed(const std::string& text) {
  constexpr bool may_throw = false;
  return text.empty() ? json::object() : json::parse(text, nullptr, may_throw);
}

/// "The client MUST NOT retry" what was accepted in part. Nor is the rest to be forgotten.
Result<void, SendError> accepted(const HttpAnswer& answer) {
  const json response = parsed(answer.body);
  const json partial = response.is_object() ? response.value("partialSuccess", json()) : response;
  if (!response.is_object() || !(partial.is_null() || partial.is_object())) {
    return fail_for_good(fmt::format("it answers {} with what is no OTLP", answer.status));
  }
  const json rejected = partial.is_object() ? partial.value("rejectedLogRecords", json()) : json();
  // Zero with a message is a warning.
  if (rejected.is_null() || rejected == 0 || rejected == "0") return {};
  const std::string count = rejected.is_string() ? rejected.get<std::string>() : rejected.dump();
  return fail_for_good(fmt::format("the collector rejects {} of the records{}", shown(count),
                                   reason_in(partial, "errorMessage")));
}

}  // namespace

std::string otlp_log_record(const ExportedRecord& record, std::string line) {
  constexpr int info = 9;
  constexpr int warn = 13;
  const std::string time = std::to_string(record.time_ns());
  return one_line({{"timeUnixNano", time},
                   {"observedTimeUnixNano", time},
                   {"severityNumber", record.is_notable() ? warn : info},
                   {"severityText", record.is_notable() ? "WARN" : "INFO"},
                   {"eventName", "sluice." + record.text("phase")},
                   {"body", text_value(std::move(line))},
                   {"attributes", attributes_of(record)}});
}

std::string otlp_request(std::string_view log_records, const Product& product) {
  log_records.remove_suffix(1);
  Attributes resource;
  resource.add("service.name", "sluice");
  resource.add("service.version", std::string(product.version));
  resource.add("service.instance.id", std::string(product.origin));
  return fmt::format(
      R"({{"resourceLogs":[{{"resource":{{"attributes":{}}},)"
      R"("scopeLogs":[{{"scope":{{"name":"sluice.audit"}},"logRecords":[{}]}}]}}]}})",
      one_line(std::move(resource).take()), log_records);
}

Result<void, SendError> otlp_verdict(const HttpAnswer& answer) {
  constexpr std::array retryable{429L, 502L, 503L, 504L};
  if (answer.status / 100 == 2) return accepted(answer);
  std::string message = fmt::format("the collector answered {}{}", answer.status,
                                    reason_in(parsed(answer.body), "message"));
  if (std::ranges::find(retryable, answer.status) == retryable.end()) {
    return fail_for_good(std::move(message));
  }
  return tl::unexpected(SendError({std::move(message)}, answer.retry_after));
}

}  // namespace sluice::exports
