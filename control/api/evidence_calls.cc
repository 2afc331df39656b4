// Evidence packages.
#include <fmt/format.h>

#include "control/api/handlers.h"
#include "control/api/record_query.h"

namespace sluice::control::api {

Outcome<HttpStream> show_evidence(const Actions& actions, const Asked& asked) {
  EvidenceQuestion question{.from = asked.time("from"),
                            .until = asked.time("until"),
                            .subject = asked.text("subject"),
                            .target = asked.text("target"),
                            .has_recordings = asked.flag("recordings").value_or(true),
                            .is_awaited = asked.is_awaited};
  const auto session = session_of(asked);
  if (!session) return tl::unexpected(session.error());
  question.session = *session;
  if (question.from && question.until && *question.until <= *question.from) {
    return refuse(400, "'until' is not behind 'from'");
  }
  for (const std::string& line : asked.texts("encrypt_to")) {
    auto recipient = audit::AgeRecipient::parse(line);
    if (!recipient) return refuse(400, "'encrypt_to': " + recipient.error().message);
    question.recipients.push_back(*recipient);
  }
  return actions.evidence(question);
}

}  // namespace sluice::control::api
