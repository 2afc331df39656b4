#include "audit/age_recipient.h"

#include "audit/bech32.h"

namespace sluice::audit {

Result<AgeRecipient> AgeRecipient::parse(std::string_view line) {
  const auto key = parse_bech32_key("age", line);
  if (!key) return fail("it is no recipient of age, such as age1… with 62 characters");
  if (!key->is_whole) return fail("a character of the recipient is wrong");
  return AgeRecipient{key->bytes};
}

}  // namespace sluice::audit
