#include "config/load/schema.h"

#include <array>

#include "config/load/schema_audit.h"
#include "config/load/schema_builder.h"
#include "config/load/schema_identity.h"
#include "config/load/schema_notifications.h"
#include "config/load/schema_recordings.h"
#include "config/load/schema_tls.h"
#include "config/model/limits.h"
#include "config/model/policy.h"

namespace sluice::config {
namespace {

using namespace schema;

// Listeners.

constexpr std::array protocols{word_for("http", Protocol::http, "HTTP/1.1"),
                               word_for("postgres", Protocol::postgres, "PostgreSQL's protocol 3")};

constexpr std::array forwarded_words{
    word_for("append", ForwardedFields::append, "add to what the client sent"),
    word_for("replace", ForwardedFields::replace, "drop what the client sent, then add"),
    word_for("off", ForwardedFields::off, "drop what the client sent and add nothing")};

constexpr std::array http_limit_fields{
    size<&HttpLimits::head_bytes_max>("head", 1024, head_bytes_limit,
                                      "Request or status line and all fields."),
    size<&HttpLimits::target_bytes_max>("target", 64, 16 * 1024, "The request target."),
    count<&HttpLimits::fields_max>("fields", 1, 128, "Header fields of one message."),
    size<&HttpLimits::trailer_bytes_max>("trailers", 0, 16 * 1024,
                                         "All trailer fields of one message."),
    size<&HttpLimits::chunk_extension_bytes_max>("chunk_extension", 0, 4096,
                                                 "Extensions of one chunk; never forwarded."),
    size<&HttpLimits::body_bytes_max>("body", 0, std::uint64_t{1} << 44, "One message's body."),
    size<&HttpLimits::inspected_body_bytes_max>(
        "inspected_body", 1024, inspected_body_bytes_limit,
        "A request body that a rule's body pattern must see whole; a longer one is refused."),
    count<&HttpLimits::requests_per_connection_max>(
        "requests_per_connection", 1, 1'000'000'000'000,
        "Requests before a client's connection is closed.")};
constexpr Table http_limits_table{.title = "Limits of HTTP messages",
                                  .path = "listeners[].limits",
                                  .sentence = "What is longer is refused.",
                                  .fields = http_limit_fields,
                                  .make = make_owner<HttpLimits>};

constexpr std::array timeout_fields{
    duration<&Timeouts::request_head>("request_head", milliseconds(100), seconds(600),
                                      "From the first byte of a request head to its end; at most "
                                      "1s for one over 2KiB while buffers are scarce."),
    duration<&Timeouts::idle>("idle", milliseconds(100), seconds(86'400),
                              "Between two requests on a connection."),
    duration<&Timeouts::stall>("stall", milliseconds(100), seconds(3'600),
                               "How long a peer may neither send nor take bytes mid-message; at "
                               "most 5s while buffers are scarce.")};
constexpr Table timeouts_table{.title = "Timeouts towards clients",
                               .path = "listeners[].timeouts",
                               .sentence = "What takes longer is closed.",
                               .fields = timeout_fields,
                               .make = make_owner<Timeouts>};

constexpr std::array pool_modes{
    word_for("session", PoolMode::session, "until it leaves"),
    word_for("transaction", PoolMode::transaction, "until its transaction ends")};

constexpr std::array postgres_listener_fields{
    choice<&PostgresListener::mode>("mode", pool_modes, not_required,
                                    "For how long a client has a connection to the target."),
    flag<&PostgresListener::passwords_from_loopback>(
        "passwords_from_loopback",
        "Whether a client on the same host may send its key as a password, when its subject "
        "has no SCRAM verifier. Inside of TLS every client may."),
    flag<&PostgresListener::cancels_in_clear>(
        "cancels_in_clear",
        "Whether cancel requests are taken in clear where `tls` is set, as libpq sends them before "
        "version 17."),
    size<&PostgresListener::statement_bytes_max>(
        "statement", 1024, statement_bytes_limit,
        "The text of one statement; a longer one is refused."),
    duration<&PostgresListener::login_timeout>("login", milliseconds(100), seconds(600),
                                               "How long the client may take to prove who it is, "
                                               "and the target to let the gateway in. Waiting "
                                               "for a connection to the target is not in it."),
    duration<&PostgresListener::idle_timeout>("idle", seconds(1), seconds(7 * 86'400),
                                              "A session that runs nothing.")};
constexpr Table postgres_listener_table{.title = "A PostgreSQL listener",
                                        .path = "listeners[].postgres",
                                        .sentence = "For `protocol: postgres` only.",
                                        .fields = postgres_listener_fields,
                                        .make = make_owner<PostgresListener>};

constexpr std::array proxy_source_fields{
    needed(texts<&ProxySource::from>("from", Word::network, 256,
                                     "Where the proxies are. Connections from elsewhere are "
                                     "their own client's.")),
    duration<&ProxySource::wait_max>("wait", milliseconds(100), seconds(60),
                                     "How long the header may take to come.")};
constexpr Table proxy_source_table{
    .title = "Proxies in front of a listener",
    .path = "listeners[].proxy_protocol",
    .sentence =
        "A connection from them must begin with a header of the PROXY protocol, version 1 "
        "or 2, which names the client.",
    .fields = proxy_source_fields,
    .make = make_owner<ProxySource>};

constexpr std::array listener_fields{
    text<&Listener::name>("name", Word::name, required,
                          "Names the listener in records and metrics."),
    listen_address<&Listener::address>("address", required,
                                       "Where clients arrive; a numeric IPv4 or IPv6 address."),
    choice<&Listener::protocol>("protocol", protocols, not_required, "What clients speak."),
    text<&Listener::target>("target", Word::name, required, "The target behind the listener."),
    flag<&Listener::via>("via", "Whether requests and responses get a Via field."),
    choice<&Listener::forwarded>("forwarded", forwarded_words, not_required,
                                 "What happens to X-Forwarded-* fields."),
    section<&Listener::http>("limits", http_limits_table, not_required,
                             "How large the parts of a message may be."),
    section<&Listener::postgres>("postgres", postgres_listener_table, not_required,
                                 "What only a PostgreSQL listener has."),
    section<&Listener::timeouts>("timeouts", timeouts_table, not_required,
                                 "How long a client may take."),
    section<&Listener::tls>("tls", listener_tls_table, not_required,
                            "Without it clients speak in clear."),
    section<&Listener::proxy_protocol>("proxy_protocol", proxy_source_table, not_required,
                                       "Proxies that say for whom they speak.")};
constexpr Table listener_table{.title = "A listener",
                               .path = "listeners[]",
                               .sentence = "An address where clients arrive.",
                               .fields = listener_fields,
                               .make = make_owner<Listener>,
                               .place = place_in<Listener>};

// Targets.

constexpr std::array credential_fields{
    text<&TargetCredential::header>("header", Word::injected_header, not_required,
                                    "HTTP: the header field; the client's own is removed."),
    secret<&TargetCredential::value>("value", not_required, "HTTP: the field's whole value."),
    text<&TargetCredential::user>("user", Word::title, not_required, "Databases: the role."),
    secret<&TargetCredential::password>("password", not_required,
                                        "Databases: its password, where one is asked for.")};
constexpr Table credential_table{
    .title = "The credential of a target",
    .path = "targets[].credential",
    .sentence = "What the gateway presents to the target; clients never see it.",
    .fields = credential_fields,
    .make = make_owner<TargetCredential>};

constexpr std::array health_fields{
    text<&HealthCheck::path>("path", Word::url_path, not_required,
                             "Asked with GET; without it only real traffic tells."),
    duration<&HealthCheck::interval>("interval", milliseconds(100), seconds(3'600),
                                     "Between two checks of an address."),
    duration<&HealthCheck::timeout>("timeout", milliseconds(10), seconds(600),
                                    "A check that takes longer has failed."),
    count<&HealthCheck::unhealthy_after>("unhealthy_after", 1, 1000,
                                         "Failures in a row, of checks or traffic."),
    count<&HealthCheck::healthy_after>("healthy_after", 1, 1000,
                                       "Good checks in a row until it is used again."),
    duration<&HealthCheck::ejected_for>(
        "ejected_for", milliseconds(100), seconds(3'600),
        "Without a path: how long an unhealthy address rests before it is tried again.")};
constexpr Table health_table{.title = "The health of a target's addresses",
                             .path = "targets[].health",
                             .sentence = "When an address is left out, and when it returns.",
                             .fields = health_fields,
                             .make = make_owner<HealthCheck>};

constexpr std::array target_timeout_fields{
    duration<&Target::connect_timeout>("connect", milliseconds(10), seconds(600),
                                       "Until a connection stands."),
    duration<&Target::response_timeout>("response", milliseconds(10), seconds(86'400),
                                        "From the request's end to the response's first byte."),
    duration<&Target::idle_timeout>("idle", milliseconds(100), seconds(86'400),
                                    "How long an unused connection is kept.")};
constexpr Table target_timeouts_table{.title = "Timeouts towards a target",
                                      .path = "targets[].timeouts",
                                      .sentence = "What takes longer fails with 504.",
                                      .fields = target_timeout_fields,
                                      .make = make_owner<Target>};

constexpr std::array pool_queue_fields{
    duration<&PoolQueue::wait_max>("wait", milliseconds(1), seconds(3'600),
                                   "How long a session may wait; then it ends."),
    count<&PoolQueue::sessions_max>("sessions", 1, 1'000'000,
                                    "How many may wait, per worker; others end at once.")};
constexpr Table pool_queue_table{
    .title = "The queue for a target's connections",
    .path = "targets[].queue",
    .sentence = "For PostgreSQL listeners in `mode: transaction`; first come, first served.",
    .fields = pool_queue_fields,
    .make = make_owner<PoolQueue>};

constexpr Field target_addresses = [] {
  Field field = value<&Target::addresses>(
      "addresses", Field::Kind::target_addresses, required,
      "Where the target is; names are resolved when the configuration is loaded.");
  field.items_max = 64;
  return field;
}();

constexpr std::array proxy_headers{word_for("off", ProxyHeader::off, "It is not told."),
                                   word_for("v1", ProxyHeader::v1, "By a line of text."),
                                   word_for("v2", ProxyHeader::v2, "In binary.")};

constexpr std::array target_fields{
    text<&Target::name>("name", Word::name, required,
                        "Names the target in rules, records and metrics."),
    target_addresses,
    section<&Target::credential>("credential", credential_table, not_required,
                                 "What the gateway presents there."),
    section<&Target::health>("health", health_table, not_required,
                             "How broken addresses are found."),
    part("timeouts", target_timeouts_table, "How long the target may take."),
    count<&Target::pool_connections_max>("connections", 1, 65'536,
                                         "Connections per worker, busy and idle."),
    section<&Target::queue>("queue", pool_queue_table, not_required,
                            "What happens when all connections are in use."),
    choice<&Target::proxy_protocol>("proxy_protocol", proxy_headers, not_required,
                                    "Whether each connection begins by saying for which client "
                                    "it is. No two clients share one then."),
    word_or_section<&Target::tls>("tls", target_tls_words, target_tls_table,
                                  "HTTP only. Without it the target is spoken to in clear.")};
constexpr Table target_table{.title = "A target",
                             .path = "targets[]",
                             .sentence = "A system behind the gateway.",
                             .fields = target_fields,
                             .make = make_owner<Target>,
                             .place = place_in<Target>};

// Policies.

constexpr std::size_t list_items_max = 1024;

constexpr std::array principal_fields{
    texts<&PrincipalMatch::subjects>("subjects", Word::subject, list_items_max,
                                     "Subjects; `\"*\"` is everyone with a credential."),
    texts<&PrincipalMatch::groups>("groups", Word::subject, list_items_max,
                                   "Groups; membership in one is enough."),
    flag<&PrincipalMatch::anonymous>("anonymous", "Also those without a credential.")};
constexpr Table principal_table{
    .title = "The principals of a rule",
    .path = "policies[].principals",
    .sentence =
        "A principal matches when any entry names it. Without this section an allow rule "
        "matches everyone with a credential, a deny rule everyone.",
    .fields = principal_fields,
    .make = make_owner<PrincipalMatch>};

constexpr std::array header_fields{
    text<&HeaderMatch::name>("name", Word::header_name, required, "The field's name, in any case."),
    text<&HeaderMatch::pattern>("pattern", Word::expression, required,
                                "A regular expression, searched in the field's value.")};
constexpr Table header_table{.title = "A header condition",
                             .path = "policies[].operations.http.headers[]",
                             .sentence = "A header field that must be there.",
                             .fields = header_fields,
                             .make = make_owner<HeaderMatch>};

constexpr std::array http_match_fields{
    texts<&HttpMatch::methods>("methods", Word::method, 64, "Methods, case-sensitive."),
    texts<&HttpMatch::paths>(
        "paths", Word::path_glob, list_items_max,
        "Globs on the normalised path: `*` within a segment, `**` across segments."),
    sections<&HttpMatch::headers>("headers", header_table, 32, not_required,
                                  "Header conditions; all must match."),
    texts<&HttpMatch::body>("body", Word::expression, list_items_max,
                            "Regular expressions on the request body; any must match.")};
constexpr Table http_match_table{.title = "The HTTP operations of a rule",
                                 .path = "policies[].operations.http",
                                 .sentence = "A request matches when every key given here matches.",
                                 .fields = http_match_fields,
                                 .make = make_owner<HttpMatch>};

constexpr std::array sql_match_fields{
    texts<&SqlMatch::classes>("classes", Word::sql_class, 64,
                              "What statements do, such as `select` or `delete`."),
    texts<&SqlMatch::relations>("relations", Word::sql_name, list_items_max,
                                "Tables and views: `schema.name` or `name`, `*` for any."),
    texts<&SqlMatch::columns>("columns", Word::sql_column, list_items_max,
                              "Columns that are read or written: `table.column` or "
                              "`schema.table.column`, `*` for any."),
    texts<&SqlMatch::functions>("functions", Word::sql_name, list_items_max,
                                "Functions that are called, written likewise."),
    texts<&SqlMatch::patterns>("patterns", Word::expression, list_items_max,
                               "Regular expressions on the statement's text, for rules that do not "
                               "allow on parameters too; any must match."),
    flag<&SqlMatch::without_where>("without_where",
                                   "An UPDATE or DELETE that no condition limits."),
    flag<&SqlMatch::multi>("multi", "Several statements in one text."),
    flag<&SqlMatch::unparsed>("unparsed", "A text that the gateway does not understand.")};
constexpr Table sql_match_table{.title = "The SQL statements of a rule",
                                .path = "policies[].operations.sql",
                                .sentence =
                                    "An allow rule covers a statement when each key given here "
                                    "covers all that it does; another rule matches when each key "
                                    "names something that it does.",
                                .fields = sql_match_fields,
                                .make = make_owner<SqlMatch>};

constexpr std::array operation_fields{
    section<&PolicyRule::http>("http", http_match_table, not_required, "HTTP requests."),
    later("patterns", "Patterns of any protocol."),
    section<&PolicyRule::sql>("sql", sql_match_table, not_required, "SQL statements."),
    later("ssh", "SSH commands."),
    later("kubernetes", "Kubernetes API calls."),
    later("mcp", "MCP tool calls.")};
constexpr Table operation_table{.title = "The operations of a rule",
                                .path = "policies[].operations",
                                .sentence =
                                    "Without this section a rule is about every operation; "
                                    "with it, about those of the protocols named.",
                                .fields = operation_fields,
                                .make = make_owner<PolicyRule>};

constexpr std::array execution_limit_fields{
    count<&ExecutionLimits::rows_max>("max_rows", 0, 1'000'000'000'000,
                                      "Rows that one execution may bring; 0: any number."),
    size<&ExecutionLimits::bytes_max>("max_bytes", 0, std::uint64_t{1} << 50,
                                      "Bytes of rows that it may bring; 0: any number."),
    rate<&ExecutionLimits::rate>(
        "rate", "Executions that each principal may begin, per worker; without it any number."),
    count<&ExecutionLimits::burst>(
        "burst", 0, 1'000'000, "How many of them may come at once; 0: what one second brings.")};
constexpr Table execution_limits_table{.title = "The limits of a rule",
                                       .path = "policies[].limits",
                                       .sentence =
                                           "What the SQL statements that an allow rule covers "
                                           "may bring. Of several rules that allow a statement "
                                           "the strictest limit counts. See docs/policy.md.",
                                       .fields = execution_limit_fields,
                                       .make = make_owner<ExecutionLimits>};

constexpr std::array rulings{word_for("allow", RulingKind::allow, "let it pass"),
                             word_for("deny", RulingKind::deny, "refuse it"),
                             word_for("hold", RulingKind::hold, "park it until people decide")};

constexpr std::array hold_modes{
    word_for("wait", HoldMode::wait, "on its connection"),
    word_for("ticket", HoldMode::ticket, "it gets 202 and comes again with `Sluice-Request`")};

constexpr std::array approval_fields{
    needed(
        texts<&Approval::by_groups>("by_groups", Word::subject, 16, "Whose members may decide.")),
    count<&Approval::distinct>("distinct", 1, 16,
                               "How many different people must agree, never the one who asks."),
    flag<&Approval::all_groups>("all_groups",
                                "So many of each group, and nobody counts for two of them."),
    duration<&Approval::expires>("expires", seconds(1), seconds(86'400),
                                 "Undecided by then, the operation is refused."),
    flag<&Approval::reason_required>("reason_required", "Whether who decides must say why."),
    texts<&Approval::break_glass>("break_glass", Word::subject, 16,
                                  "Whose members may run it alone and at once, also who asks, "
                                  "saying why; somebody of `by_groups` must review that. Without "
                                  "it nobody."),
    choice<&Approval::mode>("mode", hold_modes, not_required, "How an HTTP client waits."),
    duration<&Approval::wait>("wait", milliseconds(0), seconds(86'400),
                              "How long an HTTP client waits on its connection; 0: `expires`."),
    duration<&Approval::valid_for>("valid_for", seconds(1), seconds(86'400),
                                   "How long an approved ticket may be used."),
    count<&Approval::uses>("uses", 1, 1'000, "How often an approved ticket may be used.")};
constexpr Table approval_table{.title = "The approval of a rule",
                               .path = "policies[].approval",
                               .sentence =
                                   "Who must agree before what the rule holds may run. Where "
                                   "several rules hold a statement, each must be satisfied. See "
                                   "docs/approvals.md.",
                               .fields = approval_fields,
                               .make = make_owner<Approval>};

constexpr std::array record_modes{
    word_for("operations", RecordMode::operations, "its records, which there always are"),
    word_for("full", RecordMode::full, "what went to and fro, too; needs `recordings`")};

constexpr std::array rule_fields{
    text<&PolicyRule::name>("name", Word::title, required,
                            "Names the rule in refusals and records."),
    section<&PolicyRule::principals>("principals", principal_table, not_required,
                                     "Who the rule is about."),
    texts<&PolicyRule::targets>("targets", Word::name, list_items_max,
                                "Names of targets; without it all."),
    part("operations", operation_table, "What the rule is about."),
    choice<&PolicyRule::ruling>("ruling", rulings, required, "What happens to a match."),
    text<&PolicyRule::reason>("reason", Word::sentence, not_required,
                              "Shown to the refused client."),
    section<&PolicyRule::limits>("limits", execution_limits_table, not_required,
                                 "How much of a database it allows at once."),
    choice<&PolicyRule::record>("record", record_modes, not_required,
                                "What is kept of what it allows."),
    section<&PolicyRule::approval>("approval", approval_table, not_required,
                                   "Who decides; for `ruling: hold`.")};
constexpr Table rule_table{.title = "A policy rule",
                           .path = "policies[]",
                           .sentence =
                               "The strictest matching rule decides, whatever its place; "
                               "nothing is allowed without one. See docs/policy.md.",
                           .fields = rule_fields,
                           .make = make_owner<PolicyRule>,
                           .place = place_in<PolicyRule>};

// Masks.

constexpr std::array finders{Choice{"payment-card", 0, "13 to 19 digits that pass Luhn"},
                             Choice{"iban", 0, "with checksum"},
                             Choice{"us-ssn", 0, ""},
                             Choice{"email", 0, ""},
                             Choice{"phone", 0, ""},
                             Choice{"jwt", 0, ""},
                             Choice{"aws-key", 0, ""},
                             Choice{"bearer-token", 0, ""},
                             Choice{"ip", 0, ""}};

constexpr std::array find_fields{
    texts<&MaskFind::builtins>("builtins", Word::builtin, list_items_max, "Built-in finders."),
    texts<&MaskFind::patterns>("patterns", Word::expression, list_items_max,
                               "Regular expressions; a match within one value."),
    texts<&MaskFind::json>("json", Word::json_path, list_items_max,
                           "Paths such as `$.card.number`, `$..cvv`, `$.items[*].pan`."),
    texts<&MaskFind::form>("form", Word::title, list_items_max, "Names of form fields."),
    texts<&MaskFind::headers>("headers", Word::header_name, list_items_max,
                              "Names of header fields; the whole value."),
    texts<&MaskFind::columns>("columns", Word::sql_column, list_items_max,
                              "Columns of SQL results, wherever a query takes them from: "
                              "`table.column` or `schema.table.column`, `*` for any.")};
constexpr Table find_table{.title = "What a mask finds",
                           .path = "masks[].find",
                           .sentence =
                               "Any of these is a match. `find: builtin:NAME` and "
                               "`find: [builtin:NAME, …]` are short for `builtins`.",
                           .fields = find_fields,
                           .make = make_owner<MaskFind>};

constexpr std::array partial_fields{
    count<&MaskShow::first>("first", 0, 32, "Letters or digits kept at the start."),
    count<&MaskShow::last>("last", 0, 32, "Letters or digits kept at the end.")};
constexpr Table partial_table{.title = "A partial mask",
                              .path = "masks[].show.partial",
                              .sentence = "Everything between becomes `*`.",
                              .fields = partial_fields,
                              .make = make_owner<MaskShow>};

constexpr std::array shows{
    word_for("redact", MaskShowKind::redact, "the fixed text `[redacted]`"),
    word_for("hash", MaskShowKind::hash, "a keyed hash, equal for equal values; needs `mask_key`")};

constexpr Field partial = [] {
  Field field = part("partial", partial_table, "Keeps the first and last characters.");
  field.open = [](void* owner) {
    static_cast<MaskShow*>(owner)->kind = MaskShowKind::partial;
    return owner;
  };
  return field;
}();
constexpr std::array show_fields{partial, later("tokenize", "Format-preserving tokens.")};
constexpr Table show_table{.title = "How a mask shows a value",
                           .path = "masks[].show",
                           .sentence = "One of the words, or `partial`.",
                           .fields = show_fields,
                           .make = make_owner<MaskShow>};

constexpr Field mask_find = [] {
  Field field =
      value<&Mask::find>("find", Field::Kind::builtins_or_section, required, "What is masked.");
  field.table = &find_table;
  return field;
}();
constexpr Field mask_show = [] {
  Field field = value<&Mask::show>("show", Field::Kind::choice_or_section, not_required,
                                   "What stands in its place.");
  field.get = [](const void* owner) {
    return static_cast<std::uint64_t>(static_cast<const Mask*>(owner)->show.kind);
  };
  field.set = [](void* owner, std::uint64_t number) {
    static_cast<Mask*>(owner)->show.kind = static_cast<MaskShowKind>(number);
  };
  field.choices = shows;
  field.table = &show_table;
  return field;
}();

constexpr std::array derived_words{
    word_for("mask", MaskDerived::mask, "nothing: all of the value is masked"),
    word_for("refuse", MaskDerived::refuse, "the statement is refused"),
    word_for("allow", MaskDerived::allow, "the value as it is")};

constexpr std::array directions{
    word_for("response", MaskDirection::response, "what comes back"),
    word_for("request", MaskDirection::request, "what is sent to the target"),
    word_for("both", MaskDirection::both, "both")};

constexpr std::array mask_fields{
    text<&Mask::name>("name", Word::title, required, "Names the mask in records."),
    mask_find,
    mask_show,
    choice<&Mask::derived>("derived", derived_words, not_required,
                           "What an expression over a masked column shows."),
    choice<&Mask::on>("on", directions, not_required, "Which way the bytes go."),
    texts<&Mask::targets>("targets", Word::name, list_items_max,
                          "Names of targets; without it all."),
    texts<&Mask::except_groups>("except_groups", Word::subject, list_items_max,
                                "Members of these groups see the value.")};
constexpr Table mask_table{.title = "A mask",
                           .path = "masks[]",
                           .sentence = "A sensitive value and how it is shown.",
                           .fields = mask_fields,
                           .make = make_owner<Mask>,
                           .place = place_in<Mask>};

// The gateway itself.

constexpr std::array admin_roles_fields{
    texts<&AdminRoles::admin>("admin", Word::subject, 64,
                              "May do all: reload, drain, kill sessions, revoke tokens."),
    texts<&AdminRoles::approver>("approver", Word::subject, 64,
                                 "May see requests and decide on those whose rules name them."),
    texts<&AdminRoles::auditor>("auditor", Word::subject, 64, "May read all, and change nothing."),
    texts<&AdminRoles::viewer>("viewer", Word::subject, 64,
                               "May see how the gateway fares, and who is connected.")};
constexpr Table admin_roles_table{
    .title = "Roles",
    .path = "admin.roles",
    .sentence =
        "Groups of principals; `unix-group:NAME` and `unix-user:NAME` are those of the host, for "
        "the admin socket. Root and the gateway's own user are always `admin` there.",
    .fields = admin_roles_fields,
    .make = make_owner<AdminRoles>};

constexpr std::array admin_listen_fields{
    listen_address<&AdminListen::address>("address", required, "Where it listens."),
    file_text<&AdminListen::certificate>(
        "certificate", required,
        "As PEM, with the certificates that lead to its authority behind it."),
    file_text<&AdminListen::key>("key", required, "Its private key as PEM, without a passphrase."),
    count<&AdminListen::connections_max>("connections", 1, 256,
                                         "Connections served at a time, each by a thread; others "
                                         "wait in the kernel's queue."),
    count<&AdminListen::connections_per_source_max>(
        "connections_per_source", 1, 256,
        "Those of one address, or of one IPv6 network of 64 bits; more are closed."),
    duration<&AdminListen::timeout>("timeout", milliseconds(100), seconds(60),
                                    "For handshake and request together, and again until the "
                                    "answer is taken.")};
constexpr Table admin_listen_table{
    .title = "The control API over TLS",
    .path = "admin.listen",
    .sentence =
        "TLS 1.2 and 1.3. Who calls is whom the Authorization field proves: see "
        "docs/control_api.md.",
    .fields = admin_listen_fields,
    .make = make_owner<AdminListen>};

constexpr std::array admin_fields{
    text<&Admin::socket>("socket", Word::file_path, not_required, "The admin socket's path."),
    text<&Admin::socket_group>(
        "socket_group", Word::name, not_required,
        "A group of the host whose members may open the socket; what they may do there `roles` "
        "says. Without it only the gateway's own user and root may."),
    listen_address<&Admin::tcp>(
        "tcp", not_required,
        "A loopback address that serves /livez, /readyz and /metrics, to read only; "
        "without it none."),
    section<&Admin::listen>("listen", admin_listen_table, not_required,
                            "Where the control API is reached over TLS; without it nowhere."),
    section<&Admin::roles>("roles", admin_roles_table, not_required,
                           "Who may do what by the control API.")};
constexpr Table admin_table{
    .title = "The admin interface",
    .path = "admin",
    .sentence = "The control API: who may see and steer the gateway, and where.",
    .fields = admin_fields,
    .make = make_owner<Admin>};

constexpr std::array approvals_fields{
    text<&Approvals::store>("store", Word::file_path, not_required,
                            "The file of requests and decisions; without it beside the log."),
    count<&Approvals::held_max>("held", 1, 100'000,
                                "Operations that may wait at once; others are refused."),
    count<&Approvals::held_per_principal_max>("held_per_principal", 1, 100'000,
                                              "Those of one principal.")};
constexpr Table approvals_table{.title = "Approvals",
                                .path = "approvals",
                                .sentence = "Operations that wait for people.",
                                .fields = approvals_fields,
                                .make = make_owner<Approvals>};

constexpr std::array worker_fields{
    count<&Workers::count>("count", 0, 1024, "Worker threads; 0 is one per available core."),
    flag<&Workers::pin>("pin", "Whether each worker stays on one core."),
    count<&Workers::connections_max>("connections", 16, 1'048'576,
                                     "Connections per worker, clients and targets together."),
    size<&Workers::buffer_bytes>("buffers", 1 << 20, std::uint64_t{2} << 30,
                                 "Receive buffers per worker."),
    flag<&Workers::kernel_tls>("kernel_tls",
                               "Whether the kernel makes TLS records, and opens those of TLS 1.2, "
                               "where it can (Linux's module tls).")};
constexpr Table worker_table{.title = "Workers",
                             .path = "workers",
                             .sentence = "Threads that carry connections.",
                             .fields = worker_fields,
                             .make = make_owner<Workers>};

constexpr Field version{.key = "version",
                        .kind = Field::Kind::version,
                        .is_required = true,
                        .sentence = "The version of this format: 1."};

constexpr Field policies_section =
    sections<&Settings::policies>("policies", rule_table, 20'000, not_required,
                                  "Who may do what; without a rule nothing is allowed.");
constexpr Field masks_section = sections<&Settings::masks>(
    "masks", mask_table, masks_max, not_required, "Values that must not be seen.");

constexpr std::array root_fields{
    version,
    sections<&Settings::listeners>("listeners", listener_table, 256, required,
                                   "Addresses where clients arrive."),
    sections<&Settings::targets>("targets", target_table, 1024, required,
                                 "Systems behind the gateway."),
    section<&Settings::identity>("identity", identity_table, not_required,
                                 "How callers prove who they are."),
    policies_section,
    masks_section,
    secret<&Settings::mask_hash_key>("mask_key", not_required,
                                     "Key of masks that hash; at least 32 bytes."),
    section<&Settings::audit>("audit", audit_table, required, "The signed log."),
    section<&Settings::recordings>("recordings", recordings_table, not_required,
                                   "What sessions did, encrypted to auditors."),
    section<&Settings::approvals>("approvals", approvals_table, not_required,
                                  "Operations that wait for people."),
    section<&Settings::notifications>("notifications", notifications_table, not_required,
                                      "Who is told of them."),
    section<&Settings::admin>("admin", admin_table, not_required, "Where operators talk to it."),
    section<&Settings::workers>("workers", worker_table, not_required, "Threads and memory."),
    duration<&Settings::drain_timeout>("drain_timeout", seconds(0), seconds(86'400),
                                       "How long open requests may take after SIGTERM.")};
constexpr Table root{.title = "The file",
                     .path = "",
                     .sentence = "The top level of `sluice.yaml`.",
                     .fields = root_fields,
                     .make = make_owner<Settings>};

constexpr std::array rules_fields{policies_section, masks_section};
constexpr Table rules{.title = "Rules",
                      .path = "",
                      .sentence = "What says who may do what, and what is masked.",
                      .fields = rules_fields,
                      .make = make_owner<Settings>};

}  // namespace

const Table& root_table() {
  return root;
}
const Table& rules_table() {
  return rules;
}
std::span<const Choice> builtin_finders() {
  return finders;
}

}  // namespace sluice::config
