// What is known of a request while it is judged.
#pragma once

#include <string_view>

#include "config/model/policy.h"
#include "config/model/principal.h"
#include "dataplane/session/http_actions.h"
#include "dataplane/session/http_session.h"
#include "dataplane/session/refusal.h"
#include "parsers/http1/target.h"

namespace sluice::dataplane {

struct HttpSession::Judged {
  http1::Target target;
  const config::Principal* principal = nullptr;
  const config::PrincipalView* view = nullptr;
  config::HttpAction action;
  std::string_view rule;
  std::string_view reason;  ///< For the record, where the client must not learn it.
  bool is_recorded = false;
};

/// The client asks the gateway how far a request is that people decide on.
inline bool asks_about_request(const http1::Target& target, const config::PrincipalView& who) {
  return who.may_be_held() && target.path.starts_with(requests_path);
}

}  // namespace sluice::dataplane
