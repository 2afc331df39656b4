// sluice legal-hold: keep records that retention would remove.
#include "cli/legal_hold.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/timestamp.h"
#include "cli/output.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "legal-hold";
constexpr std::string_view path = "/legal-holds";

std::string bound_text(std::uint64_t ns, std::uint64_t unbounded) {
  return ns == unbounded ? std::string() : timestamp_text({static_cast<std::int64_t>(ns)}, 9);
}

Json json_of(const audit::LegalHold& hold) {
  const audit::LegalHold unbounded;
  return {{"id", hold.id},
          {"from", bound_text(hold.from_ns, unbounded.from_ns)},
          {"until", bound_text(hold.until_ns, unbounded.until_ns)},
          {"reason", hold.reason}};
}

Result<std::string> text_of(const Result<audit::LegalHold>& hold) {
  if (!hold) return tl::unexpected(hold.error());
  return json_of(*hold).dump();
}

/// False: it is no time.
bool read_bound(const Json& page, const char* name, std::uint64_t& ns) {
  const auto text = page.value(name, std::string());
  const auto time = parse_timestamp(text);
  if (time) ns = static_cast<std::uint64_t>(time->ns);
  return time || text.empty();
}

/// As the gateway takes times; empty stays empty.
Result<std::string> absolute(const std::string& text, WallTime now) {
  if (text.empty()) return text;
  const auto time = parse_time(text, now, false);
  if (!time) return tl::unexpected(time.error());
  return timestamp_text(*time, 9);
}

std::string line_of(const Json& hold) {
  const auto bound = [&hold](const char* name, const char* otherwise) {
    const auto text = hold.at(name).get<std::string>();
    return text.empty() ? std::string(otherwise) : text;
  };
  return fmt::format("{}: from {} until {}: {}", hold.at("id").get<std::uint64_t>(),
                     bound("from", "the log's beginning"), bound("until", "further notice"),
                     hold.at("reason").get<std::string>());
}

struct Reply {
  ExitCode code = ExitCode::ok;
  Json page;
};

/// Complains where the gateway refuses; prints its answer where JSON is wanted.
Reply ask(const AdminTarget& gateway, const control::HttpRequest& request, bool json) {
  const auto answer = ask_gateway(verb, gateway, request);
  if (answer.code != ExitCode::ok) return {answer.code, {}};
  Json page = Json::parse(answer.reply.body, nullptr, false);
  if (page.is_discarded()) return {complain(verb, answer.reply.body, ExitCode::failed), {}};
  if (answer.reply.status != 200) {
    return {complain(verb, page.value("error", answer.reply.body), ExitCode::failed), {}};
  }
  if (json) fmt::print("{}", answer.reply.body);
  return {ExitCode::ok, std::move(page)};
}

}  // namespace

Result<std::string> list_legal_holds(const audit::Retention& retention) {
  const auto holds = retention.legal_holds();
  if (!holds) return tl::unexpected(holds.error());
  Json list = Json::array();
  for (const audit::LegalHold& hold : holds->list) list.push_back(json_of(hold));
  return Json{{"legal_holds", std::move(list)}}.dump();
}

Result<std::string> add_legal_hold(audit::Retention& retention, const std::string& body,
                                   const std::string& by) {
  audit::LegalHold hold;
  try {
    const Json page = Json::parse(body);
    if (!read_bound(page, "from", hold.from_ns) || !read_bound(page, "until", hold.until_ns)) {
      return fail("its times are none");
    }
    hold.reason = page.at("reason").get<std::string>();
  } catch (const Json::exception& fault) {
    return fail(fault.what());
  }
  return text_of(retention.add_legal_hold(std::move(hold), by));
}

Result<std::string> release_legal_hold(audit::Retention& retention, const std::string& body,
                                       const std::string& by) {
  const Json page = Json::parse(body, nullptr, false);
  const auto id = page.is_object() ? page.find("id") : page.end();
  if (id == page.end() || !id->is_number_unsigned()) return fail("it needs the hold's number");
  return text_of(retention.release_legal_hold(id->get<std::uint64_t>(), by));
}

ExitCode perform(const LegalHoldAddOptions& options) {
  const WallTime now = wall_now();
  const auto from = absolute(options.from, now);
  if (!from) return complain(verb, from.error().message, ExitCode::usage);
  const auto until = absolute(options.until, now);
  if (!until) return complain(verb, until.error().message, ExitCode::usage);
  const Json wanted{{"from", *from}, {"until", *until}, {"reason", options.reason}};
  const auto reply =
      ask(options.gateway, {.method = "POST", .target = std::string(path), .body = wanted.dump()},
          options.json);
  if (reply.code == ExitCode::ok && !options.json) fmt::print("held as {}\n", line_of(reply.page));
  return reply.code;
}

ExitCode perform(const LegalHoldListOptions& options) {
  const auto reply =
      ask(options.gateway, {.method = "GET", .target = std::string(path)}, options.json);
  if (reply.code != ExitCode::ok || options.json) return reply.code;
  for (const auto& hold : reply.page.at("legal_holds")) fmt::print("{}\n", line_of(hold));
  return ExitCode::ok;
}

ExitCode perform(const LegalHoldReleaseOptions& options) {
  const Json wanted{{"id", options.id}};
  const auto reply =
      ask(options.gateway,
          {.method = "POST", .target = std::string(path) + "/release", .body = wanted.dump()},
          options.json);
  if (reply.code == ExitCode::ok && !options.json) {
    fmt::print("released {}\n", line_of(reply.page));
  }
  return reply.code;
}

}  // namespace sluice::cli
