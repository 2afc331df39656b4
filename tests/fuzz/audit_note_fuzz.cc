// Any text as a key line and as a checkpoint: whatever is accepted says the same
// when it is written again, so there is one spelling of each.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "audit/checkpoint.h"
#include "audit/keys.h"
#include "base/text_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sluice::as_text({data, size});
  if (const auto key = sluice::audit::Verifier::parse(text)) {
    if (key->line() != text && key->line() + '\n' != text) std::abort();
  }
  (void)sluice::audit::Signer::parse(text);
  if (const auto note = sluice::audit::parse_checkpoint(text)) {
    std::string tagged(sluice::as_text(note->key_id));
    tagged += sluice::as_text(note->signature);
    const std::string again = note->signed_text + "\n\u2014 " + note->signer_name + " " +
                              sluice::to_base64(sluice::as_bytes(tagged)) + "\n";
    if (again != text) std::abort();
  }
  return 0;
}
