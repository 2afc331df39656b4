// A client's login by SCRAM-SHA-256, as PostgreSQL's messages carry it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "identity/api_keys.h"
#include "identity/scram.h"

namespace sluice::dataplane {

class ClientScram {
 public:
  /// nonce, binding  as ScramServer's.
  ClientScram(std::shared_ptr<const identity::ApiKeys> keys, identity::ScramLogin login,
              std::string_view nonce, identity::ChannelBinding binding);

  /// What to offer.
  [[nodiscard]] std::span<const std::string_view> mechanisms() const noexcept {
    return server_.mechanisms();
  }

  /// body     of SASLInitialResponse, then of SASLResponse.
  /// returns  what goes back; after the second, is_proven() tells the rest.
  Result<std::string, identity::ScramFault> answer(ByteView body);

  /// The client knows the secret of the key; whether the key is still good is another matter.
  [[nodiscard]] bool is_proven() const noexcept { return is_proven_; }
  [[nodiscard]] identity::KeyVerdict verdict(WallTime now) const noexcept;
  /// The table that it was proven against.
  [[nodiscard]] const std::shared_ptr<const identity::ApiKeys>& keys() const noexcept {
    return keys_;
  }

 private:
  std::shared_ptr<const identity::ApiKeys> keys_;
  std::optional<std::size_t> index_;  ///< Of the key; nothing: nobody has the secret.
  identity::ScramServer server_;
  bool has_begun_ = false;
  bool is_proven_ = false;
};

}  // namespace sluice::dataplane
