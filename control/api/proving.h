// What comes of an Authorization field.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/model/principal.h"

namespace sluice::control::api {

struct Proving {
  enum class State : std::uint8_t {
    nobody,      ///< It proves nobody, or there is none.
    proved,      ///< See `who`.
    unseen,      ///< Too many wrong ones came from its source: it was not looked at.
    awaits_keys  ///< Its issuer's keys are being fetched.
  };
  State state = State::nobody;
  config::Principal who = {};   ///< Without a subject unless proved.
  std::string_view fault = {};  ///< Why nobody, in records; lives for ever.
};

}  // namespace sluice::control::api
