// Asks an issuer about tokens that only it can read, on threads that may wait for it.
//
// Each question is bounded in time, from when it was put; so are the questions under way, those
// that wait, and how often the issuer is asked: whoever invents tokens attacks nobody through us.
//
// source   RFC 7662 §2.1 (the question), RFC 6749 §2.3.1 (as whom it is asked)
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "config/model/settings.h"
#include "control/https_get.h"
#include "identity/introspection.h"

namespace sluice::control {

struct IntrospectionCounts {
  std::uint64_t asked = 0;    ///< Questions that were put to an issuer, or would have been.
  std::uint64_t failed = 0;   ///< Of those: no answer came, or none that could be read.
  std::uint64_t unasked = 0;  ///< Refused here: too often, or too many.
};

class Introspector {
 public:
  static constexpr std::size_t threads_max = 8;    ///< Questions under way.
  static constexpr std::size_t waiting_max = 256;  ///< Questions behind them.
  /// Failures between two notes are counted only.
  static constexpr Duration note_pause = seconds(10);

  /// How it touches the world; each is called from its threads.
  struct World {
    std::function<Result<std::string>(const HttpsGet&)> get;
    std::function<Result<HttpsReply>(const HttpsGet&, const std::string& body)> post;
    std::function<Now()> clock;
    /// For the audit log.
    std::function<void(std::string_view event, std::string_view detail)> note;
  };

  Introspector() = default;
  ~Introspector();
  Introspector(const Introspector&) = delete;
  Introspector& operator=(const Introspector&) = delete;

  /// Once, before adopt(); ask() may come sooner and is then refused.
  void start(World world);
  /// Other issuers are in force. Threads begin with the first that is asked, and stay.
  void adopt(const std::vector<config::OidcIssuer>& issuers);
  /// Waits for nothing.
  ///
  /// issuer   with `introspection`.
  /// answer   called once, within twice the timeout of a question, unless stop() comes first.
  /// returns  false: it is asked too often, or about too many; no answer comes.
  [[nodiscard]] bool ask(const config::OidcIssuer& issuer, std::string token,
                         identity::AnswerIntrospection answer);
  /// Ends its threads; nothing is answered from then on.
  void stop();

  [[nodiscard]] IntrospectionCounts counts() const;

 private:
  struct Question {
    config::OidcIssuer issuer;
    std::string token;
    identity::AnswerIntrospection answer;
    Instant until;  ///< Who asks waits no longer for it to be begun.
  };
  /// Where an issuer is asked, by its own document.
  struct Endpoint {
    std::string issuer;
    std::string ca_file;
    std::string url;
    Instant until;
  };

  void run();
  [[nodiscard]] bool may_ask(const config::Rate& rate, Instant now);
  [[nodiscard]] Duration time_for(const config::OidcIntrospection& settings, Instant end);
  [[nodiscard]] Result<std::string> find_endpoint(const config::OidcIssuer& issuer, Instant end);
  [[nodiscard]] Result<std::string> put(const Question& question);
  [[nodiscard]] identity::IntrospectionVerdict look_into(const Question& question);
  void note_failure(const config::OidcIssuer& issuer, std::string_view why);

  World world_;
  std::atomic<bool> is_stopping_{false};
  mutable std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable changed_;
  std::deque<Question> questions_;
  Endpoint endpoint_;  ///< The last that was found: one issuer is asked.
  Instant paid_off_;   ///< When what was asked is no more than the rate allows.
  Instant next_note_;
  IntrospectionCounts counts_;
  bool is_started_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::control
