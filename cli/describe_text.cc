// `sluice check` for people.
#include <fmt/format.h>

#include <iterator>

#include "cli/describe.h"
#include "cli/describe_words.h"
#include "cli/signer.h"
#include "config/load/quantity.h"

namespace sluice::cli {
namespace {

using config::address_text;
using config::duration_text;
using config::rate_text;
using config::size_text;
using Lines = std::back_insert_iterator<std::string>;

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string who(const config::PrincipalMatch& match) {
  std::vector<std::string> parts;
  if (!match.subjects.empty()) parts.push_back("subject " + joined(match.subjects));
  if (!match.groups.empty()) parts.push_back("group " + joined(match.groups));
  if (match.anonymous) parts.emplace_back("anonymous");
  return parts.empty() ? "everyone" : fmt::format("{}", fmt::join(parts, " or "));
}

std::string statements(const config::SqlMatch& sql, config::RulingKind ruling) {
  std::vector<std::string> parts;
  const auto add = [&parts](std::string_view what, const std::vector<std::string>& words) {
    if (!words.empty()) parts.push_back(fmt::format("{} {}", what, joined(words)));
  };
  if (!sql.classes.empty()) parts.push_back(joined(sql.classes));
  add("on", sql.relations);
  add("with columns", sql.columns);
  add("calling", sql.functions);
  for (const auto& pattern : sql.patterns) parts.push_back(fmt::format("~ /{}/", pattern));
  if (!sql.patterns.empty() && ruling != config::RulingKind::allow) {
    parts.emplace_back("parameters too, and any COPY FROM of the client's data");
  }
  if (sql.without_where) parts.emplace_back("without a condition");
  if (sql.multi) parts.emplace_back("several in one text");
  if (sql.unparsed) parts.emplace_back("not understood");
  return "statements: " + (parts.empty() ? "any" : joined(parts));
}

std::string what(const config::PolicyRule& rule, config::Protocol protocol) {
  if (protocol == config::Protocol::postgres) {
    return rule.sql ? statements(*rule.sql, rule.ruling) : "every operation";
  }
  if (!rule.http) return "every operation";
  const auto& http = *rule.http;
  std::string text =
      fmt::format("{} on {}", http.methods.empty() ? "any method" : joined(http.methods),
                  http.paths.empty() ? "any path" : joined(http.paths));
  for (const auto& header : http.headers) {
    text += fmt::format(", header {} ~ /{}/", header.name, header.pattern);
  }
  for (const auto& pattern : http.body) text += fmt::format(", body ~ /{}/", pattern);
  return text;
}

std::string finds(const config::MaskFind& find) {
  std::vector<std::string> parts;
  for (const auto& name : find.builtins) parts.push_back("builtin:" + name);
  for (const auto& pattern : find.patterns) parts.push_back(fmt::format("/{}/", pattern));
  for (const auto& path : find.json) parts.push_back("json " + path);
  for (const auto& name : find.form) parts.push_back("form field " + name);
  for (const auto& name : find.headers) parts.push_back("header " + name);
  for (const auto& name : find.columns) parts.push_back("column " + name);
  return joined(parts);
}

void add_target(Lines out, const config::Target& target) {
  std::vector<std::string> addresses;
  for (const auto& address : target.addresses) addresses.push_back(address_text(address));
  fmt::format_to(out, "  target {} at {}\n", target.name, joined(addresses));
  fmt::format_to(out, "    TLS: {}\n", tls_text(target));
  if (target.proxy_protocol != config::ProxyHeader::off) {
    fmt::format_to(out, "    told of each connection's client by the PROXY protocol, {}\n",
                   text(target.proxy_protocol));
  }
  if (target.credential) {
    const config::TargetCredential& credential = *target.credential;
    if (credential.value) {
      fmt::format_to(out, "    credential: {} from {}; the client's own is removed\n",
                     credential.header, credential.value->reference);
    } else {
      fmt::format_to(out, "    credential: role {}, password {}; clients never see it\n",
                     credential.user,
                     credential.password ? "from " + credential.password->reference : "none");
    }
  }
  fmt::format_to(out, "    timeouts: connect {}, response {}, pooled idle {}; health: {}\n",
                 duration_text(target.connect_timeout), duration_text(target.response_timeout),
                 duration_text(target.idle_timeout),
                 target.health.path.empty() ? "passive" : "GET " + target.health.path);
}

std::string limited(const config::ExecutionLimits& limits) {
  std::vector<std::string> parts;
  if (limits.rows_max != 0) parts.push_back(fmt::format("{} rows", limits.rows_max));
  if (limits.bytes_max != 0) parts.push_back(size_text(limits.bytes_max));
  if (limits.rate.count != 0) {
    parts.push_back(fmt::format("{} for each principal and worker", rate_text(limits.rate)));
  }
  if (limits.burst != 0) parts.push_back(fmt::format("{} at once", limits.burst));
  return "; an execution at most " + joined(parts);
}

std::string decided(const config::Approval& approval) {
  const std::string ticket =
      approval.mode != config::HoldMode::ticket
          ? std::string()
          : fmt::format("; by ticket, good for {} and {} {}", duration_text(approval.valid_for),
                        approval.uses, approval.uses == 1 ? "use" : "uses");
  const std::string broken =
      approval.break_glass.empty()
          ? std::string()
          : fmt::format("; or at once by one of {}, to be reviewed", joined(approval.break_glass));
  return fmt::format("; until {} agree{}, within {}{}{}", config::approvers_text(approval),
                     approval.reason_required ? " and say why" : "",
                     duration_text(approval.expires), ticket, broken);
}

void add_pool(Lines out, const config::Listener& listener, const config::Target& target) {
  if (listener.postgres.mode == config::PoolMode::session) {
    fmt::format_to(out, "    pool: a connection per session, at most {} per worker\n",
                   target.pool_connections_max);
    return;
  }
  fmt::format_to(out,
                 "    pool: a connection per transaction, of at most {} per worker; "
                 "{} sessions wait, {} each\n",
                 target.pool_connections_max, target.queue.sessions_max,
                 duration_text(target.queue.wait_max));
}

void add_rules(Lines out, const std::vector<const config::PolicyRule*>& rules,
               config::Protocol protocol) {
  fmt::format_to(out, "  rules, strictest first; what none of them matches is denied\n");
  if (rules.empty()) fmt::format_to(out, "    (none: everything is denied)\n");
  for (const auto* rule : rules) {
    const bool has_limits = rule->limits && protocol == config::Protocol::postgres;
    fmt::format_to(out, "    {:<5} {}: {}: {}{}{}{}\n", text(rule->ruling), rule->name,
                   who(rule->principals), what(*rule, protocol),
                   has_limits ? limited(*rule->limits) : std::string(),
                   rule->approval ? decided(*rule->approval) : std::string(),
                   rule->record == config::RecordMode::full ? "; recorded in full" : "");
  }
}

std::string derived(const config::Mask& mask) {
  if (mask.find.columns.empty()) return {};
  return fmt::format(", expressions: {}", text(mask.derived));
}

void add_masks(Lines out, const std::vector<const config::Mask*>& masks) {
  fmt::format_to(out, "  masks\n");
  if (masks.empty()) fmt::format_to(out, "    (none)\n");
  for (const auto* mask : masks) {
    fmt::format_to(out, "    {}: {} → {}{} ({}{})\n", mask->name, finds(mask->find),
                   text(mask->show), derived(*mask),
                   mask->on == config::MaskDirection::both ? "requests and responses"
                                                           : fmt::format("{}s", text(mask->on)),
                   mask->except_groups.empty() ? std::string()
                                               : ", not for group " + joined(mask->except_groups));
  }
}

void add_limits(Lines out, const config::Listener& listener) {
  if (listener.protocol == config::Protocol::postgres) {
    const auto& postgres = listener.postgres;
    fmt::format_to(out, "  limits\n    statement {}, login within {}, idle {}, stalled {}\n",
                   size_text(postgres.statement_bytes_max), duration_text(postgres.login_timeout),
                   duration_text(postgres.idle_timeout), duration_text(listener.timeouts.stall));
    return;
  }
  const auto& http = listener.http;
  fmt::format_to(out,
                 "  limits\n"
                 "    head {}, target {}, {} fields, trailers {}, chunk extension {}\n"
                 "    body {}, body seen by patterns {}, {} requests per connection\n"
                 "    request head within {}, idle {}, stalled {}\n",
                 size_text(http.head_bytes_max), size_text(http.target_bytes_max), http.fields_max,
                 size_text(http.trailer_bytes_max), size_text(http.chunk_extension_bytes_max),
                 size_text(http.body_bytes_max), size_text(http.inspected_body_bytes_max),
                 http.requests_per_connection_max, duration_text(listener.timeouts.request_head),
                 duration_text(listener.timeouts.idle), duration_text(listener.timeouts.stall));
}

/// Whose tokens callers may show, and what of them counts.
void add_issuer(Lines out, const config::OidcIssuer& issuer) {
  fmt::format_to(
      out, "  tokens of {} ({}) for {}: subject from {}, {}; {}{}; keys {}\n", issuer.name,
      issuer.issuer, issuer.audience, issuer.subject_claim,
      issuer.groups_claim.empty() ? "no groups" : "groups from " + issuer.groups_claim,
      issuer.algorithms.empty() ? "any algorithm that fits its keys" : joined(issuer.algorithms),
      issuer.prefix.empty() ? std::string() : fmt::format("; names begin with '{}'", issuer.prefix),
      issuer.jwks_file.empty()
          ? fmt::format("fetched every {}, good for {}", duration_text(issuer.keys_refresh),
                        duration_text(issuer.keys_max_age))
          : "in " + issuer.jwks_file);
  if (!issuer.introspection) return;
  const config::OidcIntrospection& asked = *issuer.introspection;
  fmt::format_to(
      out, "    asked about opaque tokens at {} as {}: {}, {} for an answer, believed for {}\n",
      asked.endpoint.empty() ? "what it publishes" : asked.endpoint, asked.client_id,
      asked.rate.count == 0 ? "as often as they come" : "at most " + rate_text(asked.rate),
      duration_text(asked.timeout), duration_text(asked.cache));
}

void add_certificates(Lines out, const config::Listener& listener,
                      const config::Identity& identity) {
  const std::string asked = client_certificate_text(listener, identity);
  if (asked.empty()) return;
  fmt::format_to(out, "  client certificate: {}\n", asked);
  for (const auto& rule : identity.mtls->principals) fmt::format_to(out, "    {}\n", text(rule));
  if (identity.mtls->principals.empty()) fmt::format_to(out, "    SPIFFE ID → that name\n");
}

void add_tokens(Lines out, const config::Identity& identity) {
  for (const auto& issuer : identity.oidc) add_issuer(out, issuer);
  if (const auto& tokens = identity.gateway_tokens) {
    fmt::format_to(out, "  tokens of the gateway: for {}, at most {}; revoked ones are in {}\n",
                   duration_text(tokens->lifetime), duration_text(tokens->lifetime_max),
                   tokens->revocations);
  }
  if (const auto& saml = identity.saml) {
    fmt::format_to(
        out, "  people sign in at {} by SAML of {} ({}): subject from {}, {}{}\n",
        saml->url + "/saml/login", saml->name, saml->issuer,
        saml->subject_attribute.empty() ? "the NameID" : saml->subject_attribute,
        saml->groups_attribute.empty() ? "no groups" : "groups from " + saml->groups_attribute,
        saml->prefix.empty() ? std::string()
                             : fmt::format("; names begin with '{}'", saml->prefix));
  }
}

}  // namespace

std::string describe_text(const config::Settings& settings) {
  std::string page;
  const auto out = std::back_inserter(page);
  for (const auto& listener : settings.listeners) {
    fmt::format_to(out, "listener {}: {} on {}\n", listener.name, text(listener.protocol),
                   address_text(listener.address));
    fmt::format_to(out, "  TLS: {}\n", tls_text(listener));
    add_certificates(out, listener, settings.identity);
    if (listener.proxy_protocol) {
      fmt::format_to(out, "  a PROXY header is required from {}, within {}\n",
                     fmt::join(listener.proxy_protocol->from, ", "),
                     duration_text(listener.proxy_protocol->wait_max));
    }
    if (listener.protocol == config::Protocol::http) {
      fmt::format_to(out, "  X-Forwarded-*: {}; Via: {}\n", text(listener.forwarded),
                     listener.via ? "added" : "off");
      add_tokens(out, settings.identity);
    } else {
      fmt::format_to(out, "  logins: {}\n", logins_text(listener));
      if (listener.tls || listener.postgres.passwords_from_loopback) {
        add_tokens(out, settings.identity);
      }
    }
    if (const auto* target = target_of(settings, listener)) {
      add_target(out, *target);
      if (listener.protocol == config::Protocol::postgres) add_pool(out, listener, *target);
    }
    add_rules(out, rules_of(settings, listener), listener.protocol);
    add_masks(out, masks_of(settings, listener));
    add_limits(out, listener);
    page += '\n';
  }
  const auto& identity = settings.identity;
  fmt::format_to(out, "identity: {}; callers without a credential are {}\n",
                 identity.api_keys_file.empty()
                     ? "no API keys"
                     : fmt::format("API keys in {}, the revoked ones' ids in {}",
                                   identity.api_keys_file, identity.revoked_keys),
                 identity.allow_anonymous ? "anonymous" : "refused");
  const audit::SignerSettings signer = signer_settings(settings.audit);
  fmt::format_to(out, "audit: signed with {} in {}, release: {}\n",
                 signer.token.uri.empty() ? signer.key.string() : signer.token.uri,
                 settings.audit.directory, text(settings.audit.release));
  fmt::format_to(out, "signer: a process of its own, {} if root starts it; it remembers in {}\n",
                 signer.user, signer.state.string());
  for (const auto& one : settings.audit.exports) {
    fmt::format_to(out, "export '{}': records as {} to {}\n", one.name, text(one.format),
                   destination_text(one));
  }
  if (const auto& recordings = settings.recordings) {
    fmt::format_to(
        out, "recordings: in {}, kept {}, at most {}, for {} to read; when full {}\n",
        recordings->directory,
        recordings->retention ? duration_text(recordings->retention->keep) : "until deleted",
        size_text(recordings->bytes_max), fmt::join(recordings->recipients, ", "),
        recordings->on_full == config::OnFull::refuse ? "what is to be recorded is refused"
                                                      : "recordings stop");
  }
  for (const auto& one : settings.notifications.webhooks) {
    fmt::format_to(out, "webhook '{}': {} as {} to {}, {}; given up after {}\n", one.name,
                   one.events.empty() ? "every event of a request" : joined(one.events),
                   text(one.format), one.url.reference,
                   one.secret ? "signed with " + one.secret->reference : "not signed",
                   duration_text(settings.notifications.give_up_after));
  }
  fmt::format_to(
      out, "admin: {}{}{}\n", settings.admin.socket,
      settings.admin.tcp ? " and http://" + address_text(*settings.admin.tcp) : std::string(),
      settings.admin.listen
          ? " and https://" + address_text(settings.admin.listen->address) + " with a credential"
          : std::string());
  return page;
}

}  // namespace sluice::cli
