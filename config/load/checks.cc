#include "config/load/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "base/ascii.h"
#include "config/load/complaints.h"
#include "config/load/identity_checks.h"
#include "config/load/notification_checks.h"
#include "config/load/quantity.h"
#include "config/load/suggest.h"
#include "config/model/line_expression.h"

namespace sluice::config {
namespace {

constexpr std::size_t mask_key_bytes_min = 32;
// PCI DSS 4.0 §3.4.1: at most the BIN (eight digits) and the last four.
constexpr unsigned card_first_max = 8;
constexpr unsigned card_last_max = 4;

class Checker : Complaints {
 public:
  using Complaints::Complaints;

  void run() {
    check_names(settings_.listeners, "listener");
    check_names(settings_.targets, "target");
    check_names(settings_.policies, "policy rule");
    check_names(settings_.masks, "mask");
    for (const Listener& listener : settings_.listeners) check(listener);
    check_addresses();
    for (const Target& target : settings_.targets) check(target);
    for (const PolicyRule& rule : settings_.policies) check(rule);
    for (const Mask& mask : settings_.masks) check(mask);
    check_mask_key();
    check_names(settings_.audit.exports, "export");
    for (const AuditExport& one : settings_.audit.exports) check(one);
    check_signer();
    check_token();
    check_recordings();
  }

 private:
  void check_target_name(const std::string& name, const Place& place) {
    if (settings_.targets.empty()) return;  // reported already
    std::vector<std::string_view> known;
    for (const Target& target : settings_.targets) known.emplace_back(target.name);
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    report(place, fmt::format("unknown target '{}'", name), suggestion_for(name, known));
  }

  void check(const Listener& listener) {
    if (!listener.target.empty()) {
      check_target_name(listener.target, places_.of(&listener.target, listener.place));
      check_protocol(listener);
    }
    if (listener.proxy_protocol) check(*listener.proxy_protocol, listener);
    if (listener.http.target_bytes_max >= listener.http.head_bytes_max) {
      report(places_.of(&listener.http.target_bytes_max,
                        places_.of_section(&listener.http, listener.place)),
             fmt::format("the limit 'target' ({}) must be below 'head' ({})",
                         size_text(listener.http.target_bytes_max),
                         size_text(listener.http.head_bytes_max)));
    }
  }

  void check(const ProxySource& proxies, const Listener& listener) {
    // Who is on this host is then told by another host.
    if (!listener.postgres.passwords_from_loopback) return;
    report(places_.of_section(&proxies, listener.place),
           "'proxy_protocol' and 'passwords_from_loopback' don't go together");
  }

  /// A target speaks one protocol: that of the listeners before it.
  void check_protocol(const Listener& listener) {
    const bool is_http = listener.protocol == Protocol::http;
    for (const Listener& other : settings_.listeners) {
      if (&other == &listener) break;
      if (other.target != listener.target || other.protocol == listener.protocol) continue;
      report(places_.of(&listener.target, listener.place),
             fmt::format("target '{}' is behind listener '{}' too, which speaks another protocol",
                         listener.target, other.name));
    }
    for (const Target& target : settings_.targets) {
      if (target.name != listener.target) continue;
      if (!is_http && !target.credential) {
        report(target.place, fmt::format("listener '{}' speaks PostgreSQL: its target needs "
                                         "'credential' with 'user'",
                                         listener.name));
      }
      if (!is_http && !target.health.path.empty()) {
        report(places_.of(&target.health.path, target.place),
               "a path is asked for by HTTP, which this target does not speak");
      }
      if (!target.credential) continue;
      const bool is_login = !target.credential->user.empty();
      if (is_login == is_http) {
        report(places_.of_section(&*target.credential, target.place),
               is_http ? "an HTTP target takes 'header' and 'value'"
                       : "a PostgreSQL target takes 'user' and 'password'");
      }
    }
    if (is_http && places_.has_section(&listener.postgres)) {
      report(places_.of_section(&listener.postgres, listener.place),
             "this section is for protocol: postgres");
    }
    check_client_certificate(listener);
    if (listener.postgres.cancels_in_clear && !listener.tls) {
      report(places_.of(&listener.postgres.cancels_in_clear, listener.place),
             "without 'tls' all cancel requests come in clear");
    }
    if (!is_http && places_.has_section(&listener.http)) {
      report(places_.of_section(&listener.http, listener.place),
             "this section is for protocol: http");
    }
  }

