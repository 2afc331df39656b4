// sluice evidence: a time range of the audit log in one file, for an auditor.
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/output_file.h"
#include "cli/packing.h"
#include "cli/record_query.h"
#include "cli/signer.h"
#include "cli/steering.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "control/api/target.h"

namespace sluice::cli {
namespace {

using control::api::EvidenceQuestion;
using Json = nlohmann::ordered_json;

constexpr std::string_view verb = "evidence";
constexpr std::size_t piece_bytes = 256 << 10;

ExitCode complain_of(const Error& error, ExitCode code = ExitCode::failed) {
  return complain(verb, error.message, code);
}

/// errors   words for the operator.
Result<EvidenceQuestion> question_of(const EvidenceOptions& options, WallTime now) {
  const QueryWords& words = options.query;
  const auto query = parse_query(words, now);
  if (!query) return tl::unexpected(query.error());
  const auto time = [](std::uint64_t ns) { return WallTime{static_cast<std::int64_t>(ns)}; };
  EvidenceQuestion out;
  if (!words.from.empty()) out.from = time(query->from_ns);
  if (!words.until.empty()) out.until = time(query->until_ns);
  if (out.from && out.until && *out.until <= *out.from) return fail("--to is not behind --from");
  out.subject = words.principal;
  out.target = words.target;
  out.session = words.session;
  out.has_recordings = !options.without_recordings;
  for (const std::string& line : options.recipients) {
    const auto recipient = audit::AgeRecipient::parse(line);
    if (!recipient) return fail("--encrypt-to: " + recipient.error().message);
    out.recipients.push_back(*recipient);
  }
  return out;
}

void say_how_to_open(const EvidenceOptions& options) {
  if (!options.recipients.empty()) {
    fmt::print("open it with: age -d -i IDENTITY {}\n", options.output);
    return;
  }
  fmt::print("verify it with: sluice verify {0}, or python3 verify.py {0}, which is inside\n",
             options.output);
}

void print(const EvidenceOptions& options, const evidence::PackageSummary& made) {
  if (options.json) {
    const Json page{{"package", options.output},
                    {"first_record", made.first_record},
                    {"end_record", made.end_record},
                    {"records_shown", made.records_shown},
                    {"log_records", made.log_records}};
    fmt::print("{}\n", page.dump());
    return;
  }
  fmt::print("{}: {} of {} in the log\n", options.output,
             counted(made.end_record - made.first_record, "record"), made.log_records);
  if (made.records_shown != made.end_record - made.first_record) {
    fmt::print("{} shown, of the others only hashes\n", counted(made.records_shown, "record"));
  }
  say_how_to_open(options);
}

Result<void> copy(const evidence::NamelessFile& from, OutputFile& to) {
  for (std::uint64_t at = 0; at < from.bytes();) {
    const auto piece = from.read(at, piece_bytes);
    if (!piece) return tl::unexpected(piece.error());
    if (auto done = to.append(as_bytes(*piece)); !done) return done;
    at += piece->size();
  }
  return to.finish();
}

/// Of the log that the configuration names.
ExitCode make(const EvidenceOptions& options, const EvidenceQuestion& question, WallTime now) {
  const auto settings = load_settings(verb, options.gateway.configuration);
  if (!settings) return ExitCode::bad_configuration;
  auto package = package_options(*settings, question, now);
  if (!package) return complain_of(package.error());
  package->place.folder = std::filesystem::path(options.output).parent_path();
  auto key = open_signing_key(settings->audit);
  if (!key) return complain_of(key.error());
  audit::LocalSigner signer(std::move(*key));
  auto output = OutputFile::begin(options.output);
  if (!output) return complain_of(output.error());
  const auto made = evidence::make_package(*package, signer);
  if (!made) return complain_of(made.error());
  if (auto done = copy(made->file, *output); !done) return complain_of(done.error());
  print(options, made->summary);
  return ExitCode::ok;
}

/// As the control API has it.
std::string target_of(const EvidenceOptions& options, const EvidenceQuestion& question) {
  constexpr std::size_t decimals = 9;
  std::string out = "/v1/evidence";
  const auto add = [&out](std::string_view name, std::string_view value) {
    out += fmt::format("{}{}={}", out.find('?') == out.npos ? '?' : '&', name,
                       control::api::escaped(value));
  };
  if (question.from) add("from", timestamp_text(*question.from, decimals));
  if (question.until) add("until", timestamp_text(*question.until, decimals));
  if (!question.subject.empty()) add("subject", question.subject);
  if (!question.target.empty()) add("target", question.target);
  if (question.session) add("session", std::to_string(*question.session));
  if (!question.has_recordings) add("recordings", "false");
  for (const std::string& line : options.recipients) add("encrypt_to", line);
  return out;
}

/// Made and signed by the gateway.
ExitCode fetch(const EvidenceOptions& options, const EvidenceQuestion& question) {
  auto output = OutputFile::begin(options.output);
  if (!output) return complain_of(output.error());
  std::uint64_t bytes = 0;
  const auto reply =
      fetch_from_gateway(verb, options.gateway, {.target = target_of(options, question)},
                         {.sink =
                              [&](ByteView piece) {
                                bytes += piece.size();
                                return output->append(piece);
                              },
                          .first = {Packing::time_max.ns + seconds(60).ns}});
  if (reply.code != ExitCode::ok) return reply.code;
  if (auto done = output->finish(); !done) return complain_of(done.error());
  if (options.json) {
    fmt::print("{}\n", Json{{"package", options.output}, {"bytes", bytes}}.dump());
    return ExitCode::ok;
  }
  fmt::print("{}: {}\n", options.output, counted(bytes, "byte"));
  say_how_to_open(options);
  return ExitCode::ok;
}

}  // namespace

ExitCode perform(const EvidenceOptions& options) {
  const WallTime now = wall_now();
  const auto question = question_of(options, now);
  if (!question) return complain_of(question.error(), ExitCode::usage);
  return options.gateway.is_said() ? fetch(options, *question) : make(options, *question, now);
}

}  // namespace sluice::cli
