#include "control/introspector.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/text_codec.h"
#include "config/model/policy.h"
#include "control/api/target.h"
#include "control/discovery.h"
#include "control/oidc_provider.h"

namespace sluice::control {
namespace {

/// RFC 6749 §2.3.1: both parts are form-encoded before they are put together.
std::string authorization(const config::OidcIntrospection& settings) {
  const std::string login = fmt::format("{}:{}", api::escaped(settings.client_id),
                                        api::escaped(settings.client_secret.value));
  return "Authorization: Basic " + to_base64(as_bytes(login));
}

}  // namespace

Introspector::~Introspector() {
  stop();
}

void Introspector::start(World world) {
  const std::lock_guard lock(mutex_);
  world_ = std::move(world);
  is_started_ = true;
}

void Introspector::adopt(const std::vector<config::OidcIssuer>& issuers) {
  const bool is_asked = std::ranges::any_of(
      issuers, [](const auto& issuer) { return issuer.introspection.has_value(); });
  const std::lock_guard lock(mutex_);
  if (!is_asked || is_stopping_) return;
  while (threads_.size() < threads_max) {
    std::thread& thread = threads_.emplace_back([this] { run(); });
    ::pthread_setname_np(thread.native_handle(), "introspection");
  }
}

bool Introspector::ask(const config::OidcIssuer& issuer, std::string token,
                       identity::AnswerIntrospection answer) {
  const config::OidcIntrospection& settings = *issuer.introspection;
  {
    const std::lock_guard lock(mutex_);
    if (!is_started_ || is_stopping_) return false;
    const Instant now = world_.clock().monotonic;
    if (questions_.size() >= waiting_max || !may_ask(settings.rate, now)) {
      ++counts_.unasked;
      return false;
    }
    ++counts_.asked;
    questions_.push_back({issuer, std::move(token), std::move(answer), now + settings.timeout});
  }
  changed_.notify_one();
  return true;
}

void Introspector::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    threads = std::exchange(threads_, {});
    questions_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

IntrospectionCounts Introspector::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Introspector::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !questions_.empty(); });
    if (is_stopping_) return;
    const Question question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    auto verdict = look_into(question);
    if (is_stopping_) return;
    question.answer(std::move(verdict));
    lock.lock();
  }
}

/// A cell that empties at the rate (see rate_rule()). With the lock held.
bool Introspector::may_ask(const config::Rate& rate, Instant now) {
  if (rate.count == 0) return true;
  const config::RateRule rule = config::rate_rule({}, rate);
  const Instant paid_off = std::max(paid_off_, now) + rule.interval;
  if (paid_off > now + rule.tolerance) return false;
  paid_off_ = paid_off;
  return true;
}

identity::IntrospectionVerdict Introspector::look_into(const Question& question) {
  using identity::TokenFault;
  const Now now = world_.clock();
  Result<std::string> said = fail("too many questions wait for the issuer's answers");
  if (now.monotonic < question.until) said = put(question);
  if (!said) {
    note_failure(question.issuer, said.error().message);
    return tl::unexpected(TokenFault::introspection_failed);
  }
  auto verdict =
      identity::judge_introspection(*said, question.issuer, question.token, world_.clock().wall);
  if (!verdict && identity::is_about_issuer(verdict.error())) {
    note_failure(question.issuer, identity::text(verdict.error()));
  }
  return verdict;
}

/// What the issuer says, if it says anything.
Result<std::string> Introspector::put(const Question& question) {
  const config::OidcIntrospection& settings = *question.issuer.introspection;
  const Instant end = question.until + settings.timeout;
  const auto url = find_endpoint(question.issuer, end);
  if (!url) return url;
  const HttpsGet request{.url = *url,
                         .ca_file = question.issuer.ca_file,
                         .body_bytes_max = identity::introspection_bytes_max,
                         .stop = &is_stopping_,
                         .timeout = time_for(settings, end),
                         .fields = {authorization(settings)}};
  const auto reply = world_.post(
      request, form_text({{"token", question.token}, {"token_type_hint", "access_token"}}));
  if (!reply) return fail(fmt::format("{}: {}", *url, reply.error().message));
  if (reply->status != 200) return fail(fmt::format("{}: status {}", *url, reply->status));
  return reply->body;
}

/// Of what is left until `end`, for one of its requests: a millisecond at least, in which it fails.
Duration Introspector::time_for(const config::OidcIntrospection& settings, Instant end) {
  return std::clamp(end - world_.clock().monotonic, milliseconds(1), settings.timeout);
}

Result<std::string> Introspector::find_endpoint(const config::OidcIssuer& issuer, Instant end) {
  const config::OidcIntrospection& settings = *issuer.introspection;
  if (!settings.endpoint.empty()) return settings.endpoint;
  {
    const std::lock_guard lock(mutex_);
    if (endpoint_.issuer == issuer.issuer && endpoint_.ca_file == issuer.ca_file &&
        world_.clock().monotonic < endpoint_.until) {
      return endpoint_.url;
    }
  }
  auto url = discover_introspection(issuer, [&](const std::string& page, std::size_t bytes_max) {
    return world_.get({.url = page,
                       .ca_file = issuer.ca_file,
                       .body_bytes_max = bytes_max,
                       .stop = &is_stopping_,
                       .timeout = time_for(settings, end)});
  });
  if (!url) return url;
  const std::lock_guard lock(mutex_);
  endpoint_ = {issuer.issuer, issuer.ca_file, *url, world_.clock().monotonic + issuer.keys_refresh};
  return url;
}

void Introspector::note_failure(const config::OidcIssuer& issuer, std::string_view why) {
  {
    const std::lock_guard lock(mutex_);
    ++counts_.failed;
    const Instant now = world_.clock().monotonic;
    if (is_stopping_ || now < next_note_) return;
    next_note_ = now + note_pause;
  }
  world_.note("introspection-failed", fmt::format("{}: {}", issuer.name, why));
}

}  // namespace sluice::control
