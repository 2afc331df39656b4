#include "control/key_keeper.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "control/discovery.h"
#include "control/https_get.h"

namespace sluice::control {
namespace {

// After a failure; twice as long after each that follows.
constexpr Duration retry_pause = seconds(1);
constexpr Duration retry_pause_max = seconds(60);

Now clocks() {
  using std::chrono::nanoseconds;
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {{nanoseconds(monotonic).count()}, {nanoseconds(wall).count()}};
}

std::string key_ids(const identity::JwkSet& set) {
  std::string text;
  for (const identity::Jwk& key : set.keys) {
    if (!text.empty()) text += ", ";
    text += key.id.empty() ? "(without id)" : key.id;
  }
  return text;
}

/// Whether keys of the one are keys of the other, fetched in the same way.
bool is_same_source(const config::OidcIssuer& one, const config::OidcIssuer& other) {
  return one.name == other.name && one.issuer == other.issuer && one.jwks_file == other.jwks_file &&
         one.ca_file == other.ca_file && one.keys_refresh == other.keys_refresh &&
         one.keys_max_age == other.keys_max_age;
}

Result<std::string> read_key_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(fmt::format("cannot read '{}'", path));
  // A byte more than may be there, so that too large a file is seen to be that.
  std::string text(identity::jwk_set_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(fmt::format("cannot read '{}'", path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

struct KeyKeeper::Issuer {
  explicit Issuer(const config::OidcIssuer& configured) : settings(configured) {}

  const config::OidcIssuer settings;
  std::atomic<bool> is_stopping{false};
  bool is_asked = false;
  std::string text;  ///< Of the set in force, to see what changed.
  std::shared_ptr<const identity::JwkSet> keys;
  WallTime fetched;
  Instant ask_from;
  Instant next_fetch;
  Duration retry = retry_pause;
  std::uint64_t fetches = 0;
  std::uint64_t failures = 0;
  std::string last_error;
  std::thread thread;
};

KeyKeeper::KeyKeeper() = default;

KeyKeeper::~KeyKeeper() {
  stop();
}

void KeyKeeper::start(World world, const std::vector<config::OidcIssuer>& issuers) {
  world_ = std::move(world);
  adopt(issuers);
}

void KeyKeeper::adopt(const std::vector<config::OidcIssuer>& issuers) {
  std::vector<std::unique_ptr<Issuer>> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::exchange(issuers_, {});
    for (const config::OidcIssuer& settings : issuers) {
      const auto known = std::ranges::find_if(gone, [&settings](const auto& issuer) {
        return issuer && is_same_source(issuer->settings, settings);
      });
      if (known != gone.end()) {
        issuers_.push_back(std::move(*known));
        continue;
      }
      Issuer& issuer = *issuers_.emplace_back(std::make_unique<Issuer>(settings));
      issuer.thread = std::thread([this, &issuer] { run(issuer); });
      ::pthread_setname_np(issuer.thread.native_handle(), "issuer keys");
    }
    std::erase(gone, nullptr);
    if (!gone.empty()) ++generation_;
    post();
  }
  end(std::move(gone));
}

void KeyKeeper::ask(std::string_view issuer) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : issuers_) {
      if (one->settings.issuer == issuer) one->is_asked = true;
    }
  }
  changed_.notify_all();
}

void KeyKeeper::stop() {
  std::vector<std::unique_ptr<Issuer>> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::exchange(issuers_, {});
  }
  end(std::move(gone));
}

void KeyKeeper::end(std::vector<std::unique_ptr<Issuer>> issuers) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& issuer : issuers) issuer->is_stopping = true;
  }
  changed_.notify_all();
  for (const auto& issuer : issuers) issuer->thread.join();
}

void KeyKeeper::run(Issuer& issuer) {
  std::unique_lock lock(mutex_);
  while (!issuer.is_stopping) {
    const Instant now = clocks().monotonic;
    // Who asks sooner has not yet seen what was posted last.
    if (issuer.is_asked && now < issuer.ask_from) issuer.is_asked = false;
    if (issuer.is_asked || now >= issuer.next_fetch) {
      fetch(issuer, lock);
      continue;
    }
    const Duration wait = issuer.next_fetch - now;
    changed_.wait_for(lock, std::chrono::nanoseconds(wait.ns),
                      [&issuer] { return issuer.is_stopping || issuer.is_asked; });
  }
}

/// The lock is open while the network is waited for.
void KeyKeeper::fetch(Issuer& issuer, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto text = world_.fetch(issuer.settings, issuer.is_stopping);
  auto set = text ? identity::parse_jwk_set(*text) : tl::unexpected(text.error());
  lock.lock();
  if (issuer.is_stopping) return;
  const Now now = clocks();
  const std::string& name = issuer.settings.name;
  ++issuer.fetches;
  issuer.is_asked = false;
  issuer.ask_from = now.monotonic + ask_pause;
  if (set) {
    issuer.fetched = now.wall;
    issuer.next_fetch = now.monotonic + issuer.settings.keys_refresh;
    issuer.retry = retry_pause;
    issuer.last_error.clear();
    if (!issuer.keys || issuer.text != *text) {
      issuer.text = std::move(*text);
      issuer.keys = std::make_shared<const identity::JwkSet>(std::move(*set));
      ++generation_;
      world_.note("issuer-keys", fmt::format("{}: {}", name, key_ids(*issuer.keys)));
    }
  } else {
    ++issuer.failures;
    issuer.next_fetch = now.monotonic + std::min(issuer.retry, issuer.settings.keys_refresh);
    issuer.retry = std::min(Duration{2 * issuer.retry.ns}, retry_pause_max);
    // The same failure again says nothing new.
    if (issuer.last_error != set.error().message) {
      issuer.last_error = set.error().message;
      world_.note("issuer-keys-failed", fmt::format("{}: {}", name, issuer.last_error));
    }
  }
  post();
}

/// With the lock held, so that what is posted last is the newest.
void KeyKeeper::post() {
  auto table = std::make_shared<identity::TokenKeys>();
  table->generation = generation_;
  for (const auto& issuer : issuers_) {
    if (issuer->fetches == 0) continue;  // Whoever needs its keys waits for the first attempt.
    table->issuers.push_back({issuer->settings.issuer, issuer->keys,
                              issuer->fetched + issuer->settings.keys_max_age, issuer->fetches,
                              issuer->ask_from});
  }
  world_.post(std::move(table));
}

std::vector<IssuerView> KeyKeeper::view() const {
  const WallTime now = clocks().wall;
  std::vector<IssuerView> out;
  const std::lock_guard lock(mutex_);
  for (const auto& issuer : issuers_) {
    IssuerView view;
    view.name = issuer->settings.name;
    view.issuer = issuer->settings.issuer;
    view.keys = issuer->keys ? issuer->keys->keys.size() : 0;
    view.skipped = issuer->keys ? issuer->keys->skipped.size() : 0;
    if (issuer->keys) view.age = now - issuer->fetched;
    view.fetches = issuer->fetches;
    view.failures = issuer->failures;
    view.last_error = issuer->last_error;
    out.push_back(std::move(view));
  }
  return out;
}

Result<std::string> fetch_keys(const config::OidcIssuer& issuer, const std::atomic<bool>& stop) {
  if (!issuer.jwks_file.empty()) return read_key_file(issuer.jwks_file);
  return discover_keys(issuer, [&](const std::string& url, std::size_t bytes_max) {
    return https_get({url, issuer.ca_file, bytes_max, &stop});
  });
}

}  // namespace sluice::control
