// An operation that waits for people, as values that cross from a worker to whoever
// keeps the requests, and what comes back.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "config/model/policy.h"
#include "config/model/principal.h"

namespace sluice::config {

/// A keyed digest of who asks for what, where: what people agree to, and nothing else.
using Binding = std::array<std::uint8_t, 32>;

struct HeldOperation {
  enum class Errand : std::uint8_t {
    ask,    ///< It is to be shown to people.
    claim,  ///< It is to run by the ticket that is named.
    look,   ///< How far that one is, and nothing else.
  };
  std::string request;  ///< Its name: what people type.
  Errand errand = Errand::ask;
  Principal who;
  std::string peer;
  std::string listener;
  std::string target;
  std::string protocol;
  std::string verb;
  std::string resource;  ///< As records show it: normalised and masked.
  std::string host;
  std::vector<HoldRule> rules;  ///< Each must be satisfied.
  Duration wait;                ///< Undecided for so long, it is refused.
  bool is_ticket = false;       ///< Nobody waits: it is claimed once it was approved.
  Duration valid_for;           ///< Of a ticket, from then on.
  std::uint32_t uses = 1;       ///< Likewise.
  Binding binding{};
  std::uint64_t session = 0;
  std::uint64_t operation = 0;
  std::uint64_t configuration = 0;
};

/// What becomes of it.
struct HoldAnswer {
  enum class Kind : std::uint8_t {
    parked,       ///< It is shown to people; another answer follows, unless it is a ticket's.
    approved,     ///< By all who must.
    denied,       ///< By one of them.
    expired,      ///< Nobody decided in time.
    too_many,     ///< It cannot wait: others do already.
    unavailable,  ///< It could not be kept or recorded.
    unknown,      ///< Of a ticket: there is none of that name for this caller.
  };
  Kind kind = Kind::unavailable;
  std::string request;
  Binding binding{};   ///< Of what was approved.
  std::string reason;  ///< For the client.
};

/// How a held operation ended at the worker.
enum class HoldEnd : std::uint8_t {
  ran,
  refused,     ///< As the answer said.
  withdrawn,   ///< The client cancelled it, or went.
  reloaded,    ///< Other rules came into force meanwhile.
  interrupted  ///< The gateway or the target went.
};
constexpr std::string_view text(HoldEnd end) noexcept {
  switch (end) {
    case HoldEnd::ran:
      return "ran";
    case HoldEnd::refused:
      return "refused";
    case HoldEnd::withdrawn:
      return "withdrawn";
    case HoldEnd::reloaded:
      return "reloaded";
    case HoldEnd::interrupted:
      return "interrupted";
  }
  return "interrupted";
}

/// May be called from any thread.
using AnswerHold = std::function<void(HoldAnswer)>;

}  // namespace sluice::config
