// Live sessions of a gateway's workers, asked for page by page: no worker is held up for longer
// than one page takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/api/sessions.h"
#include "dataplane/gateway.h"

namespace sluice::cli {

class LiveSessions {
 public:
  explicit LiveSessions(dataplane::Gateway& gateway) : gateway_(gateway) {}

  /// The sessions that the query is about, in the order of workers and of their connections.
  /// errors  a worker does not answer in time
  [[nodiscard]] Result<control::api::SessionsPage> list(
      const control::api::SessionQuery& query) const;
  /// Nothing: there is none of that name.
  [[nodiscard]] Result<std::optional<control::api::SessionView>> find(std::string_view id) const;
  /// Ends it; as it was before.
  Result<std::optional<control::api::SessionView>> kill(std::string_view id);

 private:
  using Found = Result<std::optional<control::api::SessionView>>;
  [[nodiscard]] Found look_up(std::string_view id, bool kill) const;
  [[nodiscard]] control::api::SessionView view_of(const dataplane::SessionSummary& summary) const;

  dataplane::Gateway& gateway_;
};

}  // namespace sluice::cli
