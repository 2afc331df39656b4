// `sluice check --json`.
#include <nlohmann/json.hpp>

#include "cli/describe.h"
#include "cli/describe_words.h"
#include "cli/signer.h"
#include "config/load/quantity.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t ms(Duration duration) {
  return duration.ns / 1'000'000;
}

Json target_json(const config::Target& target) {
  Json addresses = Json::array();
  for (const auto& address : target.addresses) addresses.push_back(config::address_text(address));
  Json page{{"name", target.name}, {"addresses", std::move(addresses)}, {"tls", tls_text(target)}};
  if (target.credential) {
    const config::TargetCredential& credential = *target.credential;
    if (credential.value) {
      page["credential"] = {{"header", credential.header}, {"value", credential.value->reference}};
    } else {
      page["credential"] = {{"user", credential.user}};
      if (credential.password) page["credential"]["password"] = credential.password->reference;
    }
  }
  page["proxy_protocol"] = text(target.proxy_protocol);
  page["connect_timeout_ms"] = ms(target.connect_timeout);
  page["response_timeout_ms"] = ms(target.response_timeout);
  page["idle_timeout_ms"] = ms(target.idle_timeout);
  page["pool_connections_max"] = target.pool_connections_max;
  page["queue_wait_ms"] = ms(target.queue.wait_max);
  page["queue_sessions_max"] = target.queue.sessions_max;
  page["health_path"] = target.health.path;
  return page;
}

Json rule_json(const config::PolicyRule& rule) {
  Json page{{"name", rule.name},
            {"ruling", text(rule.ruling)},
            {"subjects", rule.principals.subjects},
            {"groups", rule.principals.groups},
            {"anonymous", rule.principals.anonymous},
            {"reason", rule.reason}};
  if (rule.http) {
    Json headers = Json::array();
    for (const auto& header : rule.http->headers) {
      headers.push_back({{"name", header.name}, {"pattern", header.pattern}});
    }
    page["methods"] = rule.http->methods;
    page["paths"] = rule.http->paths;
    page["headers"] = std::move(headers);
    page["body"] = rule.http->body;
  }
  if (rule.sql) {
    page["sql"] = {{"classes", rule.sql->classes},   {"relations", rule.sql->relations},
                   {"columns", rule.sql->columns},   {"functions", rule.sql->functions},
                   {"patterns", rule.sql->patterns}, {"without_where", rule.sql->without_where},
                   {"multi", rule.sql->multi},       {"unparsed", rule.sql->unparsed}};
  }
  if (rule.limits) {
    page["limits"] = {{"rows_max", rule.limits->rows_max}, {"bytes_max", rule.limits->bytes_max}};
    if (rule.limits->rate.count != 0) {
      page["limits"]["rate"] = config::rate_text(rule.limits->rate);
      page["limits"]["burst"] = rule.limits->burst;
    }
  }
  if (rule.record == config::RecordMode::full) page["record"] = "full";
  if (rule.approval) {
    page["approval"] = {{"by_groups", rule.approval->by_groups},
                        {"distinct", rule.approval->distinct},
                        {"all_groups", rule.approval->all_groups},
                        {"expires_ms", ms(rule.approval->expires)},
                        {"reason_required", rule.approval->reason_required},
                        {"break_glass", rule.approval->break_glass},
                        {"wait_ms", ms(rule.approval->wait)}};
    if (rule.approval->mode == config::HoldMode::ticket) {
      page["approval"]["ticket"] = {{"valid_for_ms", ms(rule.approval->valid_for)},
                                    {"uses", rule.approval->uses}};
    }
  }
  return page;
}

Json mask_json(const config::Mask& mask) {
  return {{"name", mask.name},
          {"builtins", mask.find.builtins},
          {"patterns", mask.find.patterns},
          {"json", mask.find.json},
          {"form", mask.find.form},
          {"headers", mask.find.headers},
          {"columns", mask.find.columns},
          {"derived", text(mask.derived)},
          {"show", text(mask.show)},
          {"on", text(mask.on)},
          {"except_groups", mask.except_groups}};
}

