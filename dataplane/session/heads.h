// Heads written anew for the next hop: what is dropped, kept, masked and added.
//
// source   RFC 9110 §7.6 (hop-by-hop fields, Via), RFC 9112 §6 (framing).
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/session/body_relay.h"
#include "dataplane/session/snapshot.h"
#include "dataplane/session/worker_context.h"
#include "matcher/body_masker.h"
#include "matcher/mask_rule.h"
#include "parsers/http1/encoder.h"
#include "parsers/http1/message.h"
#include "parsers/http1/target.h"

namespace sluice::dataplane {

/// How the body that follows a head is framed.
struct BodyFraming {
  OutFraming framing = OutFraming::none;
  std::uint64_t content_length = 0;
};

struct RequestHeadRules {
  const ListenerPlan* listener = nullptr;
  const TargetPlan* target = nullptr;
  std::string_view peer_host;           ///< For X-Forwarded-For.
  std::string_view client_certificate;  ///< For X-Forwarded-Client-Cert; empty: none is sent.
  const matcher::MaskProgram* masks = nullptr;
  matcher::RuleSet request_masks;
  bool response_is_masked = false;       ///< Asks for a whole, uncoded representation.
  bool continue_answered = false;        ///< The gateway has sent 100 itself.
  std::span<std::uint32_t> mask_counts;  ///< By rule, added to.
};

/// The field in which the gateway itself presents a credential, however it is written.
[[nodiscard]] bool is_targets_credential(const http1::Field& field,
                                         const config::Target& target) noexcept;

/// Fields of a client that say nothing: those of this hop only, what is for the gateway
/// itself, and what it claims about hops before it. They are not sent on, and policy does
/// not look at them.
[[nodiscard]] bool is_without_standing(const http1::Field& field,
                                       const config::Listener& listener) noexcept;

/// The onward head, to the target.
void write_request_head(http1::HeadWriter& out, const http1::RequestHead& request,
                        const http1::Target& target, const BodyFraming& body,
                        const RequestHeadRules& rules, WorkerContext& worker) noexcept;

struct ResponseHeadRules {
  const ListenerPlan* listener = nullptr;
  const matcher::MaskProgram* masks = nullptr;
  matcher::RuleSet response_masks;
  ByteView received;            ///< The whole head as it arrived, for one scan over it.
  bool body_is_masked = false;  ///< Digests and ranges of the original no longer hold.
  bool keep_alive = true;       ///< Towards the client.
  std::uint8_t client_minor = 1;
  std::span<std::uint32_t> mask_counts;
};

/// The head towards the client.
void write_response_head(http1::HeadWriter& out, const http1::ResponseHead& response,
                         const BodyFraming& body, const ResponseHeadRules& rules,
                         WorkerContext& worker) noexcept;

struct RecordedMasks {
  const matcher::MaskProgram* program = nullptr;
  matcher::RuleSet active;
};
/// Fields as a recording may hold them: masked, and without credentials and cookies.
void write_recorded_fields(http1::HeadWriter& out, std::span<const http1::Field> fields,
                           const RecordedMasks& masks, const config::Listener& listener,
                           const config::Target& target, WorkerContext& worker) noexcept;

/// How masks and patterns read a body, from its fields. Unreadable: of no type
/// or two, coded, multipart ranges, or a charset whose bytes do not show ASCII as
/// ASCII (UTF-16 …).
struct BodyReading {
  matcher::BodyKind kind = matcher::BodyKind::text;
  bool is_readable = true;
  bool is_multipart = false;
  bool is_textual = false;  ///< Says that it is text, so no NUL belongs in it.
};
BodyReading body_reading(std::span<const http1::Field> fields) noexcept;

}  // namespace sluice::dataplane
