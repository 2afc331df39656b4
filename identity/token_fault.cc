#include "identity/token_fault.h"

#include <array>

namespace sluice::identity {
namespace {

struct Words {
  std::string_view name;
  std::string_view text;
};

/// In the order of the enum.
constexpr std::array<Words, token_faults> words{{
    {"none", "the token is good"},
    {"too_large", "the token is too large"},
    {"not_compact", "the token is not three parts with dots between"},
    {"encrypted", "the token is encrypted, which is not supported"},
    {"bad_base64", "a part of the token is not base64url as RFC 7515 has it"},
    {"bad_json", "a part of the token is not a JSON object"},
    {"repeated_member", "a member is in the token twice"},
    {"too_complex", "the token has too many members or levels"},
    {"no_algorithm", "the token's header names no algorithm"},
    {"unsigned_token", "the token is not signed"},
    {"symmetric_algorithm", "the token is signed with a shared secret"},
    {"unknown_algorithm", "the token's algorithm is not known"},
    {"embedded_key", "the token's header brings a key or says where one is"},
    {"critical_header", "the token's header asks for an extension"},
    {"nested_token", "the token holds another token"},
    {"wrong_type", "the token is not of a type that is accepted"},
    {"bad_key_id", "the token's key id is not a short text"},
    {"no_issuer", "the token names no issuer"},
    {"unknown_issuer", "the token's issuer is not configured"},
    {"algorithm_not_allowed", "the issuer's configuration does not allow the token's algorithm"},
    {"no_keys", "the issuer's keys could not be fetched yet"},
    {"keys_too_old", "the issuer's keys could not be fetched for too long"},
    {"unknown_key", "the issuer has no key of the token's key id"},
    {"unfit_key", "the issuer's key is not for the token's algorithm"},
    {"ambiguous_key", "several of the issuer's keys fit the token"},
    {"bad_signature", "the token's signature does not hold"},
    {"no_expiry", "the token does not say when it expires"},
    {"bad_time", "a time in the token is not a number of seconds"},
    {"expired", "the token has expired"},
    {"not_yet_valid", "the token is not valid yet"},
    {"issued_in_future", "the token was issued in the future"},
    {"wrong_audience", "the token is for another audience"},
    {"wrong_party", "the token was issued to a client that is not accepted"},
    {"bound_to_something", "the token is bound to something that the gateway does not check"},
    {"wrong_certificate", "the token is bound to a certificate that the client did not show"},
    {"wrong_key", "the token is bound to a key that the client did not show with DPoP"},
    {"not_bound", "the token was shown with DPoP, and is bound to no key"},
    {"security_event", "the token is a notice of an event, not a credential"},
    {"no_subject", "the token names no subject"},
    {"bad_subject", "the token's subject is not a short text"},
    {"no_groups", "the token has no claim of groups where the configuration expects one"},
    {"bad_groups", "the token's groups are not short texts"},
    {"too_many_groups", "the token has too many groups"},
    {"groups_overage",
     "the issuer left the groups out because there are too many; have it send only those of "
     "this application"},
    {"bad_actor", "the token's chain of actors is not as RFC 8693 has it"},
    {"delegation_too_deep", "the token's chain of actors is too long"},
    {"incomplete", "the gateway's own token lacks a claim or has a wrong one"},
    {"revoked", "the token was revoked"},
    {"wrong_target", "the token is for another target"},
    {"no_dpop", "the token came without a proof of its key (DPoP)"},
    {"repeated_dpop", "more than one proof of the token's key came (DPoP)"},
    {"malformed_dpop", "the proof of the token's key is none as RFC 9449 has it"},
    {"bad_dpop_key", "the proof of the token's key brings a key that is not accepted"},
    {"bad_dpop_signature", "the signature of the proof of the token's key does not hold"},
    {"wrong_dpop_method", "the proof of the token's key is for another method"},
    {"wrong_dpop_uri", "the proof of the token's key is for another URI"},
    {"wrong_dpop_token", "the proof of the token's key is for another token"},
    {"wrong_dpop_time", "the proof of the token's key is too old, or from the future"},
    {"replayed_dpop", "the proof of the token's key was seen before"},
    {"too_many_dpops", "more proofs of keys came than the gateway can remember"},
    {"introspection_failed", "the issuer could not be asked about the token"},
    {"introspection_malformed", "what the issuer says of the token is not a JSON object"},
    {"introspection_repeated_member", "a member is twice in what the issuer says of the token"},
    {"introspection_too_complex", "what the issuer says of the token has too much in it"},
    {"introspection_undecided", "the issuer does not say whether the token is active"},
    {"inactive", "the issuer says that the token is not active"},
    {"wrong_issuer", "the issuer says that the token is another's"},
    {"wrong_token_type", "the issuer says that the token is of a kind that is not accepted"},
}};

}  // namespace

std::string_view name(TokenFault fault) noexcept {
  return words[static_cast<std::size_t>(fault)].name;
}

std::string_view text(TokenFault fault) noexcept {
  return words[static_cast<std::size_t>(fault)].text;
}

}  // namespace sluice::identity
