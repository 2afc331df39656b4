#include "control/token_mint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text_codec.h"
#include "base/timestamp.h"
#include "control/revocations.h"
#include "identity/credential.h"

namespace sluice::control {
namespace {

using Kind = MintRefusal::Kind;

constexpr std::size_t id_bytes = 16;

tl::unexpected<MintRefusal> refuse(Kind kind, std::string message) {
  return tl::unexpected(MintRefusal{.kind = kind, .message = std::move(message)});
}

tl::unexpected<MintRefusal> not_proved(std::string_view reason) {
  return tl::unexpected(MintRefusal{.kind = Kind::denied,
                                    .message = "the credential was not accepted",
                                    .reason = std::string(reason)});
}

/// As rules and records can hold it.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= identity::claim_bytes_max && text != "*" &&
         std::ranges::none_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7F;
         });
}

/// An entry as the log has it. Views into what it was made of.
struct Entry {
  audit::Record record;
  std::vector<std::string_view> groups;
  std::vector<audit::Actor> actors;

  Entry(std::string_view event, std::string_view detail) {
    record.phase = audit::Phase::control;
    record.event = event;
    record.detail = detail;
  }
  void add(const config::Principal& who, std::string_view id) {
    groups.assign(who.groups.begin(), who.groups.end());
    for (const config::Actor& actor : who.actors) actors.push_back({actor.subject, actor.issuer});
    record.subject = who.subject;
    record.issuer = who.issuer;
    record.groups = groups;
    record.delegation = actors;
    record.proof = text(who.proof);
    record.credential_id = id;
  }
};

}  // namespace