Json limits_json(const config::Listener& listener) {
  if (listener.protocol == config::Protocol::postgres) {
    const auto& postgres = listener.postgres;
    return {{"statement_bytes_max", postgres.statement_bytes_max},
            {"login_ms", ms(postgres.login_timeout)},
            {"idle_ms", ms(postgres.idle_timeout)},
            {"stall_ms", ms(listener.timeouts.stall)}};
  }
  const auto& http = listener.http;
  return {{"head_bytes_max", http.head_bytes_max},
          {"target_bytes_max", http.target_bytes_max},
          {"fields_max", http.fields_max},
          {"trailer_bytes_max", http.trailer_bytes_max},
          {"chunk_extension_bytes_max", http.chunk_extension_bytes_max},
          {"body_bytes_max", http.body_bytes_max},
          {"inspected_body_bytes_max", http.inspected_body_bytes_max},
          {"requests_per_connection_max", http.requests_per_connection_max},
          {"request_head_ms", ms(listener.timeouts.request_head)},
          {"idle_ms", ms(listener.timeouts.idle)},
          {"stall_ms", ms(listener.timeouts.stall)}};
}

Json listener_json(const config::Settings& settings, const config::Listener& listener) {
  Json page{{"name", listener.name},
            {"address", config::address_text(listener.address)},
            {"tls", tls_text(listener)},
            {"client_certificate", client_certificate_text(listener, settings.identity)},
            {"protocol", text(listener.protocol)}};
  if (listener.protocol == config::Protocol::http) {
    page["via"] = listener.via;
    page["forwarded"] = text(listener.forwarded);
  } else {
    page["passwords_from_loopback"] = listener.postgres.passwords_from_loopback;
    page["cancels_in_clear"] = listener.postgres.cancels_in_clear;
    page["mode"] = listener.postgres.mode == config::PoolMode::session ? "session" : "transaction";
  }
  if (listener.proxy_protocol) {
    page["proxy_protocol"] = {{"from", listener.proxy_protocol->from},
                              {"wait_ms", ms(listener.proxy_protocol->wait_max)}};
  }
  if (const auto* target = target_of(settings, listener)) page["target"] = target_json(*target);
  page["rules"] = Json::array();
  for (const auto* rule : rules_of(settings, listener)) page["rules"].push_back(rule_json(*rule));
  page["masks"] = Json::array();
  for (const auto* mask : masks_of(settings, listener)) page["masks"].push_back(mask_json(*mask));
  page["limits"] = limits_json(listener);
  return page;
}

}  // namespace

