// Any bytes as a response and as a signed element, for the reader and behind it, against keys whose
// private halves nobody here has.
//
// The first byte says which: 'S' a response, 'E' a signed element, else a whole message, or what a
// reader answers. Oracles: no response is signed; an answer is one of the protocol; the same bytes
// get the same answer; what is accepted as a message is written again in the same way.
#include <cstdlib>
#include <string>

#include "base/text_codec.h"
#include "saml/judge.h"
#include "saml/message.h"
#include "saml/reader.h"

namespace {

using namespace sluice;
using namespace sluice::saml;

constexpr WallTime now{1'800'000'000'000'000'000};

/// RFC 9500 §2.1 and §2.3: keys for tests; nothing is ever signed with them here.
constexpr const char* p256 =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200044225"
    "48f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5"
    "b16c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a4"
    "2a494272";

std::string from_hex_text(std::string_view hex) {
  const auto bytes = from_hex(hex);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

/// Twice the same, whatever it is.
std::string answer_twice(const std::string& message) {
  std::string first = answer(message);
  if (answer(message) != first) std::abort();
  return first;
}

void read_response(std::string_view xml) {
  static const std::string key = from_hex_text(p256);
  const std::string message = encode(SignedElementRequest{{key}, std::string(xml)});
  if (parse_signed_element(answer_twice(message))) std::abort();
}

void read_element(std::string_view xml) {
  const std::string message = encode(StatementRequest{"mail", "groups", std::string(xml)});
  const auto statement = parse_statement(answer_twice(message));
  if (!statement) return;
  config::SamlProvider settings;
  settings.issuer = "https://id.example.com/saml";
  settings.url = "https://gateway.example.com";
  settings.groups_attribute = "groups";
  const Verdict verdict = judge(*statement, {}, "_q", settings, now);
  // Who is named was not refused, and who was refused is not named.
  if ((verdict.fault == Fault::none) == verdict.principal.subject.empty()) std::abort();
  if (encode(*statement) != answer(message)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool is_ready = prepare_reader().has_value();
  if (!is_ready) std::abort();
  const std::string_view input = as_text({data, size});
  if (input.empty()) return 0;
  if (input.front() == 'S') {
    read_response(input.substr(1));
  } else if (input.front() == 'E') {
    read_element(input.substr(1));
  } else {
    const std::string_view message = input.substr(1);
    if (answer_twice(std::string(message)).empty()) std::abort();
    if (const auto element = parse_signed_element(message);
        element && encode(*element) != message) {
      std::abort();
    }
    if (const auto statement = parse_statement(message);
        statement && encode(*statement) != message) {
      std::abort();
    }
  }
  return 0;
}
