// Requests and decisions as tests need them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "control/approvals/request.h"

namespace sluice::control::sample {

inline config::Principal person(std::string subject, std::vector<std::string> groups = {"dba"}) {
  config::Principal who;
  who.subject = std::move(subject);
  who.issuer = "api_keys";
  who.groups = std::move(groups);
  who.proof = config::Proof::api_key;
  return who;
}

inline Now at(std::int64_t s) {
  return {Instant{0} + seconds(s), WallTime{0} + seconds(1'000'000 + s)};
}

/// Asked for by ann at 0 s, until 60 s.
inline Request request(std::vector<config::HoldRule> rules) {
  Request made;
  made.what.request = "7KQ2M9XF";
  made.what.who = person("ann", {"staff"});
  made.what.rules = std::move(rules);
  made.what.session = 1;
  made.what.wait = seconds(60);
  made.since = at(0);
  made.until = at(60);
  return made;
}

inline Decision decision(config::Principal who, Verdict verdict = Verdict::approve,
                         std::int64_t s = 1) {
  return {verdict, std::move(who), {}, {}, at(s)};
}

}  // namespace sluice::control::sample
