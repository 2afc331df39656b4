#include "matcher/builtin_finders.h"

#include <algorithm>

namespace sluice::matcher {

std::optional<Builtin> builtin_of(std::string_view name) noexcept {
  const auto* const found = std::find(builtin_names_table.begin(), builtin_names_table.end(), name);
  if (found == builtin_names_table.end()) return std::nullopt;
  return static_cast<Builtin>(found - builtin_names_table.begin());
}

void find_builtin(Builtin builtin, const Window& window, MatchTable& out) noexcept {
  switch (builtin) {
    case Builtin::payment_card:
      return find_payment_cards(window, out);
    case Builtin::iban:
      return find_ibans(window, out);
    case Builtin::us_ssn:
      return find_us_ssns(window, out);
    case Builtin::email:
      return find_emails(window, out);
    case Builtin::phone:
      return find_phones(window, out);
    case Builtin::jwt:
      return find_jwts(window, out);
    case Builtin::aws_key:
      return find_aws_keys(window, out);
    case Builtin::bearer_token:
      return find_bearer_tokens(window, out);
    case Builtin::ip:
      return find_ips(window, out);
  }
}

}  // namespace sluice::matcher
