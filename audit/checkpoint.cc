#include "audit/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text_codec.h"

namespace sluice::audit {
namespace {

constexpr std::string_view signature_prefix = "\u2014 ";  // em dash, space

/// The line at the start of `text`, which is advanced past its newline.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

/// Decimal without sign or leading zeros.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return value;
}

}  // namespace

Result<void> SignedCheckpoint::check(const Verifier& verifier) const {
  if (checkpoint.origin != verifier.origin() || signer_name != verifier.origin()) {
    return fail(fmt::format("the checkpoint belongs to log \"{}\", the key to \"{}\"",
                            checkpoint.origin, verifier.origin()));
  }
  if (key_id != verifier.id()) {
    return fail(fmt::format("the checkpoint was signed with another key (id {}, expected {})",
                            to_hex(key_id), to_hex(verifier.id())));
  }
  if (!verifier.verify(as_bytes(signed_text), signature)) {
    return fail("the checkpoint's signature is wrong");
  }
  return {};
}

std::string checkpoint_text(std::string_view origin, std::uint64_t size, const Hash& root) {
  return fmt::format("{}\n{}\n{}\n", origin, size, to_base64(root));
}

std::string signature_line(std::string_view name, const KeyId& id, const Signature& signature) {
  std::string tagged(as_text(id));
  tagged += as_text(signature);
  return fmt::format("{}{} {}\n", signature_prefix, name, to_base64(as_bytes(tagged)));
}

std::optional<Signature> read_signature_line(std::string_view line, std::string_view name,
                                             const KeyId& id) {
  const std::string before = fmt::format("{}{} ", signature_prefix, name);
  if (!line.starts_with(before)) return std::nullopt;
  const auto tagged = from_base64(line.substr(before.size()));
  Signature out{};
  if (!tagged || tagged->size() != id.size() + out.size() ||
      !std::equal(id.begin(), id.end(), tagged->begin())) {
    return std::nullopt;
  }
  std::copy(tagged->begin() + static_cast<std::ptrdiff_t>(id.size()), tagged->end(), out.begin());
  return out;
}

std::string checkpoint_note(std::string text, const Verifier& verifier,
                            const Signature& signature) {
  return std::move(text) + "\n" + signature_line(verifier.origin(), verifier.id(), signature);
}

Result<std::string> sign_checkpoint(Signer& signer, std::uint64_t size, const Hash& root) {
  std::string text = checkpoint_text(signer.verifier().origin(), size, root);
  const auto signature = signer.sign(as_bytes(text));
  if (!signature) return tl::unexpected(signature.error());
  return checkpoint_note(std::move(text), signer.verifier(), *signature);
}

Result<SignedCheckpoint> parse_checkpoint(std::string_view note) {
  if (note.size() > note_bytes_max) return fail("the checkpoint is too long");
  std::string_view rest = note;
  const auto origin = take_line(rest);
  const auto size_line = origin ? take_line(rest) : std::nullopt;
  const auto root_line = size_line ? take_line(rest) : std::nullopt;
  if (!root_line) return fail("a checkpoint has an origin, a size and a root line");
  SignedCheckpoint out;
  out.signed_text = note.substr(0, note.size() - rest.size());
  const auto blank = take_line(rest);
  const auto signature_line = blank ? take_line(rest) : std::nullopt;
  if (!signature_line || !blank->empty() || !rest.empty()) {
    return fail("a checkpoint ends with a blank line and one signature line");
  }

  const auto size = parse_size(*size_line);
  const auto root = from_base64(*root_line);
  if (!is_origin(*origin)) return fail("the checkpoint's first line is not a log origin");
  if (!size) return fail("the checkpoint's size is not a decimal number");
  if (!root || root->size() != out.checkpoint.root.size()) {
    return fail("the checkpoint's root is not base64 of 32 bytes");
  }
  out.checkpoint.origin = *origin;
  out.checkpoint.size = *size;
  std::copy(root->begin(), root->end(), out.checkpoint.root.begin());

  const std::size_t name_end = signature_line->rfind(' ');
  if (!signature_line->starts_with(signature_prefix) || name_end < signature_prefix.size()) {
    return fail("the signature line is malformed");
  }
  out.signer_name =
      signature_line->substr(signature_prefix.size(), name_end - signature_prefix.size());
  const auto tagged = from_base64(signature_line->substr(name_end + 1));
  if (!tagged || tagged->size() != out.key_id.size() + out.signature.size()) {
    return fail("the signature is not base64 of a key id and an Ed25519 signature");
  }
  const auto signature_at = tagged->begin() + static_cast<std::ptrdiff_t>(out.key_id.size());
  std::copy(tagged->begin(), signature_at, out.key_id.begin());
  std::copy(signature_at, tagged->end(), out.signature.begin());
  return out;
}

}  // namespace sluice::audit
