// sluice evidence: a time range of the audit log in one file, for an auditor.
#include <nlohmann/json.hpp>

#include "base/timestamp.h"
#include "cli/audit_filter.h"
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/times.h"
#include "cli/verbs.h"
#include "evidence/package.h"

namespace sluice::cli {
namespace {

/// As the log writes times, so that text order is time order.
Result<std::string> bound(const std::string& text, WallTime now) {
  if (text.empty()) return std::string();
  const auto time = parse_time(text, now, false);
  if (!time) return tl::unexpected(time.error());
  return timestamp_text(*time, 9);
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
  fmt::print("verify it with: sluice verify {0}, or python3 verify.py {0}, which is inside\n",
             options.output);
}

}  // namespace

ExitCode perform(const EvidenceOptions& options) {
  const auto settings = load_settings("evidence", options.configuration);
  if (!settings) return ExitCode::bad_configuration;
  evidence::PackageOptions package;
  package.directory = settings->audit.directory;
  package.output = options.output;
  package.made = wall_now();
  for (const auto& [text, into] :
       {std::pair{&options.from, &package.from}, std::pair{&options.until, &package.until}}) {
    auto time = bound(*text, package.made);
    if (!time) return complain("evidence", time.error().message, ExitCode::usage);
    *into = std::move(*time);
  }
  if (!package.until.empty() && package.until <= package.from) {
    return complain("evidence", "--to is not behind --from", ExitCode::usage);
  }
  AuditFilter filter;
  filter.principal = options.principal;
  filter.target = options.target;
  if (!options.principal.empty()) package.filter.emplace_back("principal", options.principal);
  if (!options.target.empty()) package.filter.emplace_back("target", options.target);
  package.wants = [&filter](const std::string& record) {
    return filter.wants(nlohmann::json::parse(record));
  };
  auto signer = audit::Signer::load(settings->audit.signing_key);
  if (!signer) return complain("evidence", signer.error().message, ExitCode::failed);
  const auto made = evidence::make_package(package, *signer);
  if (!made) return complain("evidence", made.error().message, ExitCode::failed);
  (options.json ? print_json : print_text)(options, *made);
  return ExitCode::ok;
}

}  // namespace sluice::cli