Result<MintedToken, MintRefusal> TokenMint::mint(const MintRequest& request,
                                                 const MintBasis& basis) {
  auto minted = try_mint(request, basis);
  if (minted) {
    minted_.fetch_add(1, std::memory_order_relaxed);
    return minted;
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  const MintRefusal& refusal = minted.error();
  const std::string detail = fmt::format("asked by {}: {}", request.by,
                                         refusal.reason.empty() ? refusal.message : refusal.reason);
  // What was refused stays so, whether or not the log takes it now.
  static_cast<void>(world_.record(Entry("token-refused", detail).record));
  return minted;
}

Result<MintedToken, MintRefusal> TokenMint::try_mint(const MintRequest& request,
                                                     const MintBasis& basis) {
  if (basis.keys == nullptr) {
    return refuse(Kind::invalid, "the configuration has no identity.gateway_tokens");
  }
  const config::GatewayTokens& settings = *basis.settings.identity.gateway_tokens;
  const Duration lifetime = request.lifetime.value_or(settings.lifetime);
  if (lifetime <= Duration{} || lifetime > settings.lifetime_max) {
    return refuse(Kind::invalid,
                  "the lifetime is longer than identity.gateway_tokens.max_lifetime "
                  "allows, or none");
  }
  const bool is_known = request.target.empty() ||
                        std::ranges::find(basis.settings.targets, request.target,
                                          &config::Target::name) != basis.settings.targets.end();
  if (!is_known) return refuse(Kind::invalid, "there is no target of that name");

  const Proved who = principal_of(request, basis);
  if (!who) return tl::unexpected(who.error());
  // What a token could not say again is not put into one.
  if (!is_name(who->subject) || who->groups.size() > identity::token_groups_max ||
      !std::ranges::all_of(who->groups, is_name)) {
    return refuse(Kind::invalid, "the subject or a group is no name, or there are too many");
  }
  const WallTime now = world_.now();
  // What a provider's token says of its own end is about that token; these end with who is proved.
  const bool is_bounded = who->proof == config::Proof::api_key || who->proof == config::Proof::saml;
  const WallTime last = is_bounded ? who->expires : WallTime{INT64_MAX};
  MintedToken out{.token = {},
                  .id = to_base64url(world_.random(id_bytes)),
                  .subject = who->subject,
                  .groups = who->groups,
                  .target = request.target,
                  .expires = std::min(now + lifetime, last)};
  if (!is_token_id(out.id)) return refuse(Kind::unavailable, "the system gives no random bytes");
  auto token = basis.keys->mint({.principal = *who,
                                 .id = out.id,
                                 .target = request.target,
                                 .issued = now,
                                 .expires = out.expires});
  if (!token) return refuse(Kind::invalid, token.error().message);
  out.token = std::move(*token);

  const std::string detail =
      fmt::format("{}until {}, asked by {}{}{}",
                  request.target.empty() ? std::string() : fmt::format("for {} ", request.target),
                  timestamp_text(out.expires), request.by,
                  who->credential_id.empty() ? "" : ", on credential ", who->credential_id);
  Entry entry("token-minted", detail);
  entry.add(*who, out.id);
  if (auto done = world_.record(entry.record); !done) {
    return refuse(Kind::unavailable, done.error().message);
  }
  return out;
}

TokenMint::Proved TokenMint::principal_of(const MintRequest& request,
                                          const MintBasis& basis) const {
  const WallTime now = world_.now();
  if (request.proved && !request.proved->subject.empty()) {
    // Its own tokens are not taken: each would outlive the last.
    if (request.proved->proof == config::Proof::gateway_token) {
      return not_proved("a token of the gateway's own");
    }
    return *request.proved;
  }
  if (request.credential.empty()) {
    if (!request.is_operator) {
      return refuse(Kind::denied, "only the operator may name a subject");
    }
    config::Principal who;
    who.subject = request.subject;
    who.groups = request.groups;
    who.issuer = "operator";
    return who;
  }
  if (!request.subject.empty() || !request.groups.empty()) {
    return refuse(Kind::invalid, "a credential says who it is: name no subject beside it");
  }
  if (identity::is_compact_jws(request.credential)) {
    // Nor are they here.
    static const identity::RevokedTokens none;
    auto verdict = identity::verify_token(
        request.credential, {basis.settings.identity.oidc, basis.issuer_keys, nullptr, none}, now);
    if (verdict.fault == identity::TokenFault::none) return std::move(verdict.principal);
    if (!identity::is_about_keys(verdict.fault) || verdict.issuer == nullptr) {
      return not_proved(identity::text(verdict.fault));
    }
    return tl::unexpected(MintRefusal{.kind = Kind::unavailable,
                                      .message = "the issuer's keys are being fetched: try again",
                                      .issuer = verdict.issuer->issuer});
  }
  const auto verdict = basis.api_keys.verify_slow(request.credential, now);
  if (verdict.fault != identity::KeyFault::none) {
    return not_proved(identity::text(verdict.fault));
  }
  return *verdict.principal;
}

Result<void, MintRefusal> TokenMint::revoke(const std::string& id, std::string_view by,
                                            const MintBasis& basis) {
  if (basis.keys == nullptr) {
    return refuse(Kind::invalid, "the configuration has no identity.gateway_tokens");
  }
  if (!is_token_id(id)) return refuse(Kind::invalid, "that is no token's id");
  const std::string detail = fmt::format("asked by {}", by);
  Entry entry("token-revoked", detail);
  entry.record.credential_id = id;
  const std::lock_guard lock(revoking_);
  auto list =
      Revocations::read(revoked_tokens, basis.settings.identity.gateway_tokens->revocations);
  if (!list) return refuse(Kind::unavailable, list.error().message);
  if (auto done = world_.record(entry.record); !done) {
    return refuse(Kind::unavailable, done.error().message);
  }
  if (auto done = list->add(id, world_.now()); !done) {
    return refuse(Kind::unavailable, done.error().message);
  }
  revoked_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

MintCounts TokenMint::counts() const noexcept {
  return {minted_.load(std::memory_order_relaxed), refused_.load(std::memory_order_relaxed),
          revoked_.load(std::memory_order_relaxed)};
}

}  // namespace sluice::control
