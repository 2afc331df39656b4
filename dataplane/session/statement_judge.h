// What a worker knows of SQL texts: analysed once per shape, judged once per shape
// and principal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fingerprint.h"
#include "config/model/policy.h"
#include "dataplane/session/snapshot_view.h"
#include "dataplane/session/statement_cache.h"
#include "matcher/scratch.h"
#include "sql/analysis.h"
#include "sql/session_trace.h"

namespace sluice::dataplane {

/// Longest normalised text of a record.
inline constexpr std::size_t statement_text_bytes_max = 4 * 1024;

/// What a text does, whoever sends it. Immutable.
struct StatementInfo {
  bool is_parsed = false;
  sql::Analysis analysis;
  std::string classes;  ///< For records: "select", "insert, select".
  std::string text;     ///< Normalised: without constants.
  bool may_change_search_path = false;
  bool may_change_schema = false;  ///< What relations there are, and their columns.
  bool is_opaque = false;
  bool copies_out = false;
  bool alters = false;
  bool prepares = false;  ///< By SQL, as PREPARE and EXECUTE do.
  bool executes = false;
  bool names_ours = false;  ///< Names statements that the gateway prepares, or lists them.
  /// What it leaves in the server session.
  sql::SessionTrace trace = sql::SessionTrace::none;
  bool calls_reaching = false;    ///< A function that config::is_reaching_function() names.
  bool reads_statistics = false;  ///< The server's samples of columns' values.
  bool writes = false;            ///< Values that are read may end up elsewhere.
  bool sets_unreadable = false;  ///< An encoding or a reading of strings that is not the gateway's.

  // Views into `analysis`, by statement, as policy takes them.
  std::vector<config::SqlFacts> facts;
  std::vector<config::SqlName> names;
  std::vector<config::SqlColumn> columns;
};

/// Who asks, and under what.
struct StatementContext {
  SnapshotView* view = nullptr;
  std::size_t listener = 0;
  const std::shared_ptr<const config::PrincipalView>& principal;  ///< Of the listener's policy.
  /// Schemas in which the server looks for a name without one; empty when unknown.
  std::span<const std::string_view> search_path;
  /// The listener's statement patterns that its parameters hold. Ascending.
  std::span<const std::uint32_t> parameter_hits = {};
};

struct JudgedStatement {
  std::shared_ptr<const StatementInfo> info;
  config::Ruling ruling;  ///< Its texts live with the view's policy.
  /// The normalised text as a record may hold it: a name may be a card number too. Lives
  /// until the next text is judged.
  std::string_view record_text;
  std::string_view source = {};  ///< The text as it came; whoever brought it keeps it.
};

/// One per worker.
class StatementJudge {
 public:
  /// key  secret: who knew it could make two texts look alike.
  explicit StatementJudge(const FingerprintKey& key) : key_(key) {}

  /// scratch  prepared for the listener's statement patterns, and for the snapshot's masks.
  [[nodiscard]] JudgedStatement judge(std::string_view text, const StatementContext& context,
                                      matcher::Scratch& scratch);
  /// The same of what is asked of a replication connection. What it brings is not looked
  /// into, so a rule about what statements read or do finds it opaque.
  [[nodiscard]] static JudgedStatement judge_replication(std::string_view command,
                                                         const StatementContext& context,
                                                         matcher::Scratch& scratch);
  /// The snapshot is about to go: what was judged under it goes too.
  void forget(const SnapshotView& view);

 private:
  struct Found {
    KnownStatement& known;
    matcher::Hits hits;
  };
  [[nodiscard]] Found find(std::string_view text, const StatementContext& context,
                           matcher::Scratch& scratch);
  [[nodiscard]] KnownStatement& find_by_shape(std::string_view text, const Fingerprint& exact);
  [[nodiscard]] std::uint64_t print_of(
      std::span<const std::string_view> search_path) const noexcept;

  FingerprintKey key_;
  StatementCache cache_;
};

}  // namespace sluice::dataplane
