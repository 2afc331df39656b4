#include "control/api/shapes.h"

#include <array>

namespace sluice::control::api {
namespace {

using Kind = Member::Kind;

constexpr std::array problem_members{
    Member{.name = "type", .sentence = "Always about:blank."},
    Member{.name = "title", .sentence = "What the status means."},
    Member{.name = "status", .kind = Kind::count, .sentence = "The status again.", .max = 599},
    Member{.name = "detail", .sentence = "What was wrong, and what to do."}};

constexpr std::array reloaded_members{
    Member{.name = "configuration", .kind = Kind::count, .sentence = "The generation in force."}};
constexpr std::array draining_members{
    Member{.name = "draining", .kind = Kind::flag, .sentence = "Always true."}};

// What would happen.

constexpr std::array policy_question_members{
    Member{.name = "listener", .sentence = "Where it arrives.", .max = 64},
    Member{.name = "subject",
           .sentence = "Who asks; without it nobody is proved.",
           .is_required = false,
           .max = 256},
    Member{.name = "groups",
           .kind = Kind::texts,
           .sentence = "Who asks is in these.",
           .is_required = false,
           .max = 512},
    Member{.name = "method", .sentence = "Of a request.", .is_required = false, .max = 32},
    Member{.name = "path",
           .sentence = "Of the request, with its query.",
           .is_required = false,
           .max = 16384},
    Member{.name = "host",
           .sentence = "Of the request; without it localhost.",
           .is_required = false,
           .max = 256},
    Member{.name = "headers",
           .kind = Kind::texts,
           .sentence = "Of the request, each as \"name: value\".",
           .is_required = false,
           .max = 100},
    Member{.name = "body",
           .sentence = "Of the request; without it nobody knows it.",
           .is_required = false},
    Member{.name = "sql", .sentence = "Or a text of SQL.", .is_required = false},
    Member{.name = "search_path",
           .kind = Kind::texts,
           .sentence = "Schemas of names without one, in order; without it `public`.",
           .is_required = false,
           .max = 64}};
constexpr std::array<std::string_view, 4> told_rulings{"allow", "deny", "hold", "needs-body"};
constexpr std::array<std::string_view, 2> record_words{"full", "operations"};
constexpr std::array policy_answer_members{
    Member{.name = "ruling",
           .sentence = "What would happen; `needs-body` where the body alone can tell.",
           .words = told_rulings},
    Member{.name = "rule", .sentence = "That decides; empty: none does."},
    Member{.name = "reason", .sentence = "For the client; empty: none."},
    Member{.name = "operation",
           .sentence = "As rules see it: the normalised path, or the classes of the text."},
    Member{.name = "record", .sentence = "What would be kept of it.", .words = record_words},
    Member{.name = "masks", .kind = Kind::texts, .sentence = "That what comes back would pass."}};

// What differs, and what would have happened.

constexpr std::uint64_t rules_bytes_max = 256 << 10;

constexpr std::array version_members{
    Member{.name = "digest", .sentence = "SHA-256 in hex, as records have it in `policy`."},
    Member{
        .name = "since",
        .kind = Kind::time,
        .sentence = "When it was first in force, as far as files say; records tell when it was."}};
constexpr Shape version_shape{.name = "PolicyVersion",
                              .sentence = "A configuration that was in force.",
                              .members = version_members};
constexpr std::array versions_members{
    Member{.name = "current", .sentence = "The digest of what is in force."},
    Member{.name = "versions",
           .kind = Kind::objects,
           .sentence = "The newest first.",
           .shape = &version_shape}};
constexpr Member version_member{.name = "version",
                                .sentence = "Whose rules: its digest, or `current`.",
                                .is_required = false,
                                .max = 64};
constexpr Member rules_member{
    .name = "rules",
    .sentence =
        "Instead, YAML with the sections `policies` and `masks`; all others stay as they are "
        "in force. It takes no `${env:NAME}`.",
    .is_required = false,
    .max = rules_bytes_max};
constexpr std::array policy_diff_question_members{
    Member{.name = "before",
           .sentence = "A version's digest; without it `current`.",
           .is_required = false,
           .max = 64},
    Member{.name = "after",
           .sentence = "A version's digest, or `current`.",
           .is_required = false,
           .max = 64},
    rules_member};
constexpr std::array policy_changes_members{Member{
    .name = "changes",
    .kind = Kind::objects,
    .sentence = "As `sluice policy diff --json` prints them: `change` (`added`, `removed` or "
                "`changed`), `section`, `name`, and how it is `before` and `after`.",
    .shape = nullptr}};
constexpr std::array dry_run_question_members{
    version_member,
    rules_member,
    Member{.name = "from",
           .kind = Kind::time,
           .sentence = "Only operations from this time on.",
           .is_required = false},
    Member{.name = "until",
           .kind = Kind::time,
           .sentence = "Only those before this time.",
           .is_required = false},
    Member{.name = "subject",
           .sentence = "Only those of this subject.",
           .is_required = false,
           .max = 1024},
    Member{.name = "target",
           .sentence = "Only those on this target.",
           .is_required = false,
           .max = 64},
    Member{.name = "search_path",
           .kind = Kind::texts,
           .sentence = "Schemas of names without one, in order; without it `public`.",
           .is_required = false,
           .max = 64},
    Member{.name = "after",
           .sentence = "The `next` of the page before.",
           .is_required = false,
           .max = 96}};
constexpr std::array dry_run_members{
    Member{.name = "judged", .kind = Kind::count, .sentence = "Operations on this page."},
    Member{.name = "changed",
           .kind = Kind::count,
           .sentence = "Of them: that would be ruled otherwise."},
    Member{.name = "unsure",
           .kind = Kind::count,
           .sentence = "Of them: whose records do not tell enough."},
    Member{.name = "without_listener",
           .kind = Kind::count,
           .sentence = "Beside them: that came to a listener that is gone."},
    Member{.name = "changes",
           .kind = Kind::objects,
           .sentence = "As `sluice policy dry-run --json` prints them, in groups of what changes "
                       "alike: `listener`, `was` and `would_be` with `ruling` and `rule`, how many "
                       "`operations`, of them `unsure`, and an `example`.",
           .shape = nullptr},
    Member{.name = "next",
           .sentence = "`after` of the page behind; without it there is no record yet.",
           .is_required = false},
    Member{.name = "has_more", .kind = Kind::flag, .sentence = "That page has something."}};

// Targets.

constexpr std::array target_members{
    Member{.name = "target", .sentence = "Its name."},
    Member{.name = "subject",
           .sentence = "Who asks: what a client of PostgreSQL gives as its user."},
    Member{.name = "listeners",
           .kind = Kind::objects,
           .sentence = "That lead to it.",
           .shape = &listener_shape}};

// Sessions.

constexpr std::array session_members{
    Member{.name = "id", .sentence = "Names it; its number in records is behind the dash."},
    Member{.name = "since", .kind = Kind::time, .sentence = "When its client arrived."},
    Member{.name = "state", .sentence = "What it does.", .words = session_states},
    Member{.name = "peer", .sentence = "From which address."},
    Member{.name = "listener", .sentence = "Where it arrived."},
    Member{.name = "target", .sentence = "Where it leads."},
    Member{.name = "protocol", .sentence = "That it speaks.", .words = protocol_words},
    Member{.name = "operations", .kind = Kind::count, .sentence = "That were judged so far."},
    Member{.name = "subject",
           .sentence = "Whom its client proved last; without it nobody yet.",
           .is_required = false},
    Member{.name = "issuer", .sentence = "Who vouched.", .is_required = false},
    Member{.name = "database", .sentence = "Of a database's.", .is_required = false}};
constexpr std::array sessions_members{
    Member{.name = "sessions",
           .kind = Kind::objects,
           .sentence = "Some of them.",
           .shape = &session_shape},
    Member{.name = "next",
           .sentence = "`after` of the next page; without it this is the last.",
           .is_required = false}};

// Records.

constexpr std::array records_members{
    Member{
        .name = "records",
        .kind = Kind::objects,
        .sentence = "As `sluice audit --json` prints them: what a record has depends on its phase.",
        .shape = nullptr},
    Member{
        .name = "next",
        .sentence = "`after` of the page behind, now or later; without it there is no record yet.",
        .is_required = false},
    Member{.name = "has_more", .kind = Kind::flag, .sentence = "That page has something."}};

// Requests for approval.

constexpr std::array principal_members{
    Member{.name = "subject", .sentence = "Who."},
    Member{.name = "issuer", .sentence = "Who vouches."},
    Member{.name = "groups", .kind = Kind::texts, .sentence = "Its groups."},
    Member{.name = "proof", .sentence = "How it was proved."},
    Member{.name = "credential", .sentence = "Names the credential; never the secret."},
    Member{.name = "acting_for",
           .kind = Kind::texts,
           .sentence = "Who acts for the subject, nearest first.",
           .is_required = false}};
constexpr Shape principal_shape{
    .name = "Principal", .sentence = "Somebody who was proved.", .members = principal_members};

constexpr std::array decision_words{std::string_view("approve"), std::string_view("deny"),
                                    std::string_view("break-glass"), std::string_view("review")};
constexpr std::array decision_members{
    Member{.name = "decision", .sentence = "What was decided.", .words = decision_words},
    Member{.name = "at", .kind = Kind::time, .sentence = "When."},
    Member{.name = "who", .kind = Kind::object, .sentence = "By whom.", .shape = &principal_shape},
    Member{.name = "user",
           .kind = Kind::count,
           .sentence = "The user of the host who brought it.",
           .is_required = false},
    Member{.name = "reason", .sentence = "Why.", .is_required = false}};
constexpr Shape decision_shape{
    .name = "Decision", .sentence = "What somebody decided.", .members = decision_members};

constexpr std::array hold_rule_members{
    Member{.name = "rule", .sentence = "Its name."},
    Member{.name = "by_groups", .kind = Kind::texts, .sentence = "Whose members may decide."},
    Member{.name = "distinct", .kind = Kind::count, .sentence = "How many must agree."},
    Member{.name = "all_groups", .kind = Kind::flag, .sentence = "So many of each group."},
    Member{.name = "reason_required", .kind = Kind::flag, .sentence = "Who decides says why."},
    Member{.name = "break_glass",
           .kind = Kind::texts,
           .sentence = "Whose members may run it alone and at once.",
           .is_required = false}};
constexpr Shape hold_rule_shape{
    .name = "HoldRule", .sentence = "A rule that holds.", .members = hold_rule_members};

constexpr std::array request_members{
    Member{.name = "id", .sentence = "Eight characters."},
    Member{.name = "state", .sentence = "How it stands.", .words = request_states},
    Member{.name = "since", .kind = Kind::time, .sentence = "When it was held."},
    Member{.name = "until", .kind = Kind::time, .sentence = "From then on no decision counts."},
    Member{.name = "requester",
           .kind = Kind::object,
           .sentence = "Who asks.",
           .shape = &principal_shape},
    Member{.name = "peer", .sentence = "From which address."},
    Member{.name = "listener", .sentence = "Where it arrived."},
    Member{.name = "target", .sentence = "Where it is to go."},
    Member{.name = "protocol", .sentence = "Of the operation."},
    Member{.name = "verb", .sentence = "Its method, or the classes of its statements."},
    Member{.name = "resource", .sentence = "What it is about, masked."},
    Member{.name = "host", .sentence = "The host, or the database."},
    Member{.name = "rules",
           .kind = Kind::objects,
           .sentence = "That hold it.",
           .shape = &hold_rule_shape},
    Member{.name = "decisions",
           .kind = Kind::objects,
           .sentence = "That count, oldest first.",
           .shape = &decision_shape},
    Member{.name = "binding", .sentence = "The digest that an approval is bound to, in hex."},
    Member{.name = "session", .kind = Kind::count, .sentence = "Its number.", .max = UINT64_MAX},
    Member{.name = "operation", .kind = Kind::count, .sentence = "Its number in the session."},
    Member{.name = "configuration", .kind = Kind::count, .sentence = "That judged it."},
    Member{.name = "ended", .sentence = "How it ended.", .is_required = false}};

constexpr std::array requests_members{Member{
    .name = "requests", .kind = Kind::objects, .sentence = "The newest.", .shape = &request_shape}};
constexpr std::array reason_members{Member{.name = "reason",
                                           .sentence = "Why, for the log and for who asked.",
                                           .is_required = false,
                                           .max = reason_bytes_max}};

// Legal holds.

constexpr std::string_view from_sentence = "From this time on; empty: from the log's beginning.";
constexpr std::string_view until_sentence = "Before this time; empty: until it is released.";
constexpr std::array legal_hold_members{
    Member{.name = "id", .kind = Kind::count, .sentence = "Its number."},
    Member{.name = "from", .sentence = from_sentence},
    Member{.name = "until", .sentence = until_sentence},
    Member{.name = "reason", .sentence = "Why."}};
constexpr std::array new_legal_hold_members{
    Member{.name = "from", .sentence = from_sentence, .is_required = false, .max = 64},
    Member{.name = "until", .sentence = until_sentence, .is_required = false, .max = 64},
    Member{.name = "reason", .sentence = "Why, in one line.", .max = 200}};
constexpr std::array legal_holds_members{Member{.name = "legal_holds",
                                                .kind = Kind::objects,
                                                .sentence = "Those in force.",
                                                .shape = &legal_hold_shape}};

// Recordings.

constexpr std::array recording_members{
    Member{.name = "recording", .sentence = "Its name, as records have it."},
    Member{.name = "open", .kind = Kind::flag, .sentence = "Its session goes on."},
    Member{.name = "chunks", .kind = Kind::count, .sentence = "That it has now."},
    Member{.name = "bytes", .kind = Kind::count, .sentence = "Of them."},
    Member{.name = "first",
           .kind = Kind::time,
           .sentence = "When it begins; without it there is no chunk yet.",
           .is_required = false},
    Member{.name = "last",
           .kind = Kind::time,
           .sentence = "Of the last that is in it.",
           .is_required = false}};
constexpr std::array recordings_members{
    Member{.name = "recordings",
           .kind = Kind::objects,
           .sentence = "Some of them, by name.",
           .shape = &recording_shape},
    Member{.name = "next",
           .sentence = "`after` of the next page; without it this is the last.",
           .is_required = false}};
constexpr std::array chunk_members{
    Member{.name = "chunk", .kind = Kind::count, .sentence = "Its number, from 1."},
    Member{.name = "bytes", .kind = Kind::count, .sentence = "Of its file."},
    Member{.name = "first", .kind = Kind::time, .sentence = "Of the first that is in it."},
    Member{.name = "last", .kind = Kind::time, .sentence = "Of the last."}};
constexpr Shape chunk_shape{
    .name = "Chunk", .sentence = "A part of a recording.", .members = chunk_members};
constexpr std::array recording_detail_members{
    Member{.name = "recording",
           .kind = Kind::object,
           .sentence = "As the list has it.",
           .shape = &recording_shape},
    Member{.name = "chunks",
           .kind = Kind::objects,
           .sentence = "Some of them, in order.",
           .shape = &chunk_shape},
    Member{.name = "next",
           .kind = Kind::count,
           .sentence = "`after` of the next page; without it this is the last.",
           .is_required = false}};
constexpr std::array removal_members{
    Member{.name = "reason", .sentence = "Why, for the log.", .max = reason_bytes_max}};
constexpr std::array removed_members{
    Member{.name = "recording", .sentence = "Its name."},
    Member{.name = "chunks", .kind = Kind::count, .sentence = "That it had."},
    Member{.name = "bytes", .kind = Kind::count, .sentence = "Of them."}};

// Tokens of the gateway's own.

constexpr std::array<std::string_view, 2> sign_in_tokens{"id_token", "access_token"};
constexpr std::array provider_members{
    Member{.name = "name", .sentence = "As the configuration names it."},
    Member{.name = "issuer", .sentence = "Its URL, where its discovery document is."},
    Member{.name = "client_id", .sentence = "A public client of it."},
    Member{.name = "scopes", .kind = Kind::texts, .sentence = "What is to be asked for."},
    Member{.name = "token",
           .sentence = "Which of its tokens proves here who signed in.",
           .words = sign_in_tokens}};
constexpr Shape provider_shape{.name = "SignInProvider",
                               .sentence = "A provider that people sign in with.",
                               .members = provider_members};
constexpr std::array sign_in_members{Member{.name = "providers",
                                            .kind = Kind::objects,
                                            .sentence = "Any of them; none: nobody signs in.",
                                            .shape = &provider_shape}};

constexpr std::array new_token_members{
    Member{.name = "credential",
           .sentence = "An API key, \"login:secret\", or a provider's token: for whom it proves.",
           .is_required = false},
    Member{.name = "subject",
           .sentence = "Instead, for whom; only the operator on the admin socket may say so.",
           .is_required = false,
           .max = 1024},
    Member{.name = "groups",
           .kind = Kind::texts,
           .sentence = "Who is in these; with `subject` only.",
           .is_required = false,
           .max = 256},
    Member{.name = "target",
           .sentence = "That it is to be good for; without it any.",
           .is_required = false,
           .max = 64},
    Member{.name = "lifetime_seconds",
           .kind = Kind::count,
           .sentence = "How long; without it as configured.",
           .is_required = false,
           .max = std::uint64_t{1} << 32}};
constexpr std::array token_members{
    Member{.name = "token", .sentence = "The secret."},
    Member{.name = "id", .sentence = "Names it, in records and to revoke it."},
    Member{.name = "subject", .sentence = "For whom."},
    Member{.name = "groups", .kind = Kind::texts, .sentence = "Who is in these."},
    Member{.name = "expires", .kind = Kind::time, .sentence = "When it is no longer good."},
    Member{.name = "target", .sentence = "That it is good for.", .is_required = false}};
constexpr std::array revoked_members{Member{.name = "revoked", .sentence = "Its id."}};

// API keys.

constexpr std::array key_members{
    Member{.name = "id", .sentence = "Names it, in records and to revoke it."},
    Member{.name = "subject", .sentence = "Whom it proves."},
    Member{.name = "groups", .kind = Kind::texts, .sentence = "Who is in these."},
    Member{.name = "expires",
           .kind = Kind::time,
           .sentence = "When it is no longer good; without it never.",
           .is_required = false},
    Member{.name = "revoked", .kind = Kind::flag, .sentence = "Whether it was taken back."}};
constexpr Shape key_shape{
    .name = "Key", .sentence = "An API key, without its secret.", .members = key_members};
constexpr std::array keys_members{
    Member{.name = "keys",
           .kind = Kind::objects,
           .sentence = "Some of them, by id.",
           .shape = &key_shape},
    Member{.name = "next",
           .sentence = "`after` of the next page; without it this is the last.",
           .is_required = false}};

}  // namespace

const Shape problem_shape{.name = "Problem",
                          .sentence = "Why a call was refused (RFC 9457).",
                          .members = problem_members};
const Shape reloaded_shape{
    .name = "Reloaded", .sentence = "The configuration was taken up.", .members = reloaded_members};
const Shape draining_shape{
    .name = "Draining", .sentence = "The gateway drains.", .members = draining_members};
const Shape policy_question_shape{.name = "PolicyQuestion",
                                  .sentence = "An operation that nobody sends.",
                                  .members = policy_question_members};
const Shape policy_answer_shape{.name = "PolicyAnswer",
                                .sentence = "What policy would say to it.",
                                .members = policy_answer_members};
const Shape versions_shape{.name = "PolicyVersions",
                           .sentence = "Configurations that were in force.",
                           .members = versions_members};
const Shape policy_diff_question_shape{.name = "PolicyDiffQuestion",
                                       .sentence = "Two versions, or one and rules.",
                                       .members = policy_diff_question_members};
const Shape policy_changes_shape{
    .name = "PolicyChanges", .sentence = "What differs.", .members = policy_changes_members};
const Shape dry_run_question_shape{
    .name = "DryRunQuestion",
    .sentence = "Rules, and which recorded operations they are tried on.",
    .members = dry_run_question_members};
const Shape dry_run_shape{.name = "DryRun",
                          .sentence = "What would have been ruled otherwise, of a page of the log.",
                          .members = dry_run_members};
const Shape records_shape{
    .name = "Records", .sentence = "Of the audit log, in its order.", .members = records_members};
const Shape target_shape{
    .name = "Target", .sentence = "How clients reach a target.", .members = target_members};
const Shape sessions_shape{
    .name = "Sessions", .sentence = "Live sessions.", .members = sessions_members};
const Shape session_shape{
    .name = "Session", .sentence = "One client connection.", .members = session_members};
const Shape requests_shape{
    .name = "Requests", .sentence = "Operations that wait, or did.", .members = requests_members};
const Shape request_shape{.name = "Request",
                          .sentence = "An operation that waits for people, or did.",
                          .members = request_members};
const Shape reason_shape{
    .name = "Reason", .sentence = "Why somebody decides so.", .members = reason_members};
const Shape legal_holds_shape{
    .name = "LegalHolds", .sentence = "Legal holds.", .members = legal_holds_members};
const Shape legal_hold_shape{.name = "LegalHold",
                             .sentence = "Times whose records retention keeps.",
                             .members = legal_hold_members};
const Shape new_legal_hold_shape{.name = "NewLegalHold",
                                 .sentence = "Times whose records are to be kept.",
                                 .members = new_legal_hold_members};
const Shape stated_reason_shape{
    .name = "StatedReason", .sentence = "Why, which must be said.", .members = removal_members};
const Shape recordings_shape{
    .name = "RecordingList", .sentence = "What sessions did.", .members = recordings_members};
const Shape recording_shape{
    .name = "Recording", .sentence = "What a session did.", .members = recording_members};
const Shape recording_detail_shape{.name = "RecordingDetail",
                                   .sentence = "A recording with its chunks.",
                                   .members = recording_detail_members};
const Shape removal_shape{
    .name = "Removal", .sentence = "Why something is removed.", .members = removal_members};
const Shape removed_shape{
    .name = "Removed", .sentence = "A recording that was removed.", .members = removed_members};
const Shape sign_in_shape{
    .name = "SignIn", .sentence = "How people sign in.", .members = sign_in_members};
const Shape new_token_shape{.name = "NewToken",
                            .sentence = "A wish for a token: by `credential`, or by `subject`.",
                            .members = new_token_members};
const Shape token_shape{
    .name = "Token", .sentence = "A token of the gateway's own.", .members = token_members};
const Shape revoked_shape{
    .name = "Revoked", .sentence = "What is no longer good.", .members = revoked_members};
const Shape keys_shape{.name = "Keys", .sentence = "API keys.", .members = keys_members};

}  // namespace sluice::control::api
