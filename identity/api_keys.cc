#include "identity/api_keys.h"

#include <algorithm>

#include "identity/api_keys_entry.h"

namespace sluice::identity {
namespace {

constexpr std::size_t presented_bytes_max = 512;
constexpr std::string_view machine_prefix = "sk_";
constexpr std::size_t machine_secret_chars = 43;  // 32 bytes in base64url

}  // namespace

std::optional<std::string_view> id_in_key(std::string_view text) noexcept {
  // "sk_<id>_<secret>": the secret's length is fixed, so an id may hold '_'.
  constexpr std::size_t around = machine_prefix.size() + 1 + machine_secret_chars;
  if (!text.starts_with(machine_prefix) || text.size() <= around) return std::nullopt;
  if (text[text.size() - machine_secret_chars - 1] != '_') return std::nullopt;
  return text.substr(machine_prefix.size(), text.size() - around);
}

std::string_view text(KeyFault fault) noexcept {
  switch (fault) {
    case KeyFault::none:
      return "valid";
    case KeyFault::unknown:
      return "unknown key or wrong secret";
    case KeyFault::expired:
      return "expired key";
    case KeyFault::malformed:
      return "malformed credential";
    case KeyFault::needs_slow_proof:
      return "login not yet verified";
  }
  return "";
}

ApiKeys::ApiKeys(const Digest& mock_key) : mock_key_(mock_key) {}
ApiKeys::~ApiKeys() = default;

std::shared_ptr<const ApiKeys> ApiKeys::none(const Digest& mock_key) {
  return std::shared_ptr<const ApiKeys>(new ApiKeys(mock_key));
}

std::size_t ApiKeys::size() const noexcept {
  return entries_.size();
}

const config::Principal& ApiKeys::principal(std::size_t index) const noexcept {
  return entries_[index].principal;
}

const config::Principal* ApiKeys::find(std::string_view id) const noexcept {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    return &entries_[found->second].principal;
  }
  const auto found = std::ranges::find(revoked_, id, &config::Principal::credential_id);
  return found == revoked_.end() ? nullptr : &*found;
}

std::shared_ptr<const ApiKeys> ApiKeys::without(const RevokedKeys& revoked) const {
  const std::shared_ptr<ApiKeys> out(new ApiKeys(mock_key_));
  out->mock_iterations_ = mock_iterations_;
  out->revoked_ = revoked_;
  out->entries_.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if (revoked.contains(entry.principal.credential_id)) {
      out->revoked_.push_back(entry.principal);
    } else {
      out->entries_.push_back(entry);
    }
  }
  for (std::size_t i = 0; i < out->entries_.size(); ++i) {
    const Entry& entry = out->entries_[i];
    const config::Principal& who = entry.principal;
    const std::size_t before = by_id_.at(who.credential_id);
    out->by_id_.emplace(who.credential_id, i);
    if (entry.scram) out->by_scram_subject_[who.subject].push_back(i);
    for (const std::string* const login : {&who.credential_id, &who.subject}) {
      const auto found = by_login_.find(*login);
      if (found != by_login_.end() && found->second == before) out->by_login_.emplace(*login, i);
    }
  }
  return out;
}

KeyVerdict ApiKeys::proven(std::size_t index, WallTime now) const noexcept {
  const config::Principal& principal = entries_[index].principal;
  if (now >= principal.expires) return {KeyFault::expired, nullptr, index};
  return {KeyFault::none, &principal, index};
}

KeyVerdict ApiKeys::verify(std::string_view presented, WallTime now) const noexcept {
  if (presented.empty() || presented.size() > presented_bytes_max) {
    return {KeyFault::malformed, nullptr, 0};
  }
  if (id_in_key(presented)) return verify_machine_key(presented, {}, now);
  const std::size_t colon = presented.find(':');
  if (colon == std::string_view::npos) return {KeyFault::malformed, nullptr, 0};

  // Clients that only know Basic send a machine-made key as the password.
  const std::string_view secret = presented.substr(colon + 1);
  if (id_in_key(secret)) return verify_machine_key(secret, presented.substr(0, colon), now);
  // Known and unknown logins look alike from here.
  return {by_login_.empty() ? KeyFault::unknown : KeyFault::needs_slow_proof, nullptr, 0};
}

KeyVerdict ApiKeys::verify_slow(std::string_view presented, WallTime now) const noexcept {
  const KeyVerdict quick = verify(presented, now);
  if (quick.fault != KeyFault::needs_slow_proof) return quick;
  const std::size_t colon = presented.find(':');
  return verify_login(presented.substr(0, colon), presented.substr(colon + 1), now);
}

KeyVerdict ApiKeys::verify_machine_key(std::string_view key, std::string_view login,
                                       WallTime now) const noexcept {
  static constexpr Digest nobody{};
  const auto id = id_in_key(key);
  const auto found = id ? by_id_.find(*id) : by_id_.end();
  const bool is_known = found != by_id_.end() && entries_[found->second].digest.has_value();
  const auto digest = sha256(key);
  if (!digest) return {};
  const Digest& wanted = is_known ? *entries_[found->second].digest : nobody;
  if (!equal(*digest, wanted) || !is_known) return {};
  if (!login.empty() && login != entries_[found->second].principal.credential_id &&
      login != entries_[found->second].principal.subject) {
    return {};
  }
  return proven(found->second, now);
}

KeyVerdict ApiKeys::verify_login(std::string_view login, std::string_view secret,
                                 WallTime now) const noexcept {
  const auto found = by_login_.find(login);
  const bool is_known = found != by_login_.end();
  // An unknown login pays for somebody's hash, and fails whatever it gives.
  const std::size_t index = is_known ? found->second : by_login_.begin()->second;
  const ScryptHash& stored = *entries_[index].scrypt;
  const auto digest = scrypt(secret, stored);
  if (!digest || !equal(*digest, stored.hash) || !is_known) return {};
  return proven(index, now);
}

Result<ScramLogin, ScramFault> ApiKeys::scram_login(std::string_view subject, WallTime now) const {
  // Made for known subjects too, whose answer would otherwise come sooner.
  auto mock = make_mock_verifier(mock_key_, subject, mock_iterations_);
  if (!mock) return tl::unexpected(mock.error());
  ScramLogin login{std::move(*mock), std::nullopt};
  const auto found = by_scram_subject_.find(subject);
  if (found == by_scram_subject_.end()) return login;
  // When all have expired the last one is asked for: who knows its secret learns it then.
  login.index = found->second.back();
  for (const std::size_t index : found->second) {
    if (entries_[index].principal.expires > now) login.index = index;
  }
  login.verifier = *entries_[*login.index].scram;
  return login;
}

}  // namespace sluice::identity
