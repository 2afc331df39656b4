// The page that an auditor reads first: what happened in the range, counted, by the controls that
// ask for it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "evidence/html.h"
#include "evidence/manifest.h"
#include "evidence/witnesses.h"

namespace sluice::evidence {

class Report {
 public:
  /// A record as one line of JSON, in log order.
  void add(const std::string& record);
  void add_witnesses(std::vector<SeenBy> witnesses) { witnesses_ = std::move(witnesses); }
  /// Needs no other file, and runs nothing.
  [[nodiscard]] std::string html(const Manifest& manifest) const;

 private:
  struct Access {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    std::uint64_t held = 0;
  };
  /// From one start of the gateway to its end.
  struct Run {
    std::string opened;  ///< When its log was; empty: not in the range.
    std::string closed;
    std::uint64_t beats = 0;
    std::uint64_t beats_unsure = 0;  ///< Whose clock was not synchronised.
    std::uint64_t last_beat_ns = 0;
    std::uint64_t longest_gap_ns = 0;
  };
  /// Under which operations were judged.
  struct Policy {
    std::string first;
    std::string last;
    std::uint64_t operations = 0;
  };

  void add_intent(const nlohmann::json& record);
  void add_outcome(const nlohmann::json& record);
  void add_session(const nlohmann::json& record);
  void add_heartbeat(const nlohmann::json& record);
  void add_approval(const nlohmann::json& record);
  void add_event(const nlohmann::json& record);
  [[nodiscard]] std::string facts(const Manifest& manifest) const;
  [[nodiscard]] TableRows access_rows() const;
  [[nodiscard]] TableRows policy_rows() const;
  [[nodiscard]] TableRows run_rows() const;

  std::map<std::tuple<std::string, std::string, std::string>, Access> access_;
  std::map<std::string, std::uint64_t> masks_;
  std::map<std::string, std::uint64_t> results_;
  std::map<std::string, Policy> policies_;  ///< By digest.
  std::map<std::string, Run> runs_;         ///< By epoch.
  FirstRows denials_;
  FirstRows held_;
  FirstRows approvals_;  ///< What became of those, and who decided.
  FirstRows refused_;    ///< Clients that were not let in.
  FirstRows changes_;    ///< Of policy and keys.
  FirstRows gaps_;
  FirstRows retention_;  ///< Removals and legal holds.
  FirstRows events_;     ///< Of the gateway itself, all others.
  std::vector<SeenBy> witnesses_;
};

}  // namespace sluice::evidence
