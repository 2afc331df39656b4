// The first line is what a client presents, the rest a keys file. No file may
// break the parser, and nobody gets in without the digest's preimage.
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "identity/api_keys.h"
#include "identity/credential.h"

namespace {

using namespace sluice;
using namespace sluice::identity;

constexpr WallTime now{1'795'219'200'000'000'000};

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text(ByteView(data, size));
  const std::size_t line_end = std::min(input.find('\n'), input.size());
  const std::string_view header = input.substr(0, line_end);
  const std::string_view file = input.substr(std::min(line_end + 1, input.size()));

  const Credential credential = parse_authorization(header);
  const bool is_malformed = credential.form() == Credential::Form::malformed;
  check(is_malformed == credential.presented().empty());

  // A key of ours beside whatever the file says stays the only way in.
  const std::uint8_t random[32] = {1, 2, 3};
  const NewKey ours = make_key("ours", {}, WallTime{INT64_MAX}, random);
  const auto keys = ApiKeys::parse(ours.yaml_entry + std::string(file), "keys.yaml", {1});
  if (!keys) {
    check(!keys.error().message.empty());
    return 0;
  }
  check((*keys)->verify(ours.secret, now).fault == KeyFault::none);
  const KeyVerdict verdict = (*keys)->verify(credential.presented(), now);
  check(verdict.fault != KeyFault::none || credential.presented().ends_with(ours.secret));
  check((verdict.principal != nullptr) == (verdict.fault == KeyFault::none));

  // Without it nobody gets in at all, and all others stay.
  const std::string id = (*keys)->verify(ours.secret, now).principal->credential_id;
  const auto fewer = (*keys)->without({id});
  check(fewer->size() + 1 == (*keys)->size() && fewer->find(id) != nullptr);
  check(fewer->verify(ours.secret, now).fault == KeyFault::unknown);
  check(fewer->verify(credential.presented(), now).fault != KeyFault::none);
  return 0;
}
