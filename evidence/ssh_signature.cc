#include "evidence/ssh_signature.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/package_statement.h"
#include "audit/sha256.h"
#include "base/text_codec.h"

namespace sluice::evidence {
namespace {

using audit::ssh_string;

constexpr std::string_view version{"\0\0\0\1", 4};
constexpr std::string_view key_type = "ssh-ed25519";
constexpr std::string_view armor_begin = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::string_view armor_end = "-----END SSH SIGNATURE-----\n";
constexpr std::size_t armor_columns = 70;

std::string public_key(const audit::Verifier& verifier) {
  return ssh_string(key_type) + ssh_string(as_text(verifier.public_key()));
}

/// All but the 64 bytes of the signature itself, which come last.
std::string before_signature(const audit::Verifier& verifier) {
  const std::string blob_head = ssh_string(key_type) + std::string("\0\0\0\x40", 4);
  std::string out = std::string(audit::ssh_magic) + std::string(version) +
                    ssh_string(public_key(verifier)) + ssh_string(audit::package_namespace) +
                    ssh_string("") + ssh_string(audit::ssh_hash_name);
  const std::string sized = ssh_string(blob_head + std::string(audit::Signature{}.size(), '\0'));
  return out + sized.substr(0, sized.size() - audit::Signature{}.size());
}

}  // namespace

Result<std::string> ssh_sign(audit::LogSigner& signer, std::string_view message) {
  const auto signature = signer.sign_package(audit::sha256(as_bytes(message)));
  if (!signature) return tl::unexpected(signature.error());
  const std::string text =
      to_base64(as_bytes(before_signature(signer.verifier()) + std::string(as_text(*signature))));
  std::string out(armor_begin);
  for (std::size_t at = 0; at < text.size(); at += armor_columns) {
    out += text.substr(at, armor_columns);
    out += '\n';
  }
  return out + std::string(armor_end);
}

Result<void> ssh_check(const audit::Verifier& verifier, std::string_view message,
                       std::string_view armored) {
  if (!armored.starts_with(armor_begin) || !armored.ends_with(armor_end) ||
      armored.size() < armor_begin.size() + armor_end.size()) {
    return fail("it is no SSH signature");
  }
  std::string text(
      armored.substr(armor_begin.size(), armored.size() - armor_begin.size() - armor_end.size()));
  std::erase(text, '\n');
  const auto bytes = from_base64(text);
  const std::string head = before_signature(verifier);
  audit::Signature signature{};
  if (!bytes || bytes->size() != head.size() + signature.size() ||
      as_text(ByteView(*bytes).first(head.size())) != head) {
    return fail("the SSH signature is not of the log's key, or for another purpose");
  }
  std::copy(bytes->end() - static_cast<std::ptrdiff_t>(signature.size()), bytes->end(),
            signature.begin());
  if (!verifier.verify(as_bytes(audit::package_statement(audit::sha256(as_bytes(message)))),
                       signature)) {
    return fail("the SSH signature does not belong to what it stands beside");
  }
  return {};
}

std::string ssh_allowed_signer(const audit::Verifier& verifier) {
  return fmt::format("{} namespaces=\"{}\" {} {}\n", verifier.origin(), audit::package_namespace,
                     key_type, to_base64(as_bytes(public_key(verifier))));
}

}  // namespace sluice::evidence
