// source   OpenAPI Specification 3.1.0; its schemas are JSON Schema 2020-12
#include "control/api/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/ascii.h"
#include "base/assert.h"
#include "control/api/call.h"
#include "control/api/shapes.h"
#include "parsers/http1/encoder.h"

namespace sluice::control::api {
namespace {

using Json = nlohmann::ordered_json;

class Document {
 public:
  std::string write() {
    Json page{
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "Sluice control API"},
          {"version", "1"},
          {"description",
           "Made from the gateway's own table of calls. `x-roles` names the roles that may "
           "make a call, `x-besides` who else may: anybody but for the TLS port (`this-host`), "
           "or whoever a credential proves (`proved`); `x-changes` says that it changes "
           "something, and is recorded before it does, and `x-discloses` that it gives away what "
           "is recorded, and is recorded itself before that."}}},
        {"servers", Json::array({{{"url", "/"}}})},
        {"security", Json::array({{{"credential", Json::array()}}})},
        {"paths", Json::object()}};
    for (const Call& call : calls()) {
      std::string method(call.method);
      std::ranges::transform(method, method.begin(), [](char c) { return lower_of(c); });
      page["paths"][std::string(call.path)][method] = operation(call);
    }
    // What a schema names is added while it is written, at the end.
    Json schemas = Json::object();
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      const bool is_new =
          schemas.emplace(std::string(shapes_[i]->name), schema(*shapes_[i])).second;
      ASSERT(is_new);  // else one would stand for both
    }
    page["components"] = {
        {"schemas", std::move(schemas)},
        {"securitySchemes",
         {{"credential",
           {{"type", "http"},
            {"scheme", "bearer"},
            {"description",
             "An API key or a token. On the admin socket the kernel says who calls, too."}}}}}};
    return page.dump(2) + "\n";
  }

 private:
  Json operation(const Call& call) {
    Json out{{"operationId", call.id}, {"summary", call.sentence}};
    Json roles = Json::array();
    for (const Role role : all_roles) {
      if (call.roles.intersects(role)) roles.push_back(text(role));
    }
    out["x-roles"] = std::move(roles);
    if (call.besides != Besides::nobody) out["x-besides"] = text(call.besides);
    out["x-changes"] = call.effect == Effect::changes;
    if (call.effect == Effect::discloses) out["x-discloses"] = true;
    if (call.roles.empty()) out["security"] = Json::array();
    if (!call.parameters.empty()) out["parameters"] = parameters(call);
    if (call.body != nullptr) {
      const bool is_required = std::ranges::any_of(
          call.body->members, [](const Member& one) { return one.is_required; });
      out["requestBody"] = {{"required", is_required},
                            {"content", {{"application/json", {{"schema", ref(*call.body)}}}}}};
    }
    out["responses"] = responses(call);
    return out;
  }

  static Json parameters(const Call& call) {
    const auto in_path = path_parameters(call.path);
    Json out = Json::array();
    for (const Member& member : call.parameters) {
      const bool is_in_path = std::ranges::find(in_path, member.name) != in_path.end();
      out.push_back({{"name", member.name},
                     {"in", is_in_path ? "path" : "query"},
                     {"required", member.is_required},
                     {"description", member.sentence},
                     {"schema", simple(member)}});
    }
    return out;
  }

  Json responses(const Call& call) {
    Json content = call.answer != nullptr ? Json{{"schema", ref(*call.answer)}} : Json::object();
    Json out = Json::object();
    out[std::to_string(call.status)] = {{"description", "It went well."},
                                        {"content", {{std::string(call.media), content}}}};
    std::set<int> refusals(call.refusals.begin(), call.refusals.end());
    refusals.insert({400, 500});
    if (!call.roles.empty()) refusals.insert({401, 403, 429, 503});
    if (call.effect == Effect::changes) refusals.insert({422, 503});
    if (call.answer != nullptr || call.stream != nullptr) refusals.insert(503);
    for (const int status : refusals) {
      out[std::to_string(status)] = {
          {"description", http1::reason_phrase(static_cast<std::uint16_t>(status))},
          {"content", {{"application/problem+json", {{"schema", ref(problem_shape)}}}}}};
    }
    return out;
  }

  Json ref(const Shape& shape) {
    if (std::ranges::find(shapes_, &shape) == shapes_.end()) shapes_.push_back(&shape);
    return {{"$ref", fmt::format("#/components/schemas/{}", shape.name)}};
  }

  Json schema(const Shape& shape) {
    Json members = Json::object();
    Json required = Json::array();
    for (const Member& member : shape.members) {
      Json one = schema(member);
      one["description"] = member.sentence;
      members[std::string(member.name)] = std::move(one);
      if (member.is_required) required.push_back(member.name);
    }
    return {{"type", "object"},
            {"description", shape.sentence},
            {"properties", std::move(members)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
  }

  Json object_of(const Member& member) {
    return member.shape != nullptr ? ref(*member.shape) : Json{{"type", "object"}};
  }

  Json schema(const Member& member) {
    if (member.kind == Member::Kind::object) return object_of(member);
    if (member.kind != Member::Kind::objects) return simple(member);
    Json list{{"type", "array"}, {"items", object_of(member)}};
    if (member.max != 0) list["maxItems"] = member.max;
    return list;
  }

  /// Of what names no shape.
  static Json simple(const Member& member) {
    switch (member.kind) {
      case Member::Kind::count:
        return {{"type", "integer"},
                {"minimum", 0},
                {"maximum", member.max != 0 ? member.max : count_max}};
      case Member::Kind::number:
        return {{"type", "number"}};
      case Member::Kind::flag:
        return {{"type", "boolean"}};
      case Member::Kind::texts: {
        Json list{{"type", "array"}, {"items", {{"type", "string"}}}};
        if (member.max != 0) list["maxItems"] = member.max;
        return list;
      }
      default:
        break;
    }
    Json out{{"type", "string"}};
    if (member.kind == Member::Kind::time) out["format"] = "date-time";
    if (member.max != 0) out["maxLength"] = member.max;
    if (!member.words.empty()) out["enum"] = member.words;
    return out;
  }

  std::vector<const Shape*> shapes_;  ///< That are named so far.
};

}  // namespace

const std::string& openapi_document() {
  static const std::string document = Document().write();
  return document;
}

}  // namespace sluice::control::api
