#include "control/notifications/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/timestamp.h"
#include "control/shown_text.h"

namespace sluice::control {
namespace {

using Json = nlohmann::ordered_json;

/// Chats cut or refuse what is longer; the request's page has all of it.
constexpr std::size_t shown_bytes_max = 1'500;
constexpr std::size_t facts_bytes_max = 2'500;  ///< Slack refuses a text of more than 3,000.

std::string title(const Notice& notice) {
  const std::string name = "Request " + notice.request;
  if (notice.event == "waiting") return name + " waits for approval";
  if (notice.event == "expired") return name + " expired: nobody decided in time";
  if (notice.event == "lost") return name + " was lost: it never ran";
  if (notice.event == "unreviewed") return name + " RUNS BY BREAK-GLASS, and must be reviewed";
  return fmt::format("{} was {}", name, notice.event);
}

/// At the end of a character.
std::string clipped(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

/// One line, in which a client's text passes for nothing else.
std::string shown(std::string_view text) {
  return clipped(shown_text(text), shown_bytes_max);
}

/// The lines of a message for people.
std::vector<std::string> facts(const Notice& notice) {
  std::vector<std::string> out{"Who asks: " + notice.requester, "Target: " + notice.target};
  for (const Notice::Rule& rule : notice.rules) {
    out.push_back(fmt::format("Rule: {} ({})", rule.name, rule.needed));
  }
  if (notice.event == "waiting") out.push_back("Until: " + notice.until);
  for (const Notice::Decision& one : notice.decisions) {
    out.push_back(fmt::format("Decision: {} by {}{}{}", one.verdict, one.who,
                              one.reason.empty() ? "" : ": ", one.reason));
  }
  std::size_t left = facts_bytes_max;
  std::size_t count = 0;
  for (; count < out.size() && left > 0; ++count) {
    out[count] = clipped(shown(out[count]), left);
    left -= std::min(left, out[count].size() + 1);
  }
  out.resize(count);
  return out;
}

std::string operation(const Notice& notice) {
  return shown(fmt::format("{} {}", notice.verb, notice.resource));
}

Json generic(const Notice& notice, std::string_view link) {
  Json rules = Json::array();
  for (const Notice::Rule& rule : notice.rules) {
    rules.push_back({{"rule", rule.name}, {"needed", rule.needed}});
  }
  Json decisions = Json::array();
  for (const Notice::Decision& one : notice.decisions) {
    decisions.push_back({{"decision", one.verdict}, {"who", one.who}, {"reason", one.reason}});
  }
  Json page{{"event", notice.event},
            {"at", timestamp_text(notice.at)},
            {"request", notice.request},
            {"requester", notice.requester},
            {"target", notice.target},
            {"protocol", notice.protocol},
            {"verb", notice.verb},
            {"resource", notice.resource},
            {"until", notice.until},
            {"rules", std::move(rules)},
            {"decisions", std::move(decisions)}};
  if (!link.empty()) page["link"] = link;
  return page;
}

/// Of mrkdwn these three mean something wherever they stand.
std::string in_mrkdwn(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// Plain text where it can be: what a client wrote is shown, and never formats anything.
Json slack(const Notice& notice, std::string_view link) {
  const auto plain = [](std::string text) {
    return Json{{"type", "plain_text"}, {"text", std::move(text)}, {"emoji", false}};
  };
  std::string lines;
  for (const std::string& fact : facts(notice)) {
    lines += fact;
    lines += '\n';
  }
  Json blocks = Json::array();
  blocks.push_back({{"type", "header"}, {"text", plain(title(notice))}});
  blocks.push_back({{"type", "section"}, {"text", plain(std::move(lines))}});
  blocks.push_back({{"type", "section"}, {"text", plain(operation(notice))}});
  if (!link.empty()) {
    blocks.push_back(
        {{"type", "section"},
         {"text", {{"type", "mrkdwn"}, {"text", fmt::format("<{}|Show it>", in_mrkdwn(link))}}}});
  }
  return {{"text", title(notice)}, {"blocks", std::move(blocks)}};
}

/// A TextRun formats nothing; a TextBlock would read Markdown.
Json teams(const Notice& notice, std::string_view link) {
  const auto run = [](std::string text, bool is_title) {
    Json inner{{"type", "TextRun"}, {"text", std::move(text)}};
    if (is_title) inner["weight"] = "Bolder";
    return Json{{"type", "RichTextBlock"}, {"inlines", Json::array({std::move(inner)})}};
  };
  Json body = Json::array({run(title(notice), true)});
  for (std::string& fact : facts(notice)) body.push_back(run(std::move(fact), false));
  body.push_back(run(operation(notice), false));
  Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
            {"type", "AdaptiveCard"},
            {"version", "1.4"},
            {"body", std::move(body)}};
  if (!link.empty()) {
    card["actions"] =
        Json::array({Json{{"type", "Action.OpenUrl"}, {"title", "Show it"}, {"url", link}}});
  }
  return {
      {"type", "message"},
      {"attachments", Json::array({Json{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                        {"content", std::move(card)}}})}};
}

Json page_of(config::WebhookFormat format, const Notice& notice, std::string_view link) {
  switch (format) {
    case config::WebhookFormat::generic:
      return generic(notice, link);
    case config::WebhookFormat::slack:
      return slack(notice, link);
    case config::WebhookFormat::teams:
      return teams(notice, link);
  }
  return {};
}

}  // namespace

std::string payload(config::WebhookFormat format, const Notice& notice, std::string_view link) {
  // Names come from clients: what is no UTF-8 must not be a way to stay unseen.
  return page_of(format, notice, link).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string link_to(std::string_view pattern, std::string_view request) {
  constexpr std::string_view place = "{id}";
  const std::size_t at = pattern.find(place);
  if (at == pattern.npos) return std::string(pattern);
  return fmt::format("{}{}{}", pattern.substr(0, at), request, pattern.substr(at + place.size()));
}

}  // namespace sluice::control
