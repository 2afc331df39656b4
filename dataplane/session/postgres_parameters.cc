// What a client binds is looked through for the patterns of rules, as its texts are.
#include <algorithm>

#include "dataplane/session/parameter_texts.h"
#include "dataplane/session/postgres_session.h"

namespace sluice::dataplane {

/// Whether some rule looks at the parameters of this principal.
bool PostgresSession::looks_at_parameters() {
  if (plan().statements == nullptr) return false;
  // Whose credential was withdrawn is sent away when something is executed.
  return !renew_principal() || principal_->view()->looks_at_parameters();
}

/// Whether some rule may hold what this principal executes.
bool PostgresSession::may_be_held() {
  if (plan().policy.holds().empty()) return false;
  return !renew_principal() || principal_->view()->may_be_held();
}

/// Keeps which patterns were found, and nothing of what they were found in.
void PostgresSession::look_at_parameters(const postgres::Values& values,
                                         const postgres::Formats& formats,
                                         std::span<const postgres::Oid> types, Meaning& meaning) {
  std::vector<std::uint32_t>& hits = meaning.parameter_hits;
  ParameterTexts texts;
  std::size_t index = 0;
  for (const postgres::Value& value : values) {
    const postgres::Oid type = index < types.size() ? types[index] : 0;
    const postgres::Format format = formats.of(index++);
    if (!value) continue;
    texts.visit(type, format, *value, [&](ByteView text) {
      const matcher::Hits found = plan().statements->scan(text, worker_.text_scratch);
      hits.insert(hits.end(), found.begin(), found.end());
    });
  }
  std::ranges::sort(hits);
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
  meaning.hits_generation = worker_.current->snapshot().generation;
}

/// What was found under other rules says nothing about these.
void PostgresSession::guard_parameters(JudgedStatement& judged, const Meaning* portal) {
  if (portal == nullptr || judged.ruling.kind == config::Ruling::Kind::deny) return;
  if (!looks_at_parameters()) return;
  if (portal->hits_generation == worker_.current->snapshot().generation) return;
  judged.ruling = {config::Ruling::Kind::deny,
                   "protocol",
                   "the rules were changed after Bind: bind the parameters again",
                   {}};
}

}  // namespace sluice::dataplane
