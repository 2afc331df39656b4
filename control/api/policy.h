// What would happen to an operation that nobody sends, or would have to those that somebody sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record_page.h"
#include "base/instant.h"

namespace sluice::control::api {

/// An operation of a listener's protocol: a request with a method, or a text of SQL.
struct PolicyQuestion {
  std::string listener;
  std::string subject;  ///< Empty: nobody is proved.
  std::vector<std::string> groups = {};
  std::string method = {};
  std::string path = {};  ///< With its query.
  std::string host = "localhost";
  std::vector<std::string> headers = {};  ///< "name: value"
  std::optional<std::string> body = {};   ///< Nothing: it is not known.
  std::string sql = {};
  std::vector<std::string> search_path = {"public"};
};

struct PolicyAnswer {
  std::string_view ruling;  ///< "allow", "deny", "hold"; "needs-body" where that alone can tell.
  std::string rule = {};
  std::string reason = {};
  std::string operation = {};  ///< As rules see it.
  bool is_recorded = false;    ///< In full.
  std::vector<std::string> masks = {};
};

/// A version of the configuration that the log has.
struct PolicyVersion {
  std::string digest = {};  ///< In hex, as records name it.
  WallTime since = {};      ///< When it was first kept.
};
struct VersionsPage {
  std::string current = {};  ///< The digest of what is in force.
  std::vector<PolicyVersion> versions = {};
};

/// Rules: those of a version, by its digest or "current"; or a text with `policies` and `masks`.
struct RulesChoice {
  std::string version = "current";
  std::string rules = {};  ///< YAML; empty: the version's.
};

struct PolicyDiffQuestion {
  std::string before = "current";
  RulesChoice after = {};
};

/// Which recorded operations would be ruled otherwise.
struct DryRunQuestion {
  RulesChoice rules = {};
  audit::RecordQuery query = {};
  std::optional<audit::SearchMark> mark = {};
  std::vector<std::string> search_path = {"public"};
};

/// A JSON object.
[[nodiscard]] std::string json_of(const PolicyAnswer& answer);

}  // namespace sluice::control::api
