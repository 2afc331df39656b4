#include "audit/signer_protocol.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace sluice::audit::signer_protocol {
namespace {

constexpr std::uint8_t greeting_type = 'H';
constexpr std::uint8_t request_type = 'S';
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

void put(Message& out, const TreeHead& head) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(head.size >> shift));
  }
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
  void take(TreeHead& head) {
    std::array<std::uint8_t, sizeof head.size> size{};
    take(size);
    head.size = 0;
    for (std::size_t i = size.size(); i-- > 0;) head.size = head.size << 8U | size[i];
    take(head.root);
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
  put(out, as_bytes(greeting.verifier));
  return out;
}

Message encode(const Extension& request) {
  Message out = begin(request_type);
  put(out, request.before);
  put(out, request.now);
  for (const Hash& hash : request.proof) put(out, hash);
  return out;
}

Message encode(const Signature& signature) {
  Message out = begin(signature_type);
  put(out, signature);
  return out;
}

Message encode_refusal(std::string_view reason) {
  Message out = begin(refusal_type);
  put(out, as_bytes(reason.substr(0, refusal_bytes_max)));
  return out;
}

std::optional<Extension> parse_request(ByteView message) {
  const auto bytes = body(message, request_type);
  if (!bytes) return std::nullopt;
  Fields fields(*bytes);
  Extension out;
  fields.take(out.before);
  fields.take(out.now);
  const std::size_t hashes = fields.rest().size() / sizeof(Hash);
  if (fields.is_short() || fields.rest().size() % sizeof(Hash) != 0 || hashes > proof_hashes_max) {
    return std::nullopt;
  }
  out.proof.resize(hashes);
  for (Hash& hash : out.proof) fields.take(hash);
  return out;
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
  if (fields.is_short()) return fail("the signer's greeting is too short");
  out.verifier = as_text(fields.rest());
  return out;
}

Result<Signature> parse_signature(ByteView message) {
  const auto bytes = body(message, signature_type);
  if (!bytes) return refused(message);
  Signature out{};
  if (bytes->size() != out.size()) return fail("the signer's signature has a wrong length");
  std::ranges::copy(*bytes, out.begin());
  return out;
}

}  // namespace sluice::audit::signer_protocol
