#include "audit/token_key.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "audit/secret_file.h"
#include "audit/sha256.h"

namespace sluice::audit {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t attribute_bytes_max = 64;
/// Signed once, for its hash. It is no checkpoint: that begins with an origin, which has
/// no spaces.
constexpr std::string_view seed_label = "sluice seed of derived keys";
/// CKA_EC_POINT is the key itself in 3.0, and in most modules a DER OCTET STRING of it.
constexpr std::array<std::uint8_t, 2> octet_string{0x04, key_bytes};

struct UriFree {
  void operator()(P11KitUri* uri) const noexcept { ::p11_kit_uri_free(uri); }
};
using Uri = std::unique_ptr<P11KitUri, UriFree>;

Result<Uri> parse_uri(const std::string& text) {
  Uri uri(::p11_kit_uri_new());
  const int error = uri ? ::p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get())
                        : static_cast<int>(P11_KIT_URI_NO_MEMORY);
  if (error != P11_KIT_URI_OK) {
    return fail(fmt::format("'{}' is not a PKCS#11 URI (RFC 7512): {}", text,
                            ::p11_kit_uri_message(error)));
  }
  if (::p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    return fail(fmt::format("'{}' has a part that RFC 7512 does not know", text));
  }
  if (text.find('?') != std::string::npos) {
    return fail("the URI ends before '?': the module and the PIN are named in audit.token");
  }
  if (::p11_kit_uri_get_attribute(uri.get(), CKA_LABEL) == nullptr &&
      ::p11_kit_uri_get_attribute(uri.get(), CKA_ID) == nullptr) {
    return fail(fmt::format(
        "'{}' names no key; write pkcs11:token=LABEL;object=LABEL, or id= instead of object=",
        text));
  }
  // Both halves of the pair are looked for.
  ::p11_kit_uri_clear_attribute(uri.get(), CKA_CLASS);
  return uri;
}

/// Of one attribute, as it lies in a token.
struct Value {
  std::array<std::uint8_t, attribute_bytes_max> bytes{};
  std::size_t size = 0;
};

