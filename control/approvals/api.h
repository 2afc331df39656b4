// Requests over the admin interface.
//
//   GET  /requests, /requests?state=waiting    the newest, as JSON
//   GET  /requests/ID
//   POST /requests/ID/approve, /requests/ID/deny    body: {"reason": "…"} or nothing
//
// Who decides proves it by the Authorization field, as to a listener: that the socket may be
// opened by somebody says nothing of who that is.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/model/principal.h"
#include "control/approvals/desk.h"
#include "control/http.h"

namespace sluice::control {

/// Whether what is asked for is such a page.
bool is_requests_page(std::string_view target) noexcept;

/// identify  takes the value of an Authorization field; a principal without a subject when
///           nobody is proved by it.
HttpReply answer_requests(Desk& desk, const HttpRequest& request,
                          const std::function<config::Principal(std::string_view)>& identify);

}  // namespace sluice::control
