#include "control/web_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/timestamp.h"

namespace sluice::control {
namespace {

std::string_view without_space(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

HttpFields page_fields(HttpFields more) {
  HttpFields out{{"Cache-Control", "no-store"},
                 {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                 {"Referrer-Policy", "no-referrer"},
                 {"X-Content-Type-Options", "nosniff"}};
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

HttpReply html_page(int status, std::string_view title, const std::string& body, HttpFields more) {
  return {.status = status,
          .content_type = "text/html; charset=utf-8",
          .body = fmt::format("<!doctype html>\n<html lang=\"en\"><title>{}</title>\n<h1>{}</h1>\n"
                              "{}</html>\n",
                              title, title, body),
          .fields = page_fields(std::move(more))};
}

HttpReply plain_page(int status, std::string text, HttpFields more) {
  return {.status = status, .body = std::move(text) + "\n", .fields = page_fields(std::move(more))};
}

HttpReply only_method(std::string_view method) {
  return plain_page(405, fmt::format("only {}", method), {{"Allow", std::string(method)}});
}

HttpReply token_page(const Result<MintedToken, MintRefusal>& token, HttpFields more) {
  if (!token) {
    const int status = token.error().kind == MintRefusal::Kind::unavailable ? 503 : 403;
    return html_page(status, "No token",
                     fmt::format("<p>{}</p>\n", escaped_html(token.error().message)));
  }
  return html_page(
      200, "Signed in",
      fmt::format("<p>You are {}, until {}. This token says so, as bearer token or as PostgreSQL "
                  "password:</p>\n<pre>{}</pre>\n<p>Its id is {}: <code>sluice token revoke</code> "
                  "takes it "
                  "back.</p>\n",
                  escaped_html(token->subject), timestamp_text(token->expires), token->token,
                  token->id),
      std::move(more));
}

std::string set_cookie(std::string_view name, std::string_view value, SameSite same_site,
                       std::int64_t seconds) {
  return fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite={}; Max-Age={}", name, value,
                     same_site == SameSite::lax ? "Lax" : "None", seconds);
}

std::string_view cookie_of(const HttpRequest& request, std::string_view name) {
  std::string_view rest = field_value(request.fields, "cookie");
  while (!rest.empty()) {
    const std::string_view pair = without_space(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.size(), rest.find(';')));
    if (!rest.empty()) rest.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace sluice::control
