// Recorded operations, judged anew: which of them would be ruled otherwise.
//
// A record holds what policy may be told about for ever: the path, masked; a statement without
// its constants; never a header or a body. So an operation may be judged here by less than it was
// then. Such rulings are counted as unsure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/session/rehearsal.h"

namespace sluice::cli {

class DryRun {
 public:
  /// rehearsal    outlives it.
  /// search_path  schemas of names without one; no record has it.
  DryRun(dataplane::Rehearsal& rehearsal, const std::vector<std::string>& search_path);
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  /// record  a JSON object, as audit::to_json() makes it.
  void look_at(std::string_view record);
  /// A JSON object: how many were judged, and what would change, in groups of what changes alike.
  [[nodiscard]] std::string report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One report of what two are about.
std::string sum_of_reports(std::string_view one, std::string_view other);

}  // namespace sluice::cli
