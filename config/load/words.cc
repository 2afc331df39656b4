// What texts of the configuration must look like.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "config/load/quantity.h"
#include "config/load/schema.h"
#include "config/model/http_url.h"
#include "config/model/jws_algorithm.h"
#include "config/model/network.h"
#include "config/model/notification_settings.h"
#include "config/model/path_glob.h"
#include "config/model/policy.h"
#include "config/model/public_key_pin.h"
#include "config/model/secure_url.h"
#include "config/model/sql_match.h"
#include "config/model/token.h"

namespace sluice::config {
namespace {

using Fault = std::optional<std::string>;

/// No control characters; other bytes were checked to be UTF-8 by the YAML parser.
bool is_printable(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

Fault line_fault(std::string_view text, std::size_t bytes_max) {
  if (text.empty()) return "an empty text";
  if (text.size() > bytes_max) {
    return fmt::format("{} bytes; at most {} are allowed", text.size(), bytes_max);
  }
  if (!is_printable(text)) return "control characters are not allowed";
  if (text.front() == ' ' || text.back() == ' ') return "spaces around the text";
  return std::nullopt;
}

Fault name_fault(std::string_view text) {
  const bool is_good = !text.empty() && text.size() <= 64 && is_letter_or_digit(text.front()) &&
                       std::all_of(text.begin(), text.end(), [](char c) {
                         return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
                       });
  if (is_good) return std::nullopt;
  return fmt::format("'{}' is not a name: letters, digits, '.', '_', '-'; at most 64", text);
}

Fault header_name_fault(std::string_view text) {
  if (is_token(text) && text.size() <= 128) return std::nullopt;
  return fmt::format("'{}' is not a header name", text);
}

Fault injected_header_fault(std::string_view text) {
  if (auto fault = header_name_fault(text)) return fault;
  static constexpr std::array<std::string_view, 13> framing{
      "host",       "content-length",      "transfer-encoding", "connection", "te",
      "keep-alive", "proxy-authenticate",  "trailer",           "upgrade",    "expect",
      "via",        "proxy-authorization", "content-encoding"};
  if (std::find(framing.begin(), framing.end(), in_lower_case(text)) == framing.end()) {
    return std::nullopt;
  }
  return fmt::format("'{}' belongs to the connection, not to a credential", text);
}

Fault url_path_fault(std::string_view text) {
  const bool is_good =
      text.starts_with('/') && text.size() <= 1024 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
  if (is_good) return std::nullopt;
  return fmt::format("'{}' is not a path like /health", text);
}

/// RFC 1123 §2.1, as far as it keeps anything else from being meant.
Fault host_name_fault(std::string_view text) {
  const bool is_good = !text.empty() && text.size() <= 253 && text.front() != '.' &&
                       std::all_of(text.begin(), text.end(), [](char c) {
                         return is_letter_or_digit(c) || c == '.' || c == '-' || c == ':';
                       });
  if (is_good) return std::nullopt;
  return fmt::format("'{}' is not a host name or an IP address", text);
}

Fault builtin_fault(std::string_view text) {
  const auto known = builtin_finders();
  if (std::any_of(known.begin(), known.end(),
                  [&](const Choice& choice) { return choice.word == text; })) {
    return std::nullopt;
  }
  return fmt::format("no built-in finder '{}'", text);
}

Fault request_event_fault(std::string_view text) {
  if (std::ranges::find(request_events, text) != request_events.end()) return std::nullopt;
  return fmt::format("no event '{}'; there are {}", text, fmt::join(request_events, ", "));
}

/// Also a link of Slack's, where <, > and | mean something.
Fault request_link_fault(std::string_view text) {
  constexpr std::string_view place = "{id}";
  const std::size_t at = text.find(place);
  const bool is_good =
      (text.starts_with("https://") || text.starts_with("http://")) && text.size() <= 1024 &&
      at != text.npos && text.find(place, at + 1) == text.npos &&
      std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < 0x7F && std::string_view("<>|\"").find(c) == std::string_view::npos;
      });
  if (is_good) return std::nullopt;
  return fmt::format("'{}' is not a URL like https://sluice.example.com/requests/{{id}}", text);
}

Fault glob_fault(std::string_view text) {
  const auto segments = parse_glob(text);
  if (segments) return std::nullopt;
  return fmt::format("'{}': {}", text, segments.error().message);
}

}  // namespace