  void check_client_certificate(const Listener& listener) {
    if (!listener.tls) return;
    const ListenerTls& tls = *listener.tls;
    if (asks_for_certificate(listener) && !settings_.identity.mtls) {
      report(places_.of(&tls.client_certificate, listener.place),
             "identity.mtls must say whose certificates are good");
    }
    if (!tls.forward_client_certificate) return;
    const Place place = places_.of(&tls.forward_client_certificate, listener.place);
    if (listener.protocol != Protocol::http) {
      report(place, "only an HTTP target can be told of a certificate");
    } else if (!asks_for_certificate(listener)) {
      report(place, "clients are not asked for a certificate: set 'client_certificate'");
    }
  }

  void check_addresses() {
    // The kernel would share one address between two sockets, and with it two policies.
    std::map<std::string, std::string> known;
    const auto add = [&](const SocketAddress& address, const std::string& owner,
                         const Place& place) {
      if (address.port == 0) return;  // reported where it was read
      const std::string text = address_text(address);
      const auto [first, is_new] = known.try_emplace(text, owner);
      if (!is_new)
        report(place, fmt::format("{} is already the address of {}", text, first->second));
    };
    for (const Listener& listener : settings_.listeners) {
      add(listener.address, fmt::format("listener '{}'", listener.name),
          places_.of(&listener.address, listener.place));
    }
    if (const auto& listen = settings_.admin.listen) {
      add(listen->address, "the control API", places_.of(&listen->address, {}));
    }
    if (!settings_.admin.tcp) return;
    const Place place = places_.of(&*settings_.admin.tcp, {});
    add(*settings_.admin.tcp, "the admin interface", place);
    if (settings_.admin.tcp->port != 0 && !is_loopback(*settings_.admin.tcp)) {
      report(place, fmt::format("the admin interface has no login: {} must be a loopback address",
                                address_text(*settings_.admin.tcp)));
    }
  }

  void check(const Target& target) {
    if (target.tls) check_tls(target);
    if (target.health.timeout > target.health.interval) {
      report(
          places_.of_section(&target.health, target.place),
          fmt::format("'timeout' ({}) must not be longer than 'interval' ({})",
                      duration_text(target.health.timeout), duration_text(target.health.interval)));
    }
    if (!target.credential) return;
    const TargetCredential& credential = *target.credential;
    const Place place = places_.of_section(&credential, target.place);
    // What was written and is not good was reported where it was read.
    const bool has_header = !credential.header.empty() || places_.has(&credential.header);
    const bool has_user = !credential.user.empty() || places_.has(&credential.user);
    if (has_header == has_user || has_header != credential.value.has_value() ||
        (!has_user && credential.password)) {
      return report(place, "a credential is 'header' and 'value', or 'user' and 'password'");
    }
    if (!credential.value) return;
    const std::string& value = credential.value->value;
    const bool is_field_value = std::all_of(value.begin(), value.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x20 && byte != 0x7F;
    });
    if (!is_field_value) {
      report(places_.of(&*credential.value, target.place),
             fmt::format("'{}' holds control characters, which a header field cannot carry",
                         credential.value->reference));
    }
  }

  void check_tls(const Target& target) {
    const TargetTls& tls = *target.tls;
    if (tls.verify == TlsVerify::none && places_.has(&tls.ca)) {
      report(places_.of(&tls.ca, target.place),
             "'ca' with 'verify: none': nobody would ask who signed a certificate");
    }
    if (places_.has(&tls.certificate) != places_.has(&tls.key)) {
      report(places_.of_section(&tls, target.place), "'certificate' and 'key' belong together");
    }
  }

  /// Whether the path is the folder's, or of something in it.
  static bool lies_in(std::string_view path, std::string_view folder) {
    while (folder.ends_with('/')) folder.remove_suffix(1);
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
  }

