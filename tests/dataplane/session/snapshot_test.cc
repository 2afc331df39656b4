#include "dataplane/session/snapshot.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <catch2/catch.hpp>

#include "base/text_codec.h"
#include "matcher/body_masker.h"
#include "snapshot_of.h"

using namespace sluice;

namespace {

constexpr const char* masks = R"(masks:
  - {name: mail, find: "builtin:email", show: hash}
mask_key: file:mask_key
)";

/// docs/masks.md, "Show".
std::string hash_of(const std::string& key, const std::string& value) {
  std::array<std::uint8_t, 32> mac{};
  unsigned size = 0;
  REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), as_bytes(value).data(),
               value.size(), mac.data(), &size) != nullptr);
  return "h:" + to_hex(ByteView(mac).first(8));
}

std::string masked(const dataplane::Snapshot& snapshot, const std::string& text) {
  matcher::Scratch scratch;
  REQUIRE(scratch.prepare(*snapshot.masks).has_value());
  matcher::RuleSet first;
  first.set(0);
  std::string in = text;
  in.reserve(text.size() + readable_tail_bytes);
  std::array<std::uint8_t, 256> out{};
  const std::size_t size = matcher::mask_text(*snapshot.masks, first, matcher::BodyKind::text, {},
                                              as_bytes(in), out, scratch, {});
  return std::string(as_text(ByteView(out).first(size)));
}

}  // namespace

TEST_CASE("Masks that hash use the configured key") {
  // Longer than any small string's own room, so that a key which was not kept shows.
  for (const std::string& key : {std::string(48, 'k'), std::string(100, 'q')}) {
    const auto snapshot = test::snapshot_of(test::open_gateway(masks), "[]", key);
    CHECK(masked(*snapshot, "to ann@example.com") == "to " + hash_of(key, "ann@example.com"));
  }
}
