#include "parsers/http1/fields.h"

#include <catch2/catch.hpp>

using namespace sluice::http1;

TEST_CASE("known field names are recognised in any case, their neighbours are not") {
  const std::pair<std::string_view, FieldName> names[] = {
      {"accept-encoding", FieldName::accept_encoding},
      {"accept-ranges", FieldName::accept_ranges},
      {"authorization", FieldName::authorization},
      {"connection", FieldName::connection},
      {"content-encoding", FieldName::content_encoding},
      {"content-length", FieldName::content_length},
      {"content-digest", FieldName::content_digest},
      {"content-md5", FieldName::content_md5},
      {"content-type", FieldName::content_type},
      {"date", FieldName::date},
      {"digest", FieldName::digest},
      {"expect", FieldName::expect},
      {"forwarded", FieldName::forwarded},
      {"host", FieldName::host},
      {"if-range", FieldName::if_range},
      {"keep-alive", FieldName::keep_alive},
      {"proxy-authenticate", FieldName::proxy_authenticate},
      {"proxy-authorization", FieldName::proxy_authorization},
      {"proxy-connection", FieldName::proxy_connection},
      {"range", FieldName::range},
      {"repr-digest", FieldName::repr_digest},
      {"te", FieldName::te},
      {"trailer", FieldName::trailer},
      {"transfer-encoding", FieldName::transfer_encoding},
      {"upgrade", FieldName::upgrade},
      {"via", FieldName::via},
      {"x-api-key", FieldName::x_api_key},
      {"x-forwarded-for", FieldName::x_forwarded_for},
      {"x-forwarded-host", FieldName::x_forwarded_host},
      {"x-forwarded-proto", FieldName::x_forwarded_proto},
      {"x-http-method", FieldName::overriding},
      {"x-http-method-override", FieldName::overriding},
      {"x-method-override", FieldName::overriding},
      {"x-original-url", FieldName::overriding},
      {"x-real-ip", FieldName::x_real_ip},
      {"x-rewrite-url", FieldName::overriding}};
  for (const auto& [name, id] : names) {
    std::string text(name);
    CHECK(field_name_of(text) == id);
    CHECK(has_fixed_role(text));
    for (char& c : text) c = static_cast<char>(std::toupper(c));
    CHECK(field_name_of(text) == id);
    for (std::size_t i = 0; i < text.size(); ++i) {
      // Bytes that a careless case fold takes for the right one.
      for (const int flip : {0x20, 0x40, 0x80, 0x01}) {
        std::string other(name);
        other[i] = static_cast<char>(other[i] ^ flip);
        const bool is_same_letter = flip == 0x20 && std::isalpha(name[i]) != 0;
        INFO(name << " with byte " << i << " ^ " << flip);
        CHECK((field_name_of(other) == id) == is_same_letter);
      }
    }
    CHECK(field_name_of(std::string(name) + "x") == FieldName::other);
    CHECK(field_name_of(name.substr(1)) == FieldName::other);
  }
  for (const std::string_view name : {"", "a", "x", "accept", "user-agent", "x-custom"}) {
    CHECK(field_name_of(name) == FieldName::other);
    CHECK_FALSE(has_fixed_role(name));
  }
  CHECK(has_fixed_role("Set-Cookie"));
  CHECK(has_fixed_role("if-none-match"));
}

TEST_CASE("a known name with an underscore for a hyphen is seen through") {
  for (const std::string_view name : {"content_length", "Transfer_Encoding", "X_API_KEY",
                                      "x_api-key", "x-http-method_override", "X_Real-IP"}) {
    INFO(name);
    CHECK(field_name_of(name) == FieldName::disguised);
    CHECK(has_fixed_role(name));
  }
  for (const std::string_view name : {"content_lengths", "x_own_field", "_host", "host_", "_"}) {
    INFO(name);
    CHECK(field_name_of(name) == FieldName::other);
  }
}

TEST_CASE("names are compared as CGI variables, where that is asked for") {
  CHECK(equal_as_variables("X_Token-A", "x-token_a"));
  CHECK_FALSE(equal_as_variables("X_Token", "X_Tokens"));
  CHECK_FALSE(equal_as_variables("XToken", "X_oken"));
}

TEST_CASE("methods are case-sensitive") {
  CHECK(method_of("GET") == Method::get);
  CHECK(method_of("HEAD") == Method::head);
  CHECK(method_of("POST") == Method::post);
  CHECK(method_of("PUT") == Method::put);
  CHECK(method_of("DELETE") == Method::delete_);
  CHECK(method_of("PATCH") == Method::patch);
  CHECK(method_of("OPTIONS") == Method::options);
  CHECK(method_of("TRACE") == Method::trace);
  CHECK(method_of("CONNECT") == Method::connect);
  for (const std::string_view text : {"", "get", "GETS", "Post", "PURGE", "CONNECTS"}) {
    CHECK(method_of(text) == Method::other);
  }
}

TEST_CASE("tokens hold at least one tchar and nothing else") {
  CHECK(is_token("!#$%&'*+-.^_`|~09azAZ"));
  CHECK(is_token("a-token-that-is-longer-than-one-vector-of-32-bytes"));
  for (const std::string_view text :
       {"", " ", "a b", "a:", "a\t", "\"a\"", "a/b", "a@b", "\xC3\xA4",
        "a-token-that-is-longer-than-one-vector-of-32-byte;"}) {
    CHECK_FALSE(is_token(text));
  }
}

TEST_CASE("list elements come without whitespace, and empty ones not at all") {
  const auto elements = [](std::string_view list) {
    std::vector<std::string> found;
    std::string_view element;
    while (next_list_element(list, element)) found.emplace_back(element);
    return found;
  };
  CHECK(elements("a, b\t,,c ,") == std::vector<std::string>{"a", "b", "c"});
  CHECK(elements("one two") == std::vector<std::string>{"one two"});
  CHECK(elements("").empty());
  CHECK(elements(" ,\t, ").empty());
}

TEST_CASE("comparison ignores the case of ASCII letters only") {
  CHECK(equal_ignoring_case("Content-Length", "cONTENT-lENGTH"));
  CHECK_FALSE(equal_ignoring_case("a", "ab"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));
  CHECK_FALSE(equal_ignoring_case("\xC4", "\xE4"));
}

TEST_CASE("fields that never cross a hop are known") {
  for (const FieldName name :
       {FieldName::connection, FieldName::keep_alive, FieldName::proxy_authenticate,
        FieldName::proxy_authorization, FieldName::proxy_connection, FieldName::te,
        FieldName::trailer, FieldName::transfer_encoding, FieldName::upgrade}) {
    CHECK(is_always_hop_by_hop(name));
  }
  for (const FieldName name : {FieldName::other, FieldName::host, FieldName::content_length,
                               FieldName::authorization, FieldName::via}) {
    CHECK_FALSE(is_always_hop_by_hop(name));
  }
}