std::string label_of(const CK_TOKEN_INFO& token) {
  std::string label(reinterpret_cast<const char*>(token.label), sizeof token.label);
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

class TokenKey final : public PrivateKey {
 public:
  TokenKey() = default;
  ~TokenKey() override {
    if (functions_ == nullptr) return;
    ::p11_kit_module_finalize(functions_);  // closes the session
    ::p11_kit_module_release(functions_);
  }
  TokenKey(const TokenKey&) = delete;
  TokenKey& operator=(const TokenKey&) = delete;

  Result<void> open(const TokenSettings& settings, const std::string& pin) {
    auto uri = parse_uri(settings.uri);
    if (!uri) return tl::unexpected(uri.error());
    if (auto done = load(settings.module); !done) return done;
    const auto slot = find_token(uri->get(), settings);
    if (!slot) return tl::unexpected(slot.error());
    if (auto done = log_in(*slot, pin); !done) return done;
    const auto key = find_object(uri->get(), CKO_PRIVATE_KEY, "private key");
    if (!key) return tl::unexpected(key.error());
    const auto point = find_object(uri->get(), CKO_PUBLIC_KEY, "public key");
    if (!point) return tl::unexpected(point.error());
    key_ = *key;
    return take_public_key(*point);
  }

  [[nodiscard]] Result<Signature> sign(ByteView message) override {
    CK_MECHANISM mechanism{CKM_EDDSA, nullptr, 0};
    Signature out{};
    CK_ULONG length = out.size();
    CK_RV error = functions_->C_SignInit(session_, &mechanism, key_);
    if (error != CKR_OK) return refused("begin to sign", error);
    // It is not written to; the standard's types do not say so.
    error = functions_->C_Sign(session_, const_cast<CK_BYTE_PTR>(message.data()), message.size(),
                               out.data(), &length);
    if (error != CKR_OK) return refused("sign", error);
    if (length != out.size()) return fail("the token signs with something else than Ed25519");
    return out;
  }

  [[nodiscard]] ByteView public_key() const noexcept { return public_key_; }

 private:
  [[nodiscard]] tl::unexpected<Error> refused(std::string_view what, CK_RV error) const {
    return fail(
        fmt::format("the token '{}' cannot {}: {}", label_, what, ::p11_kit_strerror(error)));
  }

  Result<void> load(const std::filesystem::path& path) {
    functions_ = ::p11_kit_module_load(path.c_str(), P11_KIT_MODULE_UNMANAGED);
    if (functions_ == nullptr) {
      const char* reason = ::p11_kit_message();
      return fail(
          fmt::format("audit.token.module: cannot load {}: {}; name the shared library that "
                      "came with the token",
                      path.string(), reason == nullptr ? "no reason given" : reason));
    }
    const CK_RV error = ::p11_kit_module_initialize(functions_);
    if (error == CKR_OK) return {};
    ::p11_kit_module_release(std::exchange(functions_, nullptr));
    return fail(
        fmt::format("audit.token.module: {} cannot begin: {}; see audit.token.environment "
                    "for what it is to find",
                    path.string(), ::p11_kit_strerror(error)));
  }

  Result<CK_SLOT_ID> find_token(P11KitUri* uri, const TokenSettings& settings) {
    std::vector<CK_SLOT_ID> slots;
    CK_ULONG count = 0;
    CK_RV error = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
    if (error == CKR_OK) {
      slots.resize(count);
      error = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    }
    if (error != CKR_OK) return refused("list its slots", error);
    slots.resize(count);
    std::optional<CK_SLOT_ID> found;
    std::string labels;
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info{};
      if (functions_->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
      const std::string label = label_of(info);
      labels += fmt::format("{}'{}'", labels.empty() ? "" : ", ", label);
      if (::p11_kit_uri_match_token_info(uri, &info) != 1) continue;
      if (found) return fail(fmt::format("'{}' describes more than one token", settings.uri));
      found = slot;
      label_ = label;
      flags_ = info.flags;
    }
    if (found) return *found;
    return fail(fmt::format(
        "no token in {} is described by '{}'; it shows: {}. The signer's user (audit.signer.user) "
        "must be able to reach the token",
        settings.module.string(), settings.uri, labels.empty() ? "none" : labels));
  }

  Result<void> log_in(CK_SLOT_ID slot, const std::string& pin) {
    if ((flags_ & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY)) != 0) {
      return fail(fmt::format(
          "the token '{}' is locked, or would be by another wrong PIN: it is not tried. Log in "
          "once with the right PIN by the token's own tools, then start again",
          label_));
    }
    CK_RV error = functions_->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_);
    if (error != CKR_OK) return refused("open a session", error);
    std::string copy = pin;
    error = functions_->C_Login(session_, CKU_USER, reinterpret_cast<CK_UTF8CHAR_PTR>(copy.data()),
                                copy.size());
    OPENSSL_cleanse(copy.data(), copy.size());
    if (error == CKR_OK) return {};
    if (error == CKR_PIN_INCORRECT || error == CKR_PIN_LEN_RANGE || error == CKR_PIN_INVALID) {
      return fail(
          fmt::format("audit.token.pin: the token '{}' refuses it: {}. Correct the file "
                      "before the next start: wrong PINs lock a token",
                      label_, ::p11_kit_strerror(error)));
    }
    return refused("log in", error);
  }

  /// The one Ed25519 object of a class that the URI describes.
  Result<CK_OBJECT_HANDLE> find_object(P11KitUri* uri, CK_OBJECT_CLASS of, std::string_view what) {
    CK_ULONG described = 0;
    const CK_ATTRIBUTE* given = ::p11_kit_uri_get_attributes(uri, &described);
    std::vector<CK_ATTRIBUTE> wanted(given, given + described);
    CK_KEY_TYPE type = CKK_EC_EDWARDS;
    wanted.push_back({CKA_CLASS, &of, sizeof of});
    wanted.push_back({CKA_KEY_TYPE, &type, sizeof type});
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG count = 0;
    CK_RV error = functions_->C_FindObjectsInit(session_, wanted.data(), wanted.size());
    if (error == CKR_OK) {
      error = functions_->C_FindObjects(session_, found.data(), found.size(), &count);
      functions_->C_FindObjectsFinal(session_);
    }
    if (error != CKR_OK) return refused("look for the key", error);
    if (count == 1) return found[0];
    return fail(fmt::format(
        "the token '{}' holds {} Ed25519 {} that audit.signing_key describes; see what it holds "
        "with: pkcs11-tool --module MODULE --login --list-objects",
        label_, count == 0 ? "no" : "more than one", what));
  }

  std::optional<Value> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    Value value;
    CK_ATTRIBUTE wanted{type, value.bytes.data(), value.bytes.size()};
    if (functions_->C_GetAttributeValue(session_, object, &wanted, 1) != CKR_OK ||
        wanted.ulValueLen > value.bytes.size()) {
      return std::nullopt;
    }
    value.size = wanted.ulValueLen;
    return value;
  }

  Result<void> take_public_key(CK_OBJECT_HANDLE object) {
    const auto always = attribute(key_, CKA_ALWAYS_AUTHENTICATE);
    if (always && always->size == sizeof(CK_BBOOL) && always->bytes[0] != CK_FALSE) {
      return fail(
          "the key wants the PIN before each signature (CKA_ALWAYS_AUTHENTICATE); make one "
          "that does not");
    }
    const auto point = attribute(object, CKA_EC_POINT);
    if (!point) return fail("the token does not give the public key (CKA_EC_POINT)");
    ByteView bytes = ByteView(point->bytes).first(point->size);
    if (bytes.size() == octet_string.size() + key_bytes &&
        std::ranges::equal(bytes.first(octet_string.size()), octet_string)) {
      bytes = bytes.subspan(octet_string.size());
    }
    if (bytes.size() != key_bytes) return fail("the key's CKA_EC_POINT is not one of Ed25519");
    std::ranges::copy(bytes, public_key_.begin());
    return {};
  }

  CK_FUNCTION_LIST* functions_ = nullptr;
  std::string label_;
  CK_FLAGS flags_ = 0;
  CK_SESSION_HANDLE session_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
  std::array<std::uint8_t, key_bytes> public_key_{};
};

