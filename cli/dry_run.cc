#include "cli/dry_run.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/rehearse.h"
#include "dataplane/session/http_actions.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string field(const Json& record, const char* name) {
  const auto found = record.find(name);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// What changes alike.
struct Way {
  std::string listener;
  std::string was;
  std::string was_rule;
  std::string would_be;
  std::string would_be_rule;
  auto operator<=>(const Way&) const = default;
};
struct Group {
  std::uint64_t operations = 0;
  std::uint64_t unsure = 0;
  Json example;  ///< The first of them.
};

struct Report {
  std::map<Way, Group> groups;
  std::uint64_t judged = 0;
  std::uint64_t changed = 0;
  std::uint64_t unsure = 0;
  std::uint64_t without_listener = 0;

  void add(const Way& way, std::uint64_t operations, std::uint64_t unsure_ones, Json example) {
    Group& group = groups[way];
    if (group.operations == 0) group.example = std::move(example);
    group.operations += operations;
    group.unsure += unsure_ones;
  }

  void add(const Json& page) {
    const auto count = [](const Json& of, const char* name) {
      return of.value(name, std::uint64_t{0});
    };
    judged += count(page, "judged");
    changed += count(page, "changed");
    unsure += count(page, "unsure");
    without_listener += count(page, "without_listener");
    for (const Json& one : page.value("changes", Json::array())) {
      const Json was = one.value("was", Json::object());
      const Json would_be = one.value("would_be", Json::object());
      add({field(one, "listener"), field(was, "ruling"), field(was, "rule"),
           field(would_be, "ruling"), field(would_be, "rule")},
          count(one, "operations"), count(one, "unsure"), one.value("example", Json::object()));
    }
  }

  [[nodiscard]] std::string text() const {
    Json list = Json::array();
    for (const auto& [way, group] : groups) {
      list.push_back({{"listener", way.listener},
                      {"was", {{"ruling", way.was}, {"rule", way.was_rule}}},
                      {"would_be", {{"ruling", way.would_be}, {"rule", way.would_be_rule}}},
                      {"operations", group.operations},
                      {"unsure", group.unsure},
                      {"example", group.example}});
    }
    const Json page{{"judged", judged},
                    {"changed", changed},
                    {"unsure", unsure},
                    {"without_listener", without_listener},
                    {"changes", std::move(list)}};
    return page.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
};

/// By policy, and for the first time: what people approved was held before.
bool is_judged(const Json& record) {
  const std::string rule = field(record, "rule");
  const bool was_decided = record.contains("approval") && field(record, "ruling") != "hold";
  return field(record, "phase") == "intent" && rule != dataplane::protocol_rule &&
         rule != dataplane::identity_rule && !was_decided;
}

/// What was no UTF-8 is there as bytes, which nobody judges.
bool is_readable(const Json& record) {
  return std::ranges::all_of(std::array{"subject", "verb", "resource"}, [&](const char* name) {
    return !record.contains(name) || record.at(name).is_string();
  });
}

Json example_of(const Json& record) {
  Json out = Json::object();
  for (const char* name :
       {"time", "epoch", "worker", "sequence", "subject", "target", "verb", "resource"}) {
    if (record.contains(name)) out[name] = record.at(name);
  }
  return out;
}

}  // namespace

struct DryRun::State {
  dataplane::Rehearsal& rehearsal;
  std::vector<std::string> search_path;
  Report report = {};

  dataplane::RehearsedRuling judge(std::size_t listener, const Json& record) {
    config::Principal who;
    who.subject = field(record, "subject");
    who.issuer = field(record, "issuer");
    who.groups = record.value("groups", std::vector<std::string>());
    who.proof = config::Proof::oidc;  // Any: rules do not tell them apart.
    const std::string resource = field(record, "resource");
    if (rehearsal.protocol(listener) == config::Protocol::postgres) {
      return rehearsal.judge(listener, who, resource, views_of(search_path));
    }
    dataplane::RehearsedRequest request;
    request.method = field(record, "verb");
    request.target = resource;
    request.host = field(record, "host");
    return rehearsal.judge(listener, who.subject.empty() ? nullptr : &who, request);
  }
};

DryRun::DryRun(dataplane::Rehearsal& rehearsal, const std::vector<std::string>& search_path)
    : state_(std::make_unique<State>(State{rehearsal, search_path})) {}

DryRun::~DryRun() = default;

void DryRun::look_at(std::string_view text) {
  const Json record = Json::parse(text);
  if (!is_judged(record)) return;
  Report& report = state_->report;
  const std::string name = field(record, "listener");
  const auto listener = state_->rehearsal.listener(name);
  if (!listener) {
    ++report.without_listener;
    return;
  }
  ++report.judged;
  const auto ruling = state_->judge(*listener, record);
  const bool is_sure = is_readable(record) && !state_->rehearsal.looks_beyond_records(*listener) &&
                       ruling.kind != config::Ruling::Kind::needs_body;
  const std::uint64_t unsure = is_sure ? 0 : 1;
  const std::string was = field(record, "ruling");
  report.unsure += unsure;
  if (was == cli::text(ruling.kind)) return;
  ++report.changed;
  report.add({name, was, field(record, "rule"), std::string(cli::text(ruling.kind)), ruling.rule},
             1, unsure, example_of(record));
}

std::string DryRun::report() const {
  return state_->report.text();
}

std::string sum_of_reports(std::string_view one, std::string_view other) {
  Report sum;
  for (const std::string_view text : {one, other}) sum.add(Json::parse(text));
  return sum.text();
}

}  // namespace sluice::cli
