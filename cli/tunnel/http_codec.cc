#include "cli/tunnel/http_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "control/json_text.h"
#include "parsers/http1/encoder.h"
#include "parsers/http1/fields.h"

namespace sluice::cli::tunnel {

using Kind = http1::Step::Kind;

namespace {

/// The gateway has its own, which count; these are for what it takes at most.
constexpr http1::Limits limits{.head_bytes_max = std::size_t{64} << 10,
                               .target_bytes_max = std::size_t{64} << 10,
                               .fields_max = http1::fields_max,
                               .body_bytes_max = std::numeric_limits<std::uint64_t>::max() / 2};

void put_problem(std::uint16_t status, std::string_view detail, Output& out) {
  const std::string_view title = http1::reason_phrase(status);
  const std::string body =
      fmt::format("{{\"type\":\"about:blank\",\"title\":{},\"status\":{},\"detail\":{}}}\n",
                  control::json_text(title), status, control::json_text(detail));
  std::array<std::uint8_t, 1024> room{};
  http1::HeadWriter head(room);
  head.status_line(status, title);
  head.field("Content-Type", "application/problem+json");
  head.field("Content-Length", std::uint64_t{body.size()});
  head.field("Connection", "close");
  head.finish();
  out.to_client += as_text(head.written());
  out.to_client += body;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         http1::equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// Of a page in a browser. A page cannot keep the browser from sending any of them.
bool is_of_browser(const http1::Field& field) {
  return http1::equal_ignoring_case(field.name, "origin") ||
         http1::equal_ignoring_case(field.name, "referer") ||
         starts_with_ignoring_case(field.name, "sec-fetch-") ||
         (http1::equal_ignoring_case(field.name, "user-agent") &&
          starts_with_ignoring_case(field.value, "mozilla/"));
}

bool is_credential(const http1::Field& field) {
  return field.id == http1::FieldName::authorization || field.id == http1::FieldName::x_api_key;
}

}  // namespace

HttpCodec::HttpCodec(std::uint16_t port, std::string gateway, Tokens tokens)
    : own_names_{fmt::format("127.0.0.1:{}", port), fmt::format("localhost:{}", port)},
      gateway_(std::move(gateway)),
      tokens_(std::move(tokens)),
      requests_(limits),
      responses_(limits) {}

void HttpCodec::take_from_client(std::string& unread, Output& out) {
  while (!out.is_over && (is_asking_ || !is_answering_)) {
    const auto step = requests_.decode(as_bytes(unread), *fields_);
    switch (step.kind) {
      case Kind::malformed:
        return refuse_request({http1::status_of(step.fault), std::string(http1::text(step.fault))},
                              out);
      case Kind::head:
        if (const auto refusal = take_head(out)) return refuse_request(*refusal, out);
        break;
      case Kind::data:
      case Kind::end:
      case Kind::needs_more:
        // A body passes in the framing that it came in, which the decoder has checked.
        out.to_gateway += std::string_view(unread).substr(0, step.size_bytes);
        break;
    }
    unread.erase(0, step.size_bytes);
    if (step.kind == Kind::end) is_asking_ = false;
    if (step.kind == Kind::needs_more) return;
  }
}

std::optional<HttpCodec::Refusal> HttpCodec::take_head(Output& out) {
  const http1::RequestHead& request = requests_.request();
  if (request.version_minor == 0) return Refusal{505, "the tunnel speaks HTTP/1.1"};
  if (std::ranges::any_of(request.fields, is_of_browser)) {
    return Refusal{403, "the tunnel is for programs: a page in a browser could use it unasked"};
  }
  if (std::ranges::find(own_names_, request.host) == own_names_.end()) {
    return Refusal{421, fmt::format("the tunnel is {}", fmt::join(own_names_, " or "))};
  }
  const auto token = tokens_();
  if (!token) return Refusal{502, token.error().message};
  std::vector<std::uint8_t> room(limits.head_bytes_max + token->size() + gateway_.size() + 64);
  http1::HeadWriter head(room);
  head.request_line(request.method_text, request.target);
  for (const http1::Field& field : request.fields) {
    if (is_credential(field)) continue;
    // As from a client that calls the gateway without a tunnel.
    head.field(field.name, field.id == http1::FieldName::host ? gateway_ : field.value);
  }
  head.field("Authorization", "Bearer " + *token);
  head.finish();
  if (head.overflowed()) return Refusal{431, "the request's head is too large"};
  out.to_gateway += as_text(head.written());
  responses_.expect(request.method);
  is_asking_ = true;
  is_answering_ = true;
  has_answer_begun_ = false;
  return std::nullopt;
}

void HttpCodec::take_from_gateway(std::string& unread, Output& out) {
  // What nobody asked for is no answer.
  if (!is_answering_) out.is_over = true;
  while (!out.is_over && is_answering_) {
    const auto step = responses_.decode(as_bytes(unread), *fields_);
    if (step.kind == Kind::malformed) {
      return refuse("the gateway's answer is not understood", out);
    }
    has_answer_begun_ = has_answer_begun_ || step.size_bytes > 0;
    out.to_client += std::string_view(unread).substr(0, step.size_bytes);
    unread.erase(0, step.size_bytes);
    if (step.kind == Kind::needs_more) return;
    if (step.kind != Kind::end) continue;
    is_answering_ = false;
    // The rest of a request that was answered early has nowhere to go, nor has what comes behind.
    out.is_over = is_asking_ || !responses_.response().keep_alive || !unread.empty();
  }
}

bool HttpCodec::on_gateway_end() {
  const auto kind = responses_.on_close().kind;
  return kind == Kind::end || kind == Kind::needs_more;
}

void HttpCodec::refuse(std::string_view why, Output& out) {
  if (is_answering_ && !has_answer_begun_) put_problem(502, why, out);
  out.is_over = true;
}

void HttpCodec::refuse_request(const Refusal& refusal, Output& out) {
  if (!is_answering_ || !has_answer_begun_) put_problem(refusal.status, refusal.why, out);
  out.is_over = true;
}

}  // namespace sluice::cli::tunnel