std::string describe_json(const config::Settings& settings) {
  Json listeners = Json::array();
  for (const auto& listener : settings.listeners) {
    listeners.push_back(listener_json(settings, listener));
  }
  Json exports = Json::array();
  for (const auto& one : settings.audit.exports) {
    exports.push_back(
        {{"name", one.name}, {"format", text(one.format)}, {"to", destination_text(one)}});
  }
  Json issuers = Json::array();
  for (const auto& one : settings.identity.oidc) {
    issuers.push_back({{"name", one.name},
                       {"issuer", one.issuer},
                       {"audience", one.audience},
                       {"jwks", one.jwks_file},
                       {"algorithms", one.algorithms},
                       {"untyped", one.untyped},
                       {"subject_claim", one.subject_claim},
                       {"groups_claim", one.groups_claim},
                       {"prefix", one.prefix},
                       {"authorized_parties", one.authorized_parties},
                       {"clock_skew_ms", ms(one.clock_skew)},
                       {"keys_refresh_ms", ms(one.keys_refresh)},
                       {"keys_max_age_ms", ms(one.keys_max_age)}});
    if (!one.introspection) continue;
    const config::OidcIntrospection& asked = *one.introspection;
    issuers.back()["introspection"] = {{"endpoint", asked.endpoint},
                                       {"client_id", asked.client_id},
                                       {"cache_ms", ms(asked.cache)},
                                       {"timeout_ms", ms(asked.timeout)},
                                       {"rate", config::rate_text(asked.rate)}};
  }
  Json tokens;
  if (const auto& own = settings.identity.gateway_tokens) {
    tokens = {{"key", own->key.reference},
              {"previous_key", own->previous_key ? own->previous_key->reference : std::string()},
              {"lifetime_ms", ms(own->lifetime)},
              {"max_lifetime_ms", ms(own->lifetime_max)},
              {"revocations", own->revocations}};
  }
  Json saml;
  if (const auto& one = settings.identity.saml) {
    saml = {{"name", one->name},
            {"issuer", one->issuer},
            {"sso_url", one->sso_url},
            {"provider_certificates", one->provider_certificates.path},
            {"url", one->url},
            {"entity_id", one->own_entity_id()},
            {"key", one->key.reference},
            {"certificate", one->certificate.path},
            {"subject_attribute", one->subject_attribute},
            {"groups_attribute", one->groups_attribute},
            {"prefix", one->prefix},
            {"clock_skew_ms", ms(one->clock_skew)},
            {"sign_in_timeout_ms", ms(one->sign_in_timeout)}};
  }
  Json certificates;
  if (const auto& mtls = settings.identity.mtls) {
    certificates = {{"client_ca", mtls->client_ca.path}, {"crl", mtls->crl.path}};
    certificates["principals"] = Json::array();
    for (const auto& rule : mtls->principals) certificates["principals"].push_back(text(rule));
  }
  Json webhooks = Json::array();
  for (const auto& one : settings.notifications.webhooks) {
    webhooks.push_back({{"name", one.name},
                        {"url", one.url.reference},
                        {"secret", one.secret ? one.secret->reference : std::string()},
                        {"ca", one.ca.path},
                        {"format", text(one.format)},
                        {"events", one.events}});
  }
  const config::SigningKey& key = settings.audit.signing_key;
  Json page{{"listeners", std::move(listeners)},
            {"identity",
             {{"api_keys", settings.identity.api_keys_file},
              {"revoked_keys", settings.identity.revoked_keys},
              {"oidc", std::move(issuers)},
              {"gateway_tokens", std::move(tokens)},
              {"mtls", std::move(certificates)},
              {"saml", std::move(saml)},
              {"allow_anonymous", settings.identity.allow_anonymous}}},
            {"audit",
             {{"directory", settings.audit.directory},
              {"signing_key", key.uri.empty() ? key.file : key.uri},
              {"signer",
               {{"state", signer_settings(settings.audit).state.string()},
                {"user", settings.audit.signer.user}}},
              {"release", text(settings.audit.release)},
              {"exports", std::move(exports)}}},
            {"notifications",
             {{"webhooks", std::move(webhooks)},
              {"link", settings.notifications.link},
              {"timeout_ms", ms(settings.notifications.timeout)},
              {"give_up_after_ms", ms(settings.notifications.give_up_after)},
              {"pending_max", settings.notifications.pending_max}}},
            {"admin",
             {{"socket", settings.admin.socket},
              {"listen", settings.admin.listen
                             ? Json(config::address_text(settings.admin.listen->address))
                             : Json()}}}};
  if (const auto& recordings = settings.recordings) {
    page["recordings"] = {
        {"directory", recordings->directory},
        {"recipients", recordings->recipients},
        {"bytes_max", recordings->bytes_max},
        {"keep", recordings->retention ? config::duration_text(recordings->retention->keep) : ""},
        {"on_full", recordings->on_full == config::OnFull::refuse ? "refuse" : "stop"}};
  }
  return page.dump();
}

}  // namespace sluice::cli
