// Keeps the keys of OpenID Connect issuers: fetches them at start, again and again, and when
// somebody met an unknown one; remembers them while a provider is away.
//
// Each issuer has a thread of its own, so that one that does not answer holds up no other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "identity/oidc.h"

namespace sluice::control {

/// What the operator is told of one issuer.
struct IssuerView {
  std::string name;
  std::string issuer;
  std::size_t keys = 0;       ///< That can prove tokens.
  std::size_t skipped = 0;    ///< That were published too.
  Duration age;               ///< Of the keys; meaningless without any.
  std::uint64_t fetches = 0;  ///< Attempts, those that failed among them.
  std::uint64_t failures = 0;
  std::string last_error;  ///< Empty when the last attempt went well.
};

class KeyKeeper {
 public:
  /// An unknown key is asked for so much later than the attempt before it.
  static constexpr Duration ask_pause = seconds(5);

  /// How it touches the world; each is called from its threads.
  struct World {
    /// The text of the issuer's set of keys. Ends soon once `stop` is set.
    std::function<Result<std::string>(const config::OidcIssuer&, const std::atomic<bool>& stop)>
        fetch;
    std::function<void(std::shared_ptr<const identity::TokenKeys>)> post;
    /// For the audit log.
    std::function<void(std::string_view event, std::string_view detail)> note;
  };

  KeyKeeper();
  ~KeyKeeper();
  KeyKeeper(const KeyKeeper&) = delete;
  KeyKeeper& operator=(const KeyKeeper&) = delete;

  /// Once, before the calls below; ask() may come sooner and is then in vain.
  void start(World world, const std::vector<config::OidcIssuer>& issuers);
  /// Other issuers are in force. Keys of those that come from where they came from stay.
  void adopt(const std::vector<config::OidcIssuer>& issuers);
  /// A token names a key of the issuer's that nobody has. Waits for nothing. Sooner or later
  /// keys are posted, though perhaps the same.
  void ask(std::string_view issuer);
  /// Ends its threads; nothing is posted from then on.
  void stop();

  [[nodiscard]] std::vector<IssuerView> view() const;

 private:
  struct Issuer;

  void run(Issuer& issuer);
  void fetch(Issuer& issuer, std::unique_lock<std::mutex>& lock);
  void post();
  void end(std::vector<std::unique_ptr<Issuer>> issuers);

  World world_;
  mutable std::mutex mutex_;  ///< Guards what follows, and what is not constant in issuers.
  std::condition_variable changed_;
  std::uint64_t generation_ = 0;
  std::vector<std::unique_ptr<Issuer>> issuers_;
};

/// From the issuer's file, or by discovery.
Result<std::string> fetch_keys(const config::OidcIssuer& issuer, const std::atomic<bool>& stop);

}  // namespace sluice::control
