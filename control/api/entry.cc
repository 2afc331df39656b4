#include "control/api/entry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace sluice::control::api {
namespace {

constexpr std::string_view key_prefix = "sk_";
constexpr std::size_t shown_chars_max = 128;

/// What a caller wrote into a path may be a credential in its id's place: then it goes into no
/// record. Of a machine-made key, however it was cut, the id is left.
std::string without_secret(std::string_view argument) {
  if (argument.starts_with(key_prefix)) {
    const std::size_t end = argument.find('_', key_prefix.size());
    const std::size_t shown = end == argument.npos ? key_prefix.size() : end + 1;
    return fmt::format("{}…", escaped(argument.substr(0, std::min(shown, shown_chars_max))));
  }
  const bool is_id =
      argument.size() <= shown_chars_max && std::ranges::all_of(argument, [](char c) {
        return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
      });
  return is_id ? std::string(argument) : "…";
}

/// The row's path with what was asked for in it.
std::string path_of(std::string_view row, const Target& target) {
  std::string out;
  for (const std::string& segment : target.segments) {
    row.remove_prefix(1);
    const std::string_view own = row.substr(0, row.find('/'));
    row.remove_prefix(own.size());
    out += '/';
    out += own.starts_with('{') ? without_secret(segment) : std::string(own);
  }
  return out;
}

}  // namespace

Entry::Entry(const Call& call, const Target& target, const Caller& caller)
    : call_(call),
      path_(path_of(call.path, target)),
      caller_(caller),
      groups_(caller.who.groups.begin(), caller.who.groups.end()) {
  for (const config::Actor& actor : caller.who.actors) {
    actors_.push_back({actor.subject, actor.issuer});
  }
}

audit::Record Entry::with(std::string_view event) const {
  audit::Record record;
  record.phase = audit::Phase::control;
  record.event = event;
  record.subject = caller_.who.subject;
  record.issuer = caller_.who.issuer;
  record.proof = caller_.proof;
  record.credential_id = caller_.who.credential_id;
  record.groups = groups_;
  record.delegation = actors_;
  record.peer = caller_.peer;
  record.verb = call_.method;
  record.resource = path_;
  record.detail = call_.id;
  return record;
}

audit::Record Entry::called(std::string_view reason) const {
  audit::Record record = with("api-called");
  record.reason = reason;
  return record;
}

audit::Record Entry::denied(const Problem& problem) const {
  audit::Record record = with("api-denied");
  record.status = static_cast<std::uint32_t>(problem.status);
  record.reason = caller_.fault;
  return record;
}

audit::Record Entry::failed(const Problem& problem) const {
  audit::Record record = with("api-failed");
  record.status = static_cast<std::uint32_t>(problem.status);
  record.reason = problem.detail;
  return record;
}

}  // namespace sluice::control::api
