#include "control/notifications/notice.h"

#include <nlohmann/json.hpp>

#include "config/load/quantity.h"

namespace sluice::control {
namespace {

using Json = nlohmann::json;

Notice::Rule rule_of(const Json& page) {
  config::Approval approval;
  approval.by_groups = page.at("by_groups").get<std::vector<std::string>>();
  approval.distinct = page.at("distinct").get<std::uint32_t>();
  approval.all_groups = page.at("all_groups").get<bool>();
  return {page.at("rule").get<std::string>(), config::approvers_text(approval)};
}

Notice::Decision decision_of(const Json& page) {
  return {page.at("decision").get<std::string>(), page.at("who").at("subject").get<std::string>(),
          page.value("reason", "")};
}

}  // namespace

std::optional<Notice> notice_of(std::string_view document, WallTime at) {
  try {
    const Json page = Json::parse(document);
    const auto text = [&page](const char* key) { return page.at(key).get<std::string>(); };
    Notice notice{.event = text("state"),
                  .request = text("id"),
                  .requester = page.at("requester").at("subject").get<std::string>(),
                  .target = text("target"),
                  .protocol = text("protocol"),
                  .verb = text("verb"),
                  .resource = text("resource"),
                  .until = text("until"),
                  .at = at};
    for (const Json& rule : page.at("rules")) notice.rules.push_back(rule_of(rule));
    for (const Json& one : page.at("decisions")) notice.decisions.push_back(decision_of(one));
    return notice;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace sluice::control
