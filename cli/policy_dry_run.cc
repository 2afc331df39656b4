// sluice policy dry-run: which recorded operations a configuration would rule otherwise.
//
// A record holds what policy may be told about for ever: the path, masked; a statement without
// its constants; never a header or a body. So an operation may be judged here by less than it was
// then. Such rulings are counted as unsure.
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "audit/search.h"
#include "audit/verify.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/rehearse.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "control/shown_text.h"
#include "dataplane/session/http_actions.h"

namespace sluice::cli {
namespace {

using control::shown_text;
using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "policy dry-run";

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

class DryRun {
 public:
  DryRun(dataplane::Rehearsal& rehearsal, std::vector<std::string_view> search_path)
      : rehearsal_(rehearsal), search_path_(std::move(search_path)) {}

  void look_at(const Json& record) {
    if (!is_judged(record)) return;
    const std::string name = field(record, "listener");
    const auto listener = rehearsal_.listener(name);
    if (!listener) {
      ++without_listener_;
      return;
    }
    ++judged_;
    const auto ruling = judge(*listener, record);
    const bool is_sure = !rehearsal_.looks_beyond_records(*listener) &&
                         ruling.kind != config::Ruling::Kind::needs_body;
    const std::string was = field(record, "ruling");
    unsure_ += is_sure ? 0 : 1;
    if (was == text(ruling.kind)) return;
    Group& group =
        groups_[{name, was, field(record, "rule"), std::string(text(ruling.kind)), ruling.rule}];
    if (group.operations++ == 0) group.example = example_of(record);
    group.unsure += is_sure ? 0 : 1;
    ++changed_;
  }

  void print_text() const {
    for (const auto& [way, group] : groups_) {
      fmt::print("{} on {}: {} by \"{}\" → {} by \"{}\"{}\n",
                 counted(group.operations, "operation"), shown_text(way.listener), way.was,
                 shown_text(way.was_rule), way.would_be, shown_text(way.would_be_rule),
                 group.unsure == 0 ? "" : fmt::format(", {} unsure", group.unsure));
      fmt::print("    such as {}: {} {} {}\n", field(group.example, "time"),
                 shown_text(field(group.example, "subject")),
                 shown_text(field(group.example, "verb")),
                 shown_text(field(group.example, "resource")));
    }
    fmt::print("{} judged, {} would be ruled otherwise, {} unsure", counted(judged_, "operation"),
               changed_, unsure_);
    if (without_listener_ != 0) fmt::print(", {} on listeners that are gone", without_listener_);
    fmt::print("\n");
  }

  void print_json() const {
    Json list = Json::array();
    for (const auto& [way, group] : groups_) {
      list.push_back({{"listener", way.listener},
                      {"was", {{"ruling", way.was}, {"rule", way.was_rule}}},
                      {"would_be", {{"ruling", way.would_be}, {"rule", way.would_be_rule}}},
                      {"operations", group.operations},
                      {"unsure", group.unsure},
                      {"example", group.example}});
    }
    const Json page{{"judged", judged_},
                    {"changed", changed_},
                    {"unsure", unsure_},
                    {"without_listener", without_listener_},
                    {"changes", std::move(list)}};
    fmt::print("{}\n", page.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

 private:
  /// By policy, and for the first time: what people approved was held before.
  static bool is_judged(const Json& record) {
    const std::string rule = field(record, "rule");
    const bool was_decided = record.contains("approval") && field(record, "ruling") != "hold";
    return field(record, "phase") == "intent" && rule != dataplane::protocol_rule &&
           rule != dataplane::identity_rule && !was_decided;
  }

  dataplane::RehearsedRuling judge(std::size_t listener, const Json& record) {
    config::Principal who;
    who.subject = field(record, "subject");
    who.issuer = field(record, "issuer");
    who.groups = record.value("groups", std::vector<std::string>());
    who.proof = config::Proof::oidc;  // Any: rules do not tell them apart.
    const std::string resource = field(record, "resource");
    if (rehearsal_.protocol(listener) == config::Protocol::postgres) {
      return rehearsal_.judge(listener, who, resource, search_path_);
    }
    dataplane::RehearsedRequest request;
    request.method = field(record, "verb");
    request.target = resource;
    request.host = field(record, "host");
    return rehearsal_.judge(listener, who.subject.empty() ? nullptr : &who, request);
  }

  static Json example_of(const Json& record) {
    Json out = Json::object();
    for (const char* name :
         {"time", "epoch", "worker", "sequence", "subject", "target", "verb", "resource"}) {
      if (record.contains(name)) out[name] = record.at(name);
    }
    return out;
  }

  dataplane::Rehearsal& rehearsal_;
  std::vector<std::string_view> search_path_;
  std::map<Way, Group> groups_;
  std::uint64_t judged_ = 0;
  std::uint64_t changed_ = 0;
  std::uint64_t unsure_ = 0;
  std::uint64_t without_listener_ = 0;
};

}  // namespace

ExitCode perform(const PolicyDryRunOptions& options) {
  const auto rehearsal = rehearse(options.configuration);
  if (!rehearsal) return complain(verb, rehearsal.error().message, ExitCode::bad_configuration);
  std::string directory = options.directory;
  if (directory.empty()) directory = (*rehearsal)->settings().audit.directory;
  auto query = parse_query(options.query, wall_now());
  if (!query) return complain(verb, query.error().message, ExitCode::usage);
  audit::RecordFilter filter(std::move(*query));
  DryRun run(**rehearsal, views_of(options.search_path));
  std::string fault;
  const auto searched = audit::search(
      directory, filter,
      {.found =
           [&](ByteView record, audit::RecordPlace) {
             const auto text = audit::to_json(record);
             if (!text) fault = text.error().message;
             if (text) run.look_at(Json::parse(*text));
             return text.has_value();
           },
       .index_note = [](const std::string& note) { complain(verb, note, ExitCode::ok); }});
  if (!searched) return complain(verb, searched.error().message, ExitCode::failed);
  if (!fault.empty()) return complain(verb, fault, ExitCode::failed);
  options.json ? run.print_json() : run.print_text();
  return ExitCode::ok;
}

}  // namespace sluice::cli
