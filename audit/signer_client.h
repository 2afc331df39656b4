// The gateway's side of its signer process: starts it, and asks it for signatures. The
// private key is never in this process.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "audit/log_signer.h"
#include "audit/signer_process.h"
#include "audit/signer_protocol.h"

namespace sluice::audit {

class ProcessSigner final : public LogSigner {
 public:
  /// Runs this program again, as the signer. Call it before there is anything to inherit.
  static Result<std::unique_ptr<ProcessSigner>> start(const SignerSettings& settings);
  /// Takes over one that was just started: its socket, and its number to wait for.
  static Result<std::unique_ptr<ProcessSigner>> attach(int socket, pid_t process,
                                                       const SignerSettings& settings);
  /// Ends it.
  ~ProcessSigner() override;
  ProcessSigner(const ProcessSigner&) = delete;
  ProcessSigner& operator=(const ProcessSigner&) = delete;

  [[nodiscard]] const Verifier& verifier() const noexcept override { return *verifier_; }
  [[nodiscard]] const DerivedKeys& derived_keys() const noexcept override { return derived_; }
  [[nodiscard]] const SignedHeads& heads() const noexcept override { return heads_; }
  /// One thread, always the same. Once it was without an answer it stays so.
  [[nodiscard]] Result<Signature> sign(const Extension& next) override;
  [[nodiscard]] Result<Signature> sign_package(const Hash& manifest) override;
  [[nodiscard]] std::string state_file() const override { return state_file_; }
  [[nodiscard]] std::string_view seal() const override { return seal_; }
  void note_sealed() override;

 private:
  ProcessSigner(int socket, pid_t process) : socket_(socket), process_(process) {}
  [[nodiscard]] Result<void> receive_greeting();
  [[nodiscard]] Result<signer_protocol::Answer> ask(const signer_protocol::Message& request);
  void hang_up() noexcept;

  std::mutex asking_;  ///< One question at a time; guards the socket.
  int socket_;
  pid_t process_;
  std::string state_file_;
  std::optional<Verifier> verifier_;
  DerivedKeys derived_;
  SignedHeads heads_;
  std::string seal_;
  std::uint64_t sealed_ = 0;  ///< Number of the newest seal that the log has.
};

}  // namespace sluice::audit
