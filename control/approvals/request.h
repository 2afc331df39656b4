// A request: an operation that waits for people, and what they decided.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "config/model/held_operation.h"
#include "config/model/principal.h"

namespace sluice::control {

enum class RequestState : std::uint8_t {
  waiting,
  approved,    ///< By all who must; whether it ran is in `ended`.
  denied,      ///< By one of them.
  expired,     ///< Nobody decided in time.
  withdrawn,   ///< It waits no longer, for reasons of its own: see `ended`.
  lost,        ///< It waited when the gateway went; it never ran.
  unreviewed,  ///< One person broke the glass for it, and nobody has looked at that yet.
  reviewed,    ///< Somebody has.
};
std::string_view text(RequestState state) noexcept;

enum class Verdict : std::uint8_t {
  approve,
  deny,
  break_glass,  ///< It runs at once, by the word of one whom each rule names for that.
  review,       ///< Afterwards, by another one.
};
std::string_view text(Verdict verdict) noexcept;

struct Decision {
  Verdict verdict = Verdict::approve;
  config::Principal who;
  std::optional<std::uint32_t> user;  ///< Of the process that brought it, as the kernel says.
  std::string reason;
  Now at;
};

struct Request {
  config::HeldOperation what;
  RequestState state = RequestState::waiting;
  Now since;
  Now until;                        ///< From then on no decision counts.
  std::vector<Decision> decisions;  ///< Those that count, oldest first.
  std::string ended;                ///< How it ended at the worker; empty until it did.
  // Of a ticket that was approved.
  Now valid_until;
  std::uint32_t uses_left = 0;
  std::uint32_t running = 0;  ///< Claims that have not ended.
};

/// Asked for by this caller, not only in the same name.
bool is_asked_by(const Request& request, const config::Principal& who);

/// For the client: who denied it, and why.
std::string denial_text(std::string_view subject, std::string_view reason);

/// For people and programs, and as it is kept: one JSON object.
std::string to_json(const Request& request);
/// Such an object of a request that is in another state now.
std::string with_state(const std::string& document, RequestState state);
/// Likewise, and one more decision.
std::string with_decision(const std::string& document, const Decision& decision,
                          RequestState state);
/// What such an object says of the operation, of who asked and decided, and of its rules: as much
/// as a review looks at. Nothing: it is no such object.
std::optional<Request> request_of(const std::string& document);

/// What such an object says of a request that is over.
struct ClosedRequest {
  RequestState state = RequestState::lost;
  std::string subject;  ///< Who asked.
  std::string issuer;
  std::string reason;    ///< Why it was denied, and by whom; empty: it was not.
  bool is_open = false;  ///< A ticket that was approved and has not ended.
};
ClosedRequest closed_request(const std::string& document);

}  // namespace sluice::control
