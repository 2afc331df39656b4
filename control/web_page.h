// Pages that a browser is shown when somebody signs in, and the cookies that go with them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/http.h"
#include "control/token_mint.h"

namespace sluice::control {

/// For text between tags, and in attributes that are in double quotes.
[[nodiscard]] std::string escaped_html(std::string_view text);

/// What each page is answered with: nothing of it is kept, framed or run.
[[nodiscard]] HttpFields page_fields(HttpFields more = {});

/// body  HTML.
[[nodiscard]] HttpReply html_page(int status, std::string_view title, const std::string& body,
                                  HttpFields more = {});
[[nodiscard]] HttpReply plain_page(int status, std::string text, HttpFields more = {});
[[nodiscard]] HttpReply only_method(std::string_view method);

/// How every sign-in ends: with a token of the gateway's own, shown once, or why there is none.
/// more  of the page that shows it.
[[nodiscard]] HttpReply token_page(const Result<MintedToken, MintRefusal>& token,
                                   HttpFields more = {});

enum class SameSite : std::uint8_t {
  lax,  ///< Comes along when another site's link or redirection leads here.
  none  ///< And when another site's page posts a form here.
};
/// A field's value, for a name that begins with "__Host-": for this host and TLS alone (RFC
/// 6265bis §4.1.3.2).
/// seconds  how long; 0: it is to be forgotten.
[[nodiscard]] std::string set_cookie(std::string_view name, std::string_view value,
                                     SameSite same_site, std::int64_t seconds);
/// RFC 6265 §4.2.1. Empty: it is not there.
[[nodiscard]] std::string_view cookie_of(const HttpRequest& request, std::string_view name);

}  // namespace sluice::control
