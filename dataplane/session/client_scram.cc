#include "dataplane/session/client_scram.h"

#include <utility>

#include "base/assert.h"
#include "parsers/postgres/frontend.h"

namespace sluice::dataplane {

using identity::ScramFault;

ClientScram::ClientScram(std::shared_ptr<const identity::ApiKeys> keys, identity::ScramLogin login,
                         std::string_view nonce, identity::ChannelBinding binding)
    : keys_(std::move(keys)),
      index_(login.index),
      server_(std::move(login.verifier), nonce, std::move(binding)) {}

Result<std::string, ScramFault> ClientScram::answer(ByteView body) {
  if (!std::exchange(has_begun_, true)) {
    const auto response = postgres::decode_sasl_initial_response(body);
    // A client that sends no data with the mechanism's name would wait for an empty
    // challenge; none does.
    if (!response || !response->data) return tl::unexpected(ScramFault::malformed);
    return server_.begin(response->mechanism, as_text(*response->data));
  }
  auto last = server_.finish(as_text(body));
  // Nothing fits a verifier that is nobody's; should it, it still opens nothing.
  if (last && !index_) return tl::unexpected(ScramFault::wrong_proof);
  is_proven_ = last.has_value();
  return last;
}

identity::KeyVerdict ClientScram::verdict(WallTime now) const noexcept {
  ASSERT(is_proven_ && index_);
  return keys_->proven(*index_, now);
}

}  // namespace sluice::dataplane