  /// What is to notice that the directory was rolled back must not be rolled back with it.
  void check_signer() {
    const Audit& audit = settings_.audit;
    if (!lies_in(audit.signer.state, audit.directory)) return;
    report(places_.of(&audit.signer.state, {}),
           fmt::format("the signer's state must not lie in the log's directory '{}', or both are "
                       "rolled back together",
                       audit.directory));
  }

  void check_recordings() {
    for (const PolicyRule& rule : settings_.policies) {
      if (rule.record != RecordMode::full) continue;
      const Place place = places_.of(&rule.record, rule.place);
      if (!settings_.recordings) {
        report(place, "'record: full' needs the section 'recordings' with 'recipients'");
      }
      if (rule.ruling == RulingKind::deny) {
        report(place, "what is refused is not recorded: 'record' is for rules that allow");
      }
    }
    if (!settings_.recordings) return;
    const Recordings& recordings = *settings_.recordings;
    if (recordings.chunk_bytes > recordings.memory_bytes) {
      report(places_.of(&recordings.chunk_bytes, recordings.place),
             fmt::format("'chunk' ({}) must not be above 'memory' ({})",
                         size_text(recordings.chunk_bytes), size_text(recordings.memory_bytes)));
    }
    const Audit& audit = settings_.audit;
    if (lies_in(recordings.directory, audit.directory) ||
        lies_in(audit.directory, recordings.directory)) {
      report(places_.of(&recordings.directory, recordings.place),
             fmt::format("recordings need a folder of their own: neither in the log's directory "
                         "'{}' nor around it",
                         audit.directory));
    }
    if (!audit.retention) return;
    // Nothing would prove a recording that is older than the log.
    if (!recordings.retention) {
      report(recordings.place,
             "where audit.retention removes records, recordings need 'retention', too: what "
             "proves a recording are records of the log");
    } else if (recordings.retention->keep > audit.retention->keep) {
      report(places_.of(&recordings.retention->keep, recordings.place),
             fmt::format("recordings are kept {}, their records only {} (audit.retention.keep): "
                         "what proves a recording are records of the log",
                         duration_text(recordings.retention->keep),
                         duration_text(audit.retention->keep)));
    }
  }

  void check_token() {
    const Audit& audit = settings_.audit;
    const bool is_in_token = !audit.signing_key.uri.empty();
    if (is_in_token && !audit.token) {
      report(places_.of(&audit.signing_key, {}),
             "a key in a token needs audit.token: its module, PIN and origin");
    }
    if (!is_in_token && audit.token) {
      report(places_.of_section(&*audit.token, {}),
             "audit.token is for a signing_key that begins with pkcs11:");
    }
  }

  void check(const PolicyRule& rule) {
    if (rule.name == "default-deny") {
      report(places_.of(&rule.name, rule.place),
             "'default-deny' is the name of what happens without a rule");
    }
    for (const std::string& target : rule.targets) {
      check_target_name(target, places_.of(&target, rule.place));
    }
    check_approval(rule);
    if (rule.limits) check_limits(rule);
    const PrincipalMatch& principals = rule.principals;
    if (principals.anonymous && !settings_.identity.allow_anonymous) {
      report(places_.of_section(&principals, rule.place),
             "the rule is about anonymous callers, but identity.anonymous is not true");
    }
    if (principals.subjects.empty() && principals.groups.empty() && !principals.anonymous &&
        places_.has(&principals.anonymous)) {
      report(places_.of_section(&principals, rule.place),
             "names nobody; leave 'principals' out, or name somebody");
    }
    if (rule.sql) {
      check_occurs(Protocol::postgres, "rule", places_.of_section(&*rule.sql, rule.place));
    }
    if (!rule.http) return;
    check_occurs(Protocol::http, "rule", places_.of_section(&*rule.http, rule.place));
    for (const HeaderMatch& header : rule.http->headers) {
      if (header.name.empty() || header.pattern.empty()) continue;  // reported already
      const auto expression = line_expression(header.name, header.pattern);
      if (!expression) {
        report(places_.of(&header.pattern, rule.place),
               fmt::format("'pattern': {}", expression.error().message));
      }
    }
  }

