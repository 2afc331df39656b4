// A log key that lies in a PKCS#11 token, such as a hardware security module, and signs
// there: it cannot be copied by whoever takes over the host, only used while they hold it.
//
// source   PKCS#11 3.0 §2.3.15 (CKM_EDDSA), RFC 7512 (its URIs), RFC 8032 (Ed25519)
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "audit/keys.h"
#include "base/result.h"

namespace sluice::audit {

struct TokenSettings {
  std::string uri;               ///< "pkcs11:token=…;object=…"; empty: no token.
  std::string origin;            ///< Of the log: a token's key does not say.
  std::filesystem::path module;  ///< The token's shared library.
  std::filesystem::path pin;     ///< A file; see read_secret_file.
  /// NAME=VALUE for the module, which may read them from then on. Nothing secret.
  std::vector<std::string> environment;
};

/// That they can be used, as far as that is to be seen without the module.
/// errors   not a URI of an object in a token, or one that brings its own module or PIN;
///          not an origin; not NAME=VALUE.
Result<void> check_token_settings(const TokenSettings& settings);

/// The caller erases it.
Result<std::string> read_pin(const TokenSettings& settings);

/// Loads the module, logs in and finds the key. The token and the key in it must each be
/// the only one that the URI describes. The session lives as long as the signer; once it
/// is lost each signature is an error.
///
/// A token that says that the next wrong PIN locks it is not asked: a service that is
/// started again and again must not do that. What stands for the key's seed is the hash of
/// a signature: Ed25519 gives the same one each time, which is checked.
Result<Signer> open_token_key(const TokenSettings& settings, const std::string& pin);
/// The same with the PIN read and erased.
Result<Signer> open_token_key(const TokenSettings& settings);

}  // namespace sluice::audit
