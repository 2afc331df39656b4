#include "dataplane/session/pending_hold.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "config/load/quantity.h"

namespace sluice::dataplane {
namespace {

constexpr std::string_view binding_domain = "sluice approval 1";

}  // namespace

std::vector<config::HoldRule> hold_rules(const config::Policy& policy, std::uint64_t bits) {
  std::vector<config::HoldRule> rules;
  for (; bits != 0; bits &= bits - 1) {
    rules.push_back(policy.holds()[static_cast<std::size_t>(std::countr_zero(bits))]);
  }
  return rules;
}

Duration earliest_expiry(const std::vector<config::HoldRule>& rules) {
  return std::ranges::min(rules, {}, [](const auto& rule) { return rule.approval.expires; })
      .approval.expires;
}

std::string hold_detail(const std::vector<config::HoldRule>& rules, Duration wait) {
  std::string detail;
  for (const auto& [rule, approval] : rules) {
    detail += fmt::format("rule {}: {}; ", rule, config::approvers_text(approval));
  }
  return detail + fmt::format("within {}", config::duration_text(wait));
}

void add_asker(const config::Principal& who, std::vector<std::string_view>& pieces) {
  pieces.insert(pieces.end(), {"asks", who.issuer, who.subject});
  for (const config::Actor& actor : who.actors) {
    pieces.insert(pieces.end(), {"for", actor.issuer, actor.subject});
  }
}

config::Binding binding_of(const audit::WorkerLog& log, const std::vector<std::string_view>& pieces,
                           std::span<const ByteView> body) {
  std::vector<std::string> sizes;
  sizes.reserve(pieces.size() + 1);
  std::vector<std::string_view> all{binding_domain};
  for (const std::string_view piece : pieces) {
    all.push_back(sizes.emplace_back(fmt::format("{}", piece.size())));
    all.push_back(piece);
  }
  std::size_t body_bytes = 0;
  for (const ByteView part : body) body_bytes += part.size();
  all.push_back(sizes.emplace_back(fmt::format("{}", body_bytes)));
  for (const ByteView part : body) all.push_back(as_text(part));
  return log.digest_of(all);
}

std::string request_name(const FingerprintKey& key, std::uint64_t session,
                         std::uint64_t operation) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  constexpr std::size_t characters = 8;
  std::uint64_t bits = key.of(fmt::format("request {} {}", session, operation))[0];
  std::string name(characters, '\0');
  for (char& c : name) {
    c = alphabet[bits % alphabet.size()];
    bits /= alphabet.size();
  }
  return name;
}

}  // namespace sluice::dataplane
