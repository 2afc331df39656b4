// A call of the control API: one row of the table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/principal.h"
#include "control/api/problem.h"
#include "control/api/proving.h"
#include "control/api/roles.h"
#include "control/api/shape.h"
#include "control/http.h"

namespace sluice::control::api {

struct Actions;

/// Who calls.
struct Caller {
  /// Whom a credential proved; else the account of the host, of the issuer "unix". Without a
  /// subject: nobody.
  config::Principal who;
  std::string proof;                  ///< As records have it.
  std::optional<std::uint32_t> user;  ///< Of the host, on the admin socket.
  /// Whom the Authorization field proves, if anybody.
  config::Principal credential;
  Roles roles;
  std::string peer;  ///< For records: "user 1000", or the address on the TLS port.
  Proving::State proving = Proving::State::nobody;  ///< What came of the Authorization field.
  std::string_view fault;                           ///< Why it proves nobody.

  /// For records: "user 1000" on the admin socket, else the subject.
  [[nodiscard]] std::string name() const;
};

/// HTML Living Standard §9.2: its media type.
inline constexpr std::string_view event_stream = "text/event-stream";

/// A call that its caller may make, with what the row asks for and nothing else.
struct Asked {
  const Caller& caller;
  /// Parameters and the members of the body, by name.
  std::map<std::string, identity::JsonValue, std::less<>> arguments;
  /// See HttpRequest.
  std::function<bool()> is_awaited = {};

  [[nodiscard]] bool has(std::string_view name) const { return arguments.contains(name); }
  // Of what was not given: nothing.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::uint64_t count(std::string_view name) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::optional<WallTime> time(std::string_view name) const;
};

enum class Effect : std::uint8_t {
  reads,
  discloses,  ///< What sessions did, encrypted or proved: recorded before it answers.
  changes,    ///< Recorded before it takes effect.
};

/// Who else may make a call.
enum class Besides : std::uint8_t {
  nobody,
  this_host,  ///< Anybody, but for the TLS port.
  proved,     ///< Whoever a credential proves.
};
std::string_view text(Besides besides) noexcept;

struct Call {
  std::string_view id;      ///< Its operationId.
  std::string_view method;  ///< GET also answers HEAD, but for streams.
  std::string_view path;    ///< "/v1/requests/{id}"
  std::string_view sentence;
  Roles roles;  ///< Any of them may call it; none: anybody may, who reaches a socket.
  /// Who may make it without such a role.
  Besides besides = Besides::nobody;
  Effect effect = Effect::reads;
  /// Those that the path names, and those of the query.
  std::span<const Member> parameters = {};
  const Shape* body = nullptr;  ///< Null: it takes none.
  int status = 200;             ///< When it went well.
  std::string_view media = "application/json";
  const Shape* answer = nullptr;  ///< Null: not JSON, or an object of its own kind.
  /// How else it may be refused than any call.
  std::span<const int> refusals = {};
  Outcome<std::string> (*run)(const Actions& actions, const Asked& asked) = nullptr;
  /// Instead: octets; or what is and what comes to be, as server-sent events. A client that lost
  /// those asks on with the last one's id, which arrives as the parameter `after`.
  Outcome<HttpStream> (*stream)(const Actions& actions, const Asked& asked) = nullptr;
};

/// All calls there are.
std::span<const Call> calls() noexcept;

/// "id" of "/v1/requests/{id}/approve", in order.
std::vector<std::string_view> path_parameters(std::string_view path);

}  // namespace sluice::control::api
