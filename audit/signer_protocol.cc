#include "audit/signer_protocol.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace sluice::audit::signer_protocol {
namespace {

constexpr std::uint8_t greeting_type = 'H';
constexpr std::uint8_t request_type = 'S';
constexpr std::uint8_t package_type = 'E';
constexpr std::uint8_t signature_type = 'K';
constexpr std::uint8_t refusal_type = 'R';
constexpr std::size_t refusal_bytes_max = 1024;

Message begin(std::uint8_t type) {
  Message out;
  out.reserve(message_bytes_max);
  out.push_back(type);
  return out;
}

void put(Message& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class Number>
void put_number(Message& out, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  }
}

void put(Message& out, const TreeHead& head) {
  put_number(out, head.size);
  put(out, head.root);
}

/// Takes fields from the front; is short for ever once one was missing.
class Fields {
 public:
  explicit Fields(ByteView bytes) : rest_(bytes) {}

  void take(std::span<std::uint8_t> out) {
    if (rest_.size() < out.size()) {
      is_short_ = true;
      return;
    }
    std::copy_n(rest_.begin(), out.size(), out.begin());
    rest_ = rest_.subspan(out.size());
  }
  template <class Number>
  void take_number(Number& number) {
    std::array<std::uint8_t, sizeof number> bytes{};
    take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | bytes[i];
    number = static_cast<Number>(value);
  }
  void take(TreeHead& head) {
    take_number(head.size);
    take(head.root);
  }
  std::string_view take_text(std::size_t size) {
    is_short_ = is_short_ || rest_.size() < size;
    if (is_short_) return {};
    const std::string_view text = as_text(rest_.first(size));
    rest_ = rest_.subspan(size);
    return text;
  }
  [[nodiscard]] ByteView rest() const { return rest_; }
  [[nodiscard]] bool is_short() const { return is_short_; }

 private:
  ByteView rest_;
  bool is_short_ = false;
};

/// Behind the type, when it is that one.
std::optional<ByteView> body(ByteView message, std::uint8_t type) {
  if (message.empty() || message[0] != type || message.size() > message_bytes_max) {
    return std::nullopt;
  }
  return message.subspan(1);
}

tl::unexpected<Error> refused(ByteView message) {
  const auto reason = body(message, refusal_type);
  return fail(reason ? std::string(as_text(*reason)) : "the signer said what is none of its words");
}

}  // namespace

Message encode(const Greeting& greeting) {
  Message out = begin(greeting_type);
  put(out, greeting.keys.operations);
  put(out, greeting.keys.mocks);
  put(out, greeting.heads.kept);
  put(out, greeting.heads.last);
  put_number(out, static_cast<std::uint16_t>(greeting.verifier.size()));
  put(out, as_bytes(greeting.verifier));
  put(out, as_bytes(greeting.seal));
  return out;
}

Message encode(std::uint64_t sealed, const Extension& next) {
  Message out = begin(request_type);
  put_number(out, sealed);
  put(out, next.before);
  put(out, next.now);
  for (const Hash& hash : next.proof) put(out, hash);
  return out;
}

Message encode_package(const Hash& manifest) {
  Message out = begin(package_type);
  put(out, manifest);
  return out;
}

Message encode(const Answer& answer) {
  Message out = begin(signature_type);
  put(out, answer.signature);
  put(out, as_bytes(answer.seal));
  return out;
}

Message encode_refusal(std::string_view reason) {
  Message out = begin(refusal_type);
  put(out, as_bytes(reason.substr(0, refusal_bytes_max)));
  return out;
}

std::optional<Request> parse_request(ByteView message) {
  const auto bytes = body(message, request_type);
  if (!bytes) return std::nullopt;
  Fields fields(*bytes);
  Request request;
  Extension& out = request.next;
  fields.take_number(request.sealed);
  fields.take(out.before);
  fields.take(out.now);
  const std::size_t hashes = fields.rest().size() / sizeof(Hash);
  if (fields.is_short() || fields.rest().size() % sizeof(Hash) != 0 || hashes > proof_hashes_max) {
    return std::nullopt;
  }
  out.proof.resize(hashes);
  for (Hash& hash : out.proof) fields.take(hash);
  return request;
}

std::optional<Hash> parse_package(ByteView message) {
  const auto bytes = body(message, package_type);
  Hash manifest{};
  if (!bytes || bytes->size() != manifest.size()) return std::nullopt;
  std::ranges::copy(*bytes, manifest.begin());
  return manifest;
}

Result<Greeting> parse_greeting(ByteView message) {
  const auto bytes = body(message, greeting_type);
  if (!bytes) return refused(message);
  Fields fields(*bytes);
  Greeting out;
  fields.take(out.keys.operations);
  fields.take(out.keys.mocks);
  fields.take(out.heads.kept);
  fields.take(out.heads.last);
  std::uint16_t line_bytes = 0;
  fields.take_number(line_bytes);
  out.verifier = fields.take_text(line_bytes);
  if (fields.is_short()) return fail("the signer's greeting is too short");
  out.seal = as_text(fields.rest());
  return out;
}

Result<Answer> parse_answer(ByteView message) {
  const auto bytes = body(message, signature_type);
  if (!bytes) return refused(message);
  Fields fields(*bytes);
  Answer out;
  fields.take(out.signature);
  if (fields.is_short()) return fail("the signer's signature is too short");
  out.seal = as_text(fields.rest());
  return out;
}

}  // namespace sluice::audit::signer_protocol
