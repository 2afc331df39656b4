#include "audit/age.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <string>

#include "audit/age_crypto.h"
#include "audit/sha256.h"
#include "base/assert.h"

namespace sluice::audit {
namespace {

using namespace age;

void fill_random(ByteSpan out) {
  ASSERT(::getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
}

/// The file's key for one recipient: "-> X25519 SHARE" and a line.
Result<std::string> stanza(const AgeRecipient& recipient, ByteView file_key) {
  Secret<key_bytes> ephemeral;
  fill_random(ephemeral);
  Secret<key_bytes> shared;
  if (!agree(ephemeral, recipient.key, shared)) return fail("a recipient's key is none");
  const Key share = public_of(ephemeral);
  Secret<key_bytes> wrap;
  wrapping_key(shared, share, recipient.key, wrap);
  std::array<std::uint8_t, file_key_bytes + tag_bytes> body{};
  seal_into(sealing_cipher(wrap).get(), CipherNonce{}, file_key, body);
  return fmt::format("{}{}\n{}\n", x25519_stanza, unpadded(share), unpadded(body));
}

Result<std::string> header(std::span<const AgeRecipient> recipients, ByteView file_key) {
  std::string out(version_line);
  for (const AgeRecipient& recipient : recipients) {
    auto one = stanza(recipient, file_key);
    if (!one) return one;
    out += *one;
  }
  out += "---";
  Secret<key_bytes> key;
  hkdf(file_key, {}, "header", key);
  Key mac{};
  hmac_sha256(key, as_bytes(out), mac);
  return out + ' ' + unpadded(mac) + '\n';
}

}  // namespace

AgeWriter::~AgeWriter() = default;
AgeWriter::AgeWriter(AgeWriter&&) noexcept = default;
AgeWriter& AgeWriter::operator=(AgeWriter&&) noexcept = default;

AgeWriter::AgeWriter(std::span<const std::uint8_t> key, Sink sink)
    : sink_(std::move(sink)), cipher_(sealing_cipher(key)) {
  chunk_.reserve(chunk_bytes);
}

Result<AgeWriter> AgeWriter::begin(std::span<const AgeRecipient> recipients, Sink sink) {
  ASSERT(!recipients.empty());
  Secret<file_key_bytes> file_key;
  fill_random(file_key);
  const auto head = header(recipients, file_key);
  if (!head) return tl::unexpected(head.error());
  std::array<std::uint8_t, nonce_bytes> nonce{};
  fill_random(nonce);
  Secret<key_bytes> key;
  hkdf(file_key, nonce, "payload", key);
  AgeWriter out(key, std::move(sink));
  if (!out.sink_(as_bytes(*head)) || !out.sink_(nonce)) return fail("it cannot be written");
  return out;
}

Result<void> AgeWriter::write(ByteView plain) {
  while (!plain.empty()) {
    // A full chunk waits: it is the last one if nothing follows.
    if (chunk_.size() == chunk_bytes) {
      if (auto done = seal(false); !done) return done;
    }
    const std::size_t taken = std::min(plain.size(), chunk_bytes - chunk_.size());
    chunk_.insert(chunk_.end(), plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(taken));
    plain = plain.subspan(taken);
  }
  return {};
}

Result<void> AgeWriter::finish() {
  return seal(true);
}

Result<void> AgeWriter::seal(bool is_last) {
  std::vector<std::uint8_t> sealed(chunk_.size() + tag_bytes);
  seal_into(cipher_.get(), chunk_nonce(chunks_++, is_last), chunk_, sealed);
  chunk_.clear();
  if (!sink_(sealed)) return fail("it cannot be written");
  return {};
}

}  // namespace sluice::audit