  void check_approval(const PolicyRule& rule) {
    if (rule.ruling != RulingKind::hold) {
      if (!rule.approval) return;
      return report(places_.of_section(&*rule.approval, rule.place),
                    "only a rule that holds has an approval");
    }
    if (!rule.approval) {
      return report(places_.of(&rule.ruling, rule.place), "a rule that holds needs 'approval'");
    }
    const Approval& approval = *rule.approval;
    const Place place = places_.of_section(&approval, rule.place);
    const bool is_ticket = approval.mode == HoldMode::ticket;
    const auto report_of = [&](const void* field, std::string_view name, std::string_view mode) {
      if (!places_.has(field)) return;
      report(places_.of(field, place), fmt::format("'{}' is about 'mode: {}'", name, mode));
    };
    if (is_ticket) report_of(&approval.wait, "wait", "wait");
    if (!is_ticket) report_of(&approval.valid_for, "valid_for", "ticket");
    if (!is_ticket) report_of(&approval.uses, "uses", "ticket");
    if (is_ticket && !approval.break_glass.empty()) {
      report(places_.of(&approval.break_glass.front(), place),
             "'break_glass' is about 'mode: wait'");
    }
    if (rule.sql && !rule.http && places_.has(&approval.mode)) {
      report(places_.of(&approval.mode, place),
             "'mode' is about HTTP requests, and the rule is about SQL statements");
    }
  }

  void check_limits(const PolicyRule& rule) {
    const ExecutionLimits& limits = *rule.limits;
    const Place place = places_.of_section(&limits, rule.place);
    check_occurs(Protocol::postgres, "limit", place);
    if (rule.ruling != RulingKind::allow) {
      report(place, "only a rule that allows has limits");
    } else if (rule.http && !rule.sql) {
      report(place, "limits are about SQL statements, and the rule is about HTTP requests");
    } else if (limits.burst != 0 && limits.rate.count == 0) {
      report(places_.of(&limits.burst, place), "'burst' needs 'rate'");
    } else if (limits.rows_max == 0 && limits.bytes_max == 0 && limits.rate.count == 0 &&
               !places_.has(&limits.rate)) {
      report(place, "limits nothing; leave it out");
    }
  }

  /// What is about operations that cannot come is never enforced.
  void check_occurs(Protocol protocol, std::string_view what, const Place& place) {
    const bool occurs =
        std::any_of(settings_.listeners.begin(), settings_.listeners.end(),
                    [protocol](const Listener& listener) { return listener.protocol == protocol; });
    if (occurs || settings_.listeners.empty()) return;
    report(place, fmt::format("no listener speaks {}, so the {} would never match",
                              protocol == Protocol::http ? "HTTP" : "SQL", what));
  }

  void check(const Mask& mask) {
    for (const std::string& target : mask.targets) {
      check_target_name(target, places_.of(&target, mask.place));
    }
    if (!mask.find.columns.empty()) {
      check_occurs(Protocol::postgres, "mask", places_.of(&mask.find.columns.front(), mask.place));
    }
    if (mask.find.columns.empty() && places_.has(&mask.derived)) {
      report(places_.of(&mask.derived, mask.place), "'derived' is about masks that find 'columns'");
    }
    if (mask.show.kind != MaskShowKind::partial) return;
    if (mask.show.first == 0 && mask.show.last == 0) {
      report(places_.of(&mask.show, mask.place),
             "a partial mask that keeps nothing; write 'show: redact'");
    }
    const auto& builtins = mask.find.builtins;
    const bool finds_cards =
        std::find(builtins.begin(), builtins.end(), "payment-card") != builtins.end();
    if (finds_cards && (mask.show.first > card_first_max || mask.show.last > card_last_max)) {
      report(places_.of(&mask.show, mask.place),
             fmt::format("of a payment card at most the first {} and the last {} digits may be "
                         "shown (PCI DSS 3.4.1)",
                         card_first_max, card_last_max));
    }
  }

