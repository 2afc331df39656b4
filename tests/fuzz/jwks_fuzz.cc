// Sets of keys of anyone's choosing. Oracles: what is taken has keys, each for some algorithm, of
// which none can be used for a signature of zeros; and the limits hold.
#include <cstdlib>
#include <vector>

#include "identity/jwk_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::identity;
  const auto set = parse_jwk_set(as_text({data, size}));
  if (!set) {
    if (set.error().message.empty()) std::abort();
    return 0;
  }
  if (set->keys.empty() || set->keys.size() + set->skipped.size() > jwk_set_keys_max) std::abort();
  for (const Jwk& key : set->keys) {
    if (key.algorithms.none() || !key.key || key.id.size() > key_id_bytes_max) std::abort();
    for (const std::size_t bytes : {64U, 96U, 132U, 256U}) {
      const std::vector<std::uint8_t> zeros(bytes);
      for (std::size_t i = 0; i < key.algorithms.size(); ++i) {
        const auto algorithm = static_cast<config::JwsAlgorithm>(i);
        if (algorithm == config::JwsAlgorithm::eddsa) continue;  // weak keys are their owner's
        if (key.algorithms.test(i) && verify_signature(key, algorithm, "text", zeros)) {
          std::abort();
        }
      }
    }
  }
  return 0;
}
