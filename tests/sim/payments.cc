#include "payments.h"

#include <fmt/format.h>

namespace sluice::dataplane {
namespace {

void add(Sight& sight, const std::string& both) {
  sight.plain += both;
  sight.masked += both;
}

/// Pieces that are masked and pieces that only look like it.
void add_json_member(Sight& sight, SimRandom& random, bool is_response) {
  switch (random.up_to(6)) {
    case 0:
      sight.plain += R"("card":"4111111111111111")";
      sight.masked += R"("card":"411111******1111")";
      break;
    case 1:
      sight.plain += R"("card":"5555-5555-5555-4444")";
      sight.masked += R"("card":"5555-55**-****-4444")";
      break;
    case 2:
      sight.plain += R"("card":"\u0034111111111111111")";
      sight.masked += R"("card":"411111******1111")";
      break;
    case 3:
      sight.plain += R"("cvc":123)";
      sight.masked += is_response ? R"("cvc":"[redacted]")" : R"("cvc":123)";
      break;
    case 4:
      sight.plain += R"("cvc":"9876")";
      sight.masked += is_response ? R"("cvc":"[redacted]")" : R"("cvc":"9876")";
      break;
    case 5:
      add(sight, R"("reference":"4111111111111112")");  // fails the Luhn check
      break;
    default:
      add(sight, fmt::format(R"("note":"{}")", std::string(random.up_to(199), 'n')));
      break;
  }
}

Sight json_body(SimRandom& random, std::size_t members, bool is_response) {
  Sight sight;
  add(sight, "{\"payments\":[");
  for (std::size_t i = 0; i < members; ++i) {
    add(sight, i == 0 ? "{" : ",{");
    add_json_member(sight, random, is_response);
    add(sight, fmt::format(R"(,"amount":{}}})", random.up_to(99999)));
  }
  add(sight, "]}");
  return sight;
}

Sight text_body(SimRandom& random, std::size_t pieces) {
  Sight sight;
  for (std::size_t i = 0; i < pieces; ++i) {
    add(sight, std::string(random.up_to(299), 't') + " ");
    if (random.up_to(2) == 0) {
      sight.plain += "4111 1111 1111 1111 ";
      sight.masked += "4111 11** **** 1111 ";
    }
  }
  return sight;
}

/// Mostly short, sometimes many times a buffer.
std::size_t some_size(SimRandom& random) {
  const std::size_t kind = random.up_to(9);
  if (kind == 0) return 0;
  if (kind < 8) return 1 + random.up_to(29);
  return random.up_to(800);
}

Sight some_body(SimRandom& random, bool is_json, bool is_response) {
  const std::size_t size = some_size(random);
  if (!is_json) return text_body(random, size);
  return size == 0 ? Sight{} : json_body(random, size, is_response);
}

}  // namespace

Operation random_operation(SimRandom& random, std::uint64_t number) {
  Operation operation;
  operation.id = fmt::format("op{}", number);
  constexpr const char* methods[] = {"GET", "GET", "POST", "PUT", "DELETE", "HEAD"};
  operation.method = methods[random.up_to(std::size(methods) - 1)];
  operation.allowed = random.up_to(7) != 0;
  operation.authenticated = random.up_to(15) != 0;
  operation.is_json = random.up_to(2) != 0;
  operation.inspected = operation.method == "POST" && random.up_to(2) == 0;
  operation.request_wire = random.up_to(1) == 0 ? Wire::length : Wire::chunked;
  operation.response_wire = static_cast<Wire>(random.up_to(2));
  operation.chunk_bytes = 1 + random.up_to(2999);
  const bool has_body = operation.method == "POST" || operation.method == "PUT";
  if (has_body) {
    operation.request_body = some_body(random, operation.is_json, false);
    operation.expects_continue = random.up_to(5) == 0;
  }
  operation.response_body = some_body(random, operation.is_json, true);
  operation.target = fmt::format("/{}/{}{}", operation.allowed ? "v1" : "secret", operation.id,
                                 operation.inspected ? "/inspected" : "");
  return operation;
}

Operation long_operation(SimRandom& random, std::uint64_t number) {
  constexpr std::size_t longest = 700 * 1024;
  const auto some_bytes = [&random] {
    Sight sight;
    add(sight, std::string(random.up_to(3) == 0 ? random.up_to(999) : random.up_to(longest), ' '));
    for (std::size_t i = 0; i < sight.plain.size(); ++i) {
      sight.plain[i] = sight.masked[i] =
          static_cast<char>('a' + (i * i / 7 + random.up_to(1)) % 26);
    }
    return sight;
  };
  Operation operation = random_operation(random, number);
  operation.is_json = operation.inspected = false;
  operation.target = fmt::format("/{}/{}", operation.allowed ? "v1" : "secret", operation.id);
  operation.request_body = {};
  if (operation.method == "POST" || operation.method == "PUT")
    operation.request_body = some_bytes();
  operation.response_body = some_bytes();
  operation.chunk_bytes = 1 + random.up_to(200'000);
  if (random.up_to(1) == 0) operation.response_wire = operation.request_wire = Wire::length;
  return operation;
}

std::string in_chunks(const std::string& body, std::size_t chunk_bytes) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += chunk_bytes) {
    const std::string chunk = body.substr(at, chunk_bytes);
    out += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  }
  return out + "0\r\n\r\n";
}

std::string request_bytes(const Operation& operation, const std::string& key) {
  std::string out =
      fmt::format("{} {} HTTP/1.1\r\nHost: api.example\r\n", operation.method, operation.target);
  if (operation.authenticated) out += fmt::format("Authorization: Bearer {}\r\n", key);
  const bool has_body = operation.method == "POST" || operation.method == "PUT";
  if (has_body) {
    out +=
        operation.is_json ? "Content-Type: application/json\r\n" : "Content-Type: text/plain\r\n";
    if (operation.expects_continue) out += "Expect: 100-continue\r\n";
    if (operation.request_wire == Wire::chunked) {
      out += "Transfer-Encoding: chunked\r\n\r\n";
      return out + in_chunks(operation.request_body.plain, operation.chunk_bytes);
    }
    out += fmt::format("Content-Length: {}\r\n", operation.request_body.plain.size());
  }
  return out + "\r\n" + operation.request_body.plain;
}

std::string response_bytes(const Operation& operation, bool& close) {
  const std::string& body = operation.response_body.plain;
  std::string out = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nX-Operation: {}\r\n",
      operation.is_json ? "application/json; charset=utf-8" : "text/plain", operation.id);
  close = operation.response_wire == Wire::until_close;
  if (operation.response_wire == Wire::chunked) {
    out += "Transfer-Encoding: chunked\r\n\r\n";
    if (operation.response_has_body()) out += in_chunks(body, operation.chunk_bytes);
    return out;
  }
  if (operation.response_wire == Wire::length) {
    out += fmt::format("Content-Length: {}\r\n", body.size());
  } else {
    out += "Connection: close\r\n";
  }
  out += "\r\n";
  if (operation.response_has_body()) out += body;
  return out;
}

}  // namespace sluice::dataplane
