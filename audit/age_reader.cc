#include "audit/age_reader.h"

#include <algorithm>
#include <optional>
#include <string>

#include "audit/bech32.h"
#include "audit/secret_file.h"
#include "audit/sha256.h"
#include "base/ascii.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

using namespace age;

tl::unexpected<Error> changed() {
  return fail("it was changed, or is not of age's form");
}

/// Base64 without padding, in its only canonical form.
std::optional<std::vector<std::uint8_t>> from_unpadded(std::string_view text) {
  if (text.find('=') != text.npos) return std::nullopt;
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  return from_base64(padded);
}

/// Takes one line, without its end; nothing when there is none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::vector<std::uint8_t>> open_payload(ByteView file_key, ByteView payload) {
  if (payload.size() < nonce_bytes) return changed();
  Secret<key_bytes> key;
  hkdf(file_key, payload.first(nonce_bytes), "payload", key);
  payload = payload.subspan(nonce_bytes);
  const Cipher cipher = opening_cipher(key);
  std::vector<std::uint8_t> out(payload.size());
  std::size_t written = 0;
  for (std::uint64_t number = 0;; ++number) {
    const ByteView sealed = payload.first(std::min(payload.size(), chunk_bytes + tag_bytes));
    payload = payload.subspan(sealed.size());
    const bool is_last = payload.empty();
    // An empty last chunk stands for an empty file only.
    if (sealed.size() < tag_bytes || (sealed.size() == tag_bytes && number != 0)) return changed();
    if (!open_into(cipher.get(), chunk_nonce(number, is_last), sealed,
                   ByteSpan(out).subspan(written))) {
      return changed();
    }
    written += sealed.size() - tag_bytes;
    if (is_last) break;
  }
  out.resize(written);
  return out;
}

}  // namespace

AgeIdentity::AgeIdentity(const Key& secret) : public_(public_of(secret)) {
  secret_.bytes = secret;
}

Result<AgeIdentity> AgeIdentity::parse(std::string_view line) {
  // Of Bech32's two forms, age writes this one in capitals.
  if (std::ranges::any_of(line, [](char c) { return c >= 'a' && c <= 'z'; })) {
    return fail("it is no identity of age, such as AGE-SECRET-KEY-1…");
  }
  std::string lower = in_lower_case(line);
  const auto key = parse_bech32_key("age-secret-key-", lower);
  OPENSSL_cleanse(lower.data(), lower.size());
  if (!key) return fail("it is no identity of age, such as AGE-SECRET-KEY-1…");
  if (!key->is_whole) return fail("a character of the identity is wrong");
  return AgeIdentity(key->bytes);
}

Result<AgeIdentity> AgeIdentity::load(const std::filesystem::path& path) {
  auto text = read_secret_file(path, "the identity", "make one with age-keygen");
  if (!text) return tl::unexpected(text.error());
  std::optional<Result<AgeIdentity>> found;
  std::size_t identities = 0;
  *text += '\n';
  for (std::string_view rest = *text; const auto line = take_line(rest);) {
    if (line->empty() || line->starts_with('#')) continue;
    ++identities;
    found = parse(*line);
  }
  OPENSSL_cleanse(text->data(), text->size());
  if (identities != 1) {
    return fail(path.string() + (identities == 0 ? " has no identity" : " has several identities"));
  }
  return std::move(*found);
}

bool AgeIdentity::unwrap(std::string_view share_text, std::string_view body_text,
                         ByteSpan file_key) const {
  const auto share = from_unpadded(share_text);
  const auto body = from_unpadded(body_text);
  if (!share || share->size() != key_bytes || !body || body->size() != file_key_bytes + tag_bytes) {
    return false;
  }
  Key theirs{};
  std::ranges::copy(*share, theirs.begin());
  Secret<key_bytes> shared;
  if (!agree(secret_.bytes, theirs, shared)) return false;
  Secret<key_bytes> wrap;
  wrapping_key(shared, theirs, public_, wrap);
  return open_into(opening_cipher(wrap).get(), CipherNonce{}, *body, file_key);
}

Result<std::vector<std::uint8_t>> AgeIdentity::open(ByteView file) const {
  std::string_view rest = as_text(file);
  if (!rest.starts_with(version_line)) return changed();
  rest.remove_prefix(version_line.size());
  Secret<file_key_bytes> file_key;
  bool is_ours = false;
  for (;;) {
    const auto line = take_line(rest);
    if (!line) return changed();
    if (line->starts_with("--- ")) {
      if (!is_ours) return fail("it is not encrypted to this identity");
      const std::size_t covered =
          static_cast<std::size_t>(line->data() - as_text(file).data()) + std::size_t{3};
      Secret<key_bytes> key;
      hkdf(file_key, {}, "header", key);
      Key wanted{};
      hmac_sha256(key, file.first(covered), wanted);
      const auto mac = from_unpadded(line->substr(4));
      if (!mac || !std::ranges::equal(*mac, wanted)) return changed();
      return open_payload(file_key, as_bytes(rest));
    }
    if (is_ours || !line->starts_with(x25519_stanza)) continue;
    const auto body = take_line(rest);
    if (!body) return changed();
    is_ours = unwrap(line->substr(x25519_stanza.size()), *body, file_key);
  }
}

}  // namespace sluice::audit