bool is_variable(std::string_view text) {
  const std::size_t name = text.find('=');
  return name != std::string_view::npos && name > 0;
}

}  // namespace

Result<void> check_token_settings(const TokenSettings& settings) {
  if (const auto uri = parse_uri(settings.uri); !uri) {
    return fail("audit.signing_key: " + uri.error().message);
  }
  if (!is_origin(settings.origin)) {
    return fail(
        fmt::format("audit.token.origin: \"{}\" is no log origin: 1 to {} visible ASCII "
                    "characters without \"+\", such as gateway1.example.com/audit",
                    settings.origin, origin_bytes_max));
  }
  for (const std::string& variable : settings.environment) {
    if (!is_variable(variable)) {
      return fail(fmt::format("audit.token.environment: '{}' is not NAME=VALUE", variable));
    }
  }
  return {};
}

Result<std::string> read_pin(const TokenSettings& settings) {
  auto pin = read_secret_file(settings.pin, "the token's PIN", "put it there with mode 0600");
  if (!pin) return fail("audit.token.pin: " + pin.error().message);
  while (pin->ends_with('\n') || pin->ends_with('\r')) pin->pop_back();
  if (pin->empty()) return fail("audit.token.pin: " + settings.pin.string() + " is empty");
  return pin;
}

Result<Signer> open_token_key(const TokenSettings& settings, const std::string& pin) {
  for (const std::string& variable : settings.environment) {
    const std::size_t name = variable.find('=');
    ::setenv(variable.substr(0, name).c_str(), variable.c_str() + name + 1, 1);
  }
  auto key = std::make_unique<TokenKey>();
  if (auto done = key->open(settings, pin); !done) return tl::unexpected(done.error());
  auto once = key->sign(as_bytes(seed_label));
  if (!once) return tl::unexpected(once.error());
  auto again = key->sign(as_bytes(seed_label));
  if (!again) return tl::unexpected(again.error());
  const bool is_same = *once == *again;
  Hash seed = sha256(*once);
  OPENSSL_cleanse(once->data(), once->size());
  OPENSSL_cleanse(again->data(), again->size());
  if (!is_same) {
    return fail(
        "the token gives another signature each time, which RFC 8032 does not; secrets that "
        "are made from one would change with it");
  }
  const auto public_key = key->public_key();
  auto signer = Signer::make(settings.origin, public_key, seed, std::move(key));
  OPENSSL_cleanse(seed.data(), seed.size());
  return signer;
}

Result<Signer> open_token_key(const TokenSettings& settings) {
  auto pin = read_pin(settings);
  if (!pin) return tl::unexpected(pin.error());
  auto signer = open_token_key(settings, *pin);
  OPENSSL_cleanse(pin->data(), pin->size());
  return signer;
}

}  // namespace sluice::audit
