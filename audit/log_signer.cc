#include "audit/log_signer.h"

#include <fmt/format.h>

#include "audit/checkpoint.h"
#include "audit/package_statement.h"

namespace sluice::audit {
namespace {

/// That the log on disk leads from `before` to its end; nothing when it does not.
Result<std::optional<Extension>> extension_in(const std::filesystem::path& directory,
                                              const TreeHead& before, const TreeHead& end) {
  if (before.size > end.size) return std::optional<Extension>();
  // Everything continues an empty log, which need not be read for that.
  if (before.size == 0) return std::optional(Extension{before, end, {}});
  auto proof = prove_consistency(directory, before.size, end.size);
  if (!proof) return tl::unexpected(proof.error());
  if (proof->root_before != before.root) return std::optional<Extension>();
  return std::optional(Extension{before, end, std::move(proof->hashes)});
}

tl::unexpected<Error> rolled_back(const LogSigner& signer, const std::filesystem::path& directory,
                                  const TreeHead& end) {
  const TreeHead& last = signer.heads().last;
  const std::string state =
      end.size < last.size
          ? "an older state of it was put in its place, or its end was removed"
          : "it does not continue what was signed: another log was put in its place";
  return fail(fmt::format(
      "the audit log in {} has {} records, and its signer signed {}: {}. Bring back the directory "
      "that has them. Where that is lost, `sluice begin-epoch` keeps what is there aside, and the "
      "signer's state file {} with it, and begins another log behind it",
      directory.string(), end.size, last.size, state, signer.state_file()));
}

}  // namespace

Result<Signature> LogSigner::sign_package(const Hash& /*manifest*/) {
  return fail("this signer signs no packages");
}

Result<Signature> LocalSigner::sign_text(std::string_view text) {
  const std::lock_guard lock(signing_);
  return key_.sign(as_bytes(text));
}

Result<Signature> LocalSigner::sign_package(const Hash& manifest) {
  return sign_text(package_statement(manifest));
}

Result<Signature> LocalSigner::sign(const Extension& next) {
  const auto after = heads_.after(next);
  if (!after) return fail("the checkpoint does not continue what was signed before");
  const auto signature =
      sign_text(checkpoint_text(key_.verifier().origin(), next.now.size, next.now.root));
  if (!signature) return tl::unexpected(signature.error());
  heads_ = *after;
  return *signature;
}

Result<std::string> sign_checkpoint(LogSigner& signer, const Extension& next) {
  const auto signature = signer.sign(next);
  if (!signature) return tl::unexpected(signature.error());
  const Verifier& verifier = signer.verifier();
  return checkpoint_note(checkpoint_text(verifier.origin(), next.now.size, next.now.root), verifier,
                         *signature);
}

Result<std::uint64_t> continue_signed(LogSigner& signer, const std::filesystem::path& directory,
                                      const TreeHead& end) {
  const SignedHeads heads = signer.heads();
  if (end == heads.last) return std::uint64_t{0};
  if (end == heads.kept) return heads.last.size;
  for (const TreeHead& head : {heads.last, heads.kept}) {
    const auto extension = extension_in(directory, head, end);
    if (!extension) return tl::unexpected(extension.error());
    if (!*extension) continue;
    if (auto done = signer.sign(**extension); !done) return tl::unexpected(done.error());
    return head == heads.last ? 0 : heads.last.size;
  }
  return rolled_back(signer, directory, end);
}

}  // namespace sluice::audit
