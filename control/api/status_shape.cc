// What /v1/status shows; control/status.cc writes it.
#include <array>

#include "control/api/shapes.h"

namespace sluice::control::api {
namespace {

using Kind = Member::Kind;

constexpr Member counted(std::string_view name, std::string_view sentence) {
  return {.name = name, .kind = Kind::count, .sentence = sentence};
}
constexpr Member measured(std::string_view name, std::string_view sentence) {
  return {.name = name, .kind = Kind::number, .sentence = sentence};
}
constexpr Member part(std::string_view name, const Shape& shape, std::string_view sentence) {
  return {.name = name, .kind = Kind::object, .sentence = sentence, .shape = &shape};
}
constexpr Member parts(std::string_view name, const Shape& shape, std::string_view sentence) {
  return {.name = name, .kind = Kind::objects, .sentence = sentence, .shape = &shape};
}

constexpr std::array listener_members{
    Member{.name = "name", .sentence = "Its name."},
    Member{.name = "address", .sentence = "Where it listens."},
    Member{.name = "target", .sentence = "Where it leads."},
    Member{.name = "protocol", .sentence = "That it speaks.", .words = protocol_words},
    Member{.name = "tls", .kind = Kind::flag, .sentence = "It speaks it in TLS."}};

constexpr std::array connections_members{counted("clients", "Open, of clients."),
                                         counted("upstreams", "Open, to targets."),
                                         counted("accepted", "Of clients since the start."),
                                         counted("refused", "For want of room since the start.")};
constexpr Shape connections_shape{
    .name = "Connections", .sentence = "Connections.", .members = connections_members};

constexpr std::array operations_members{
    counted("allowed", "Allowed."), counted("denied", "Denied by a rule, or for want of one."),
    counted("unauthenticated", "Of whom nobody was proved."),
    counted("malformed", "Not understood."),
    counted("unavailable", "Allowed, with no target to take them.")};
constexpr Shape operations_shape{
    .name = "Operations", .sentence = "Operations since the start.", .members = operations_members};

constexpr std::array tls_members{
    counted("handshakes", "That went well since the start."),
    Member{.name = "kernel",
           .kind = Kind::flag,
           .sentence = "The kernel is given the keys of what is sent."},
    counted("by_kernel", "Connections whose records the kernel makes."),
    Member{.name = "kernel_receives",
           .kind = Kind::flag,
           .sentence = "And of what is received in TLS 1.2."},
    counted("received_by_kernel", "Connections whose peers' records the kernel opens.")};
constexpr Shape tls_shape{.name = "Tls", .sentence = "TLS, to both sides.", .members = tls_members};

constexpr std::array latency_members{
    Member{.name = "target", .sentence = "Its name."}, counted("count", "Operations measured."),
    measured("p50", "Half took at most so many µs."), measured("p99", "99 of 100, likewise."),
    measured("max", "The longest, in µs.")};
constexpr Shape latency_shape{.name = "Latency",
                              .sentence = "How long operations on a target took since the start.",
                              .members = latency_members};

constexpr std::array audit_members{
    counted("records", "Written since the start."),
    counted("recovered", "Found at the start."),
    counted("checkpoints", "Signed since the start."),
    counted("bytes", "Written since the start."),
    counted("failures", "Times that the log could not be written."),
    counted("refused", "Records that it did not take."),
    Member{.name = "failure", .sentence = "Why nothing is released now; empty: it is well."}};
constexpr Shape audit_shape{
    .name = "AuditLog", .sentence = "The audit log.", .members = audit_members};

constexpr std::array retention_members{
    counted("removed_segments", "Removed since the start."),
    counted("removed_records", "In them."),
    counted("failures", "Attempts that failed."),
    counted("legal_holds", "In force."),
    counted("held_segments", "That would have gone but for them."),
    counted("awaited_segments", "That would have gone but for an export.")};
constexpr Shape retention_shape{
    .name = "Retention", .sentence = "What became of old records.", .members = retention_members};

constexpr std::array export_members{
    Member{.name = "name", .sentence = "Its name."},
    counted("exported", "Records that arrived."),
    measured("lag_seconds", "Age of the oldest that did not."),
    counted("failures", "Attempts that failed."),
    Member{.name = "last_error", .sentence = "Empty when the last attempt went well."},
    Member{.name = "stopped", .kind = Kind::flag, .sentence = "It waits for a reload."}};
constexpr Shape export_shape{
    .name = "Export", .sentence = "An export of the audit log.", .members = export_members};

constexpr std::array issuer_members{
    Member{.name = "name", .sentence = "Its name."},
    Member{.name = "issuer", .sentence = "Its URL."},
    counted("keys", "That tokens are proved by."),
    counted("skipped", "Keys that are of no use."),
    measured("age_seconds", "Since they were fetched."),
    counted("fetches", "That went well."),
    counted("failures", "That did not."),
    Member{.name = "last_error", .sentence = "Empty when the last fetch went well."}};
constexpr Shape issuer_shape{
    .name = "Issuer", .sentence = "A provider of OpenID Connect.", .members = issuer_members};

constexpr std::array webhook_members{
    Member{.name = "name", .sentence = "Its name."},
    counted("pending", "Deliveries that have not arrived."),
    counted("delivered", "That arrived since the start."),
    counted("failures", "Attempts that failed."),
    counted("given_up", "Deliveries that are not tried any more."),
    Member{.name = "last_error", .sentence = "Empty when the last attempt went well."}};
constexpr Shape webhook_shape{
    .name = "Webhook", .sentence = "Who is told of requests.", .members = webhook_members};

constexpr std::array recordings_members{
    counted("open", "That are being made."),
    counted("chunks", "Written since the start."),
    counted("bytes", "Written since the start."),
    counted("total_bytes", "Of all there are."),
    counted("backlog_bytes", "On their way from workers."),
    counted("failures", "Attempts to write a chunk that failed."),
    Member{.name = "full", .kind = Kind::flag, .sentence = "Nothing new is recorded."},
    counted("removed", "Recordings that were removed since the start."),
    counted("removal_failures", "Attempts at that which failed."),
    counted("held", "Recordings that legal holds keep.")};
constexpr Shape recordings_shape{
    .name = "Recordings", .sentence = "What is recorded in full.", .members = recordings_members};

constexpr std::array state_words{std::string_view("running"), std::string_view("draining")};
constexpr std::array status_members{
    Member{.name = "state", .sentence = "Whether it takes new work.", .words = state_words},
    Member{.name = "version", .sentence = "Of the program."},
    measured("uptime_s", "Seconds since the start."),
    counted("configuration", "The generation in force."),
    counted("reloads", "That went well."),
    counted("reload_failures", "That did not."),
    Member{.name = "last_reload_error", .sentence = "Empty when the last one went well."},
    counted("api_keys", "In force."),
    counted("workers", "Threads that touch traffic."),
    parts("listeners", listener_shape, "Where clients arrive."),
    Member{.name = "control_api",
           .sentence = "Where this interface is reached over TLS; empty: nowhere."},
    part("connections", connections_shape, "Connections."),
    part("requests", operations_shape, "Operations since the start."),
    counted("masks_applied", "Values masked since the start."),
    part("tls", tls_shape, "TLS, to both sides."),
    parts("latency_us", latency_shape, "By target."),
    part("audit", audit_shape, "The audit log."),
    part("retention", retention_shape, "What became of old records."),
    parts("exports", export_shape, "Of the audit log."),
    Member{.name = "recordings",
           .kind = Kind::object,
           .sentence = "What is recorded in full; without it nothing is.",
           .is_required = false,
           .shape = &recordings_shape},
    parts("issuers", issuer_shape, "Providers of OpenID Connect."),
    parts("webhooks", webhook_shape, "Who is told of requests.")};

}  // namespace

const Shape listener_shape{
    .name = "Listener", .sentence = "Where clients arrive.", .members = listener_members};

const Shape status_shape{
    .name = "Status", .sentence = "How the gateway fares.", .members = status_members};

}  // namespace sluice::control::api
