#include "cli/rehearse.h"

#include "cli/configuration.h"

namespace sluice::cli {

Result<std::unique_ptr<dataplane::Rehearsal>> rehearse(const std::string& configuration) {
  const auto settings = read_settings(configuration);
  if (!settings) return tl::unexpected(settings.error());
  // The digest makes SCRAM challenges for unknown users, of which there are none here.
  auto snapshot = make_snapshot(*settings, identity::Digest{}, 0);
  if (!snapshot) return tl::unexpected(snapshot.error());
  return dataplane::Rehearsal::under(std::move(*snapshot));
}

std::string_view text(config::Ruling::Kind kind) noexcept {
  switch (kind) {
    case config::Ruling::Kind::allow:
      return "allow";
    case config::Ruling::Kind::deny:
      return "deny";
    case config::Ruling::Kind::hold:
      return "hold";
    case config::Ruling::Kind::needs_body:
      return "needs-body";
  }
  return "deny";
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace sluice::cli
