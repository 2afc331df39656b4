// sluice evidence: a time range of the audit log in one file, for an auditor.
#include <nlohmann/json.hpp>
#include <set>

#include "audit/record_filter.h"
#include "audit/segment.h"
#include "base/timestamp.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/signer.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "evidence/package.h"

namespace sluice::cli {
namespace {

/// As the manifest writes times, so that text order is time order.
std::string bound_text(std::uint64_t ns) {
  return timestamp_text({static_cast<std::int64_t>(ns)}, 9);
}

void print_json(const EvidenceOptions& options, const evidence::PackageSummary& made) {
  const nlohmann::ordered_json page{{"package", options.output},
                                    {"first_record", made.first_record},
                                    {"end_record", made.end_record},
                                    {"records_shown", made.records_shown},
                                    {"log_records", made.log_records}};
  fmt::print("{}\n", page.dump());
}

void print_text(const EvidenceOptions& options, const evidence::PackageSummary& made) {
  fmt::print("{}: {} of {} in the log\n", options.output,
             counted(made.end_record - made.first_record, "record"), made.log_records);
  if (made.records_shown != made.end_record - made.first_record) {
    fmt::print("{} shown, of the others only hashes\n", counted(made.records_shown, "record"));
  }
  if (!options.recipients.empty()) {
    fmt::print("open it with: age -d -i IDENTITY {}\n", options.output);
    return;
  }
  fmt::print("verify it with: sluice verify {0}, or python3 verify.py {0}, which is inside\n",
             options.output);
}

Result<void> add_recipients(const EvidenceOptions& options, evidence::PackageOptions& package) {
  for (const std::string& line : options.recipients) {
    const auto recipient = audit::AgeRecipient::parse(line);
    if (!recipient) return fail("--encrypt-to: " + recipient.error().message);
    package.recipients.push_back(*recipient);
  }
  return {};
}

Result<void> add_witness_policy(const std::string& path, evidence::PackageOptions& package) {
  if (path.empty()) return {};
  auto text = audit::read_small_file(path);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return fail(path + " is missing");
  package.witness_policy = std::move(**text);
  return {};
}

}  // namespace

ExitCode perform(const EvidenceOptions& options) {
  const auto settings = load_settings("evidence", options.configuration);
  if (!settings) return ExitCode::bad_configuration;
  evidence::PackageOptions package;
  package.directory = settings->audit.directory;
  package.output = options.output;
  package.made = wall_now();
  auto query = parse_query(options.query, package.made);
  if (!query) return complain("evidence", query.error().message, ExitCode::usage);
  const QueryWords& words = options.query;
  if (!words.from.empty()) package.from = bound_text(query->from_ns);
  if (!words.until.empty()) package.until = bound_text(query->until_ns);
  if (!package.until.empty() && package.until <= package.from) {
    return complain("evidence", "--to is not behind --from", ExitCode::usage);
  }
  if (!words.principal.empty()) package.filter.emplace_back("principal", words.principal);
  if (!words.target.empty()) package.filter.emplace_back("target", words.target);
  if (words.session) package.filter.emplace_back("session", std::to_string(*words.session));
  // The range is a matter of its own: its ends are shown whatever their times.
  query->from_ns = audit::RecordQuery{}.from_ns;
  query->until_ns = audit::RecordQuery{}.until_ns;
  audit::RecordFilter filter(std::move(*query));
  // What tells of a recording is shown with the operations that are in it.
  std::set<std::string, std::less<>> recorded;
  package.wants = [&filter, &recorded](const audit::RecordFields& record) {
    const bool is_wanted = filter.wants(record);
    if (record.recording.empty() || !is_wanted) {
      return is_wanted || recorded.contains(record.recording);
    }
    recorded.emplace(record.recording);
    return true;
  };
  if (settings->recordings && !options.without_recordings) {
    package.recordings = settings->recordings->directory;
  }
  if (auto done = add_recipients(options, package); !done) {
    return complain("evidence", done.error().message, ExitCode::usage);
  }
  if (auto done = add_witness_policy(settings->audit.witness_policy, package); !done) {
    return complain("evidence", done.error().message, ExitCode::failed);
  }
  auto signer = open_signing_key(settings->audit);
  if (!signer) return complain("evidence", signer.error().message, ExitCode::failed);
  const auto made = evidence::make_package(package, *signer);
  if (!made) return complain("evidence", made.error().message, ExitCode::failed);
  (options.json ? print_json : print_text)(options, *made);
  return ExitCode::ok;
}

}  // namespace sluice::cli
