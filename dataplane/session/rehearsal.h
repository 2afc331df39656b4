// What policy would say to an operation that nobody sends: judged as traffic is, by the same
// code, under one configuration. For people who write rules.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "config/model/principal.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/session/snapshot_view.h"
#include "dataplane/session/statement_judge.h"
#include "matcher/scratch.h"
#include "parsers/http1/message.h"

namespace sluice::dataplane {

struct RehearsedRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string host = "localhost";
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::optional<std::string> body = {};  ///< Nothing: it is not known.
};

struct RehearsedRuling {
  config::Ruling::Kind kind = config::Ruling::Kind::deny;
  std::string rule;
  std::string reason;
  bool is_recorded = false;
  std::string operation = {};  ///< As rules see it: the normalised path, or the classes of a text.
  std::vector<std::string> masks = {};  ///< Of what comes back: their names.
};

class Rehearsal {
 public:
  /// errors  a pattern that needs more memory than there is.
  static Result<std::unique_ptr<Rehearsal>> under(std::shared_ptr<const Snapshot> snapshot);

  /// Its place in the configuration; nothing when there is none of that name.
  [[nodiscard]] std::optional<std::size_t> listener(std::string_view name) const noexcept;

  [[nodiscard]] config::Protocol protocol(std::size_t listener) const noexcept;
  /// Whether rules look at what no record holds: headers, constants of statements. Bodies are
  /// told of by the ruling needs_body.
  [[nodiscard]] bool looks_beyond_records(std::size_t listener) const noexcept;
  [[nodiscard]] const config::Settings& settings() const noexcept {
    return view_.snapshot().settings;
  }

  /// listener   of HTTP. A request that is refused before policy sees it is denied by the rule
  ///            `protocol`.
  /// principal  null: anonymous.
  [[nodiscard]] RehearsedRuling judge(std::size_t listener, const config::Principal* principal,
                                      const RehearsedRequest& request);
  /// listener     of PostgreSQL. What a mask of columns refuses is not known here: only the
  ///              target's catalog tells. Nor are values of parameters.
  /// search_path  where the server would look for names without a schema.
  [[nodiscard]] RehearsedRuling judge(std::size_t listener, const config::Principal& principal,
                                      std::string_view sql,
                                      std::span<const std::string_view> search_path);

 private:
  explicit Rehearsal(std::shared_ptr<const Snapshot> snapshot);
  [[nodiscard]] config::Ruling judge_body(const ListenerPlan& plan,
                                          const config::PrincipalView& view,
                                          config::HttpAction action, const http1::RequestHead& head,
                                          std::string_view body);
  [[nodiscard]] RehearsedRuling told(const config::Ruling& ruling,
                                     const config::PrincipalView& view) const;

  SnapshotView view_;
  FingerprintKey key_ = FingerprintKey::random();
  StatementJudge statements_{key_};
  matcher::Scratch scratch_;
  matcher::Scratch body_scratch_;
  config::PathSearch path_search_;
  std::vector<std::uint32_t> header_hits_;
  http1::FieldTable fields_;
  std::vector<std::uint8_t> lines_;
  std::vector<std::uint8_t> target_;
};

}  // namespace sluice::dataplane