  void check_mask_key() {
    if (settings_.mask_hash_key) {
      const Secret& key = *settings_.mask_hash_key;
      if (!key.reference.empty() && key.value.size() < mask_key_bytes_min) {
        report(places_.of(&key, {}), fmt::format("'mask_key' has {} bytes; at least {} are needed",
                                                 key.value.size(), mask_key_bytes_min));
      }
      return;
    }
    for (const Mask& mask : settings_.masks) {
      if (mask.show.kind != MaskShowKind::hash) continue;
      report(places_.of(&mask.show, mask.place),
             "a mask that hashes needs 'mask_key' at the top of the file");
    }
  }

  void check(const AuditExport& one) {
    const int destinations = one.file.has_value() + one.syslog.has_value() + one.s3.has_value() +
                             one.kafka.has_value() + one.otlp.has_value();
    if (destinations != 1) {
      report(one.place, fmt::format("the export '{}' needs one destination: 'file', 'syslog', "
                                    "'s3', 'kafka' or 'otlp'",
                                    one.name));
    }
    if (one.syslog && one.syslog->server_name.empty() && !one.syslog->ca_file.empty()) {
      report(places_.of(&one.syslog->ca_file, one.place),
             "'ca' without 'server_name': records would go in clear");
    }
    if (one.s3) check(*one.s3, one);
    if (one.kafka) check(*one.kafka, one);
    if (one.otlp) check(*one.otlp, one);
  }

  void check(const S3Export& s3, const AuditExport& one) {
    check_endpoint(s3.endpoint, one, "-.:[]");
    if (!has_only(s3.prefix, "-_./")) {
      report(places_.of(&s3.prefix, one.place), "'prefix' may have letters, digits and -_./");
    }
    check_linger(s3.linger, one);
  }

  void check(const KafkaExport& kafka, const AuditExport& one) {
    for (const std::string& broker : kafka.brokers) {
      const std::size_t colon = broker.rfind(':');
      const bool is_good = colon != broker.npos && colon != 0 && colon + 1 != broker.size() &&
                           has_only(broker.substr(0, colon), "-.:[]") &&
                           std::ranges::all_of(broker.substr(colon + 1), is_digit<char>);
      if (!is_good) {
        report(places_.of(&broker, one.place),
               fmt::format("'{}' is not a broker like k1.example.com:9093", broker));
      }
    }
    if (!kafka.tls && !kafka.ca_file.empty()) {
      report(places_.of(&kafka.ca_file, one.place),
             "'ca' without 'tls: true': records would go in clear");
    }
    if (!kafka.tls && kafka.login) {
      report(places_.of_section(&*kafka.login, one.place), "'login' needs 'tls: true'");
    }
  }

  void check(const OtlpExport& otlp, const AuditExport& one) {
    check_endpoint(otlp.endpoint, one, "-.:[]/_~");
    if (otlp.credential && !otlp.endpoint.starts_with("https://")) {
      report(places_.of_section(&*otlp.credential, one.place),
             "'credential' needs an https:// endpoint");
    }
    check_linger(otlp.linger, one);
  }

  /// more  characters that may stand behind the scheme, beside letters and digits.
  void check_endpoint(const std::string& url, const AuditExport& one, std::string_view more) {
    const std::size_t host = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
    const bool is_good = host != 0 && host != url.size() && url.back() != '/' &&
                         has_only(std::string_view(url).substr(host), more);
    if (is_good) return;
    report(places_.of(&url, one.place),
           "'endpoint' must be http:// or https:// with a host, and perhaps a port");
  }

  void check_linger(const Duration& linger, const AuditExport& one) {
    if (linger < one.lag_alarm) return;
    report(places_.of(&linger, one.place), "'linger' must be below 'lag_alarm'");
  }

  static bool has_only(std::string_view text, std::string_view more) {
    return std::ranges::all_of(
        text, [more](char c) { return is_letter_or_digit(c) || more.find(c) != more.npos; });
  }
};

}  // namespace

void check_settings(const Settings& settings, const Places& places,
                    std::vector<Problem>& problems) {
  Checker(settings, places, problems).run();
  check_identity(settings, places, problems);
  check_notifications(settings, places, problems);
}

}  // namespace sluice::config