std::string number_text(const Field& field, std::uint64_t number) {
  switch (field.kind) {
    case Field::Kind::flag:
      return number == 0 ? "false" : "true";
    case Field::Kind::size:
      return size_text(number);
    case Field::Kind::duration:
      return duration_text({static_cast<std::int64_t>(number)});
    case Field::Kind::choice:
    case Field::Kind::choice_or_section:
      for (const Choice& choice : field.choices) {
        if (choice.value == number) return std::string(choice.word);
      }
      return {};
    default:
      return fmt::format("{}", number);
  }
}

std::optional<std::string> word_fault(Word word, std::string_view text) {
  switch (word) {
    case Word::any:
      return std::nullopt;
    case Word::name:
      return name_fault(text);
    case Word::title:
      return line_fault(text, 128);
    case Word::sentence:
      return line_fault(text, 512);
    case Word::subject:
      return line_fault(text, 256);
    case Word::method:
      return method_fault(text);
    case Word::path_glob:
      return glob_fault(text);
    case Word::header_name:
      return header_name_fault(text);
    case Word::injected_header:
      return injected_header_fault(text);
    case Word::expression:
      if (text.empty()) return "an empty expression";
      if (text.size() > 4096) return "an expression longer than 4096 bytes";
      return std::nullopt;
    case Word::json_path:
      if (text.size() > 1 && text.starts_with('$') && text.size() <= 1024) return std::nullopt;
      return fmt::format("'{}' is not a JSON path like $.card.number or $..cvv", text);
    case Word::builtin:
      return builtin_fault(text);
    case Word::url_path:
      return url_path_fault(text);
    case Word::host_name:
      return host_name_fault(text);
    case Word::sql_class:
      return sql_class_fault(text);
    case Word::sql_name:
      return sql_name_fault(text);
    case Word::sql_column:
      return sql_column_fault(text);
    case Word::file_path:
      return line_fault(text, 4096);
    case Word::request_event:
      return request_event_fault(text);
    case Word::request_link:
      return request_link_fault(text);
    case Word::variable:
      if (text.find('=') != std::string_view::npos && !text.starts_with('=')) {
        return line_fault(text, 4096);
      }
      return fmt::format("'{}' is not NAME=VALUE", text);
    case Word::issuer_url:
      if (is_secure_url(text)) return std::nullopt;
      return fmt::format(
          "'{}' is not a URL like https://id.example.com; http:// is for this host alone", text);
    case Word::page_url:
      if (text.size() <= 2048 && is_secure_url(text.substr(0, text.find('?'))) &&
          std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F && c != '#'; })) {
        return std::nullopt;
      }
      return fmt::format("'{}' is not a URL like https://id.example.com/sso", text);
    case Word::jws_algorithm:
      if (jws_algorithm(text)) return std::nullopt;
      return fmt::format("no algorithm '{}'; known are {}", text,
                         fmt::join(jws_algorithm_names, ", "));
    case Word::network:
      if (const auto network = Network::parse(text); !network) return network.error().message;
      return std::nullopt;
    case Word::public_key_pin:
      if (parse_public_key_pin(text)) return std::nullopt;
      return fmt::format("'{}' is not 'sha256//' and the base64 of 32 bytes", text);
    case Word::http_url:
      if (parse_http_url(text)) return std::nullopt;
      return fmt::format("'{}' is not a URL like http://tsa.example.com/tsr", text);
  }
  return "an unknown kind of word";
}

}  // namespace sluice::config
