#include "saml/signature.h"

#include <libxml/parser.h>
#include <libxml/valid.h>
#include <libxml/xmlerror.h>
#include <openssl/crypto.h>
#include <xmlsec/base64.h>
#include <xmlsec/buffer.h>
#include <xmlsec/errors.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text_codec.h"

namespace sluice::saml {
namespace {

using config::JwsAlgorithm;

struct Method {
  std::string_view uri;
  JwsAlgorithm algorithm;
};
constexpr std::array methods{
    Method{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", JwsAlgorithm::rs256},
    Method{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", JwsAlgorithm::rs384},
    Method{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", JwsAlgorithm::rs512},
    Method{"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", JwsAlgorithm::es256},
    Method{"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", JwsAlgorithm::es384}};

constexpr std::array<std::string_view, 3> digests{"http://www.w3.org/2001/04/xmlenc#sha256",
                                                  "http://www.w3.org/2001/04/xmldsig-more#sha384",
                                                  "http://www.w3.org/2001/04/xmlenc#sha512"};

constexpr std::string_view exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
constexpr std::string_view enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

bool is_weak(std::string_view uri) {
  return uri.ends_with("sha1") || uri.ends_with("md5");
}

/// The children must be these, in this order.
std::optional<std::vector<xmlNodePtr>> exactly(const xmlNode& parent,
                                               std::initializer_list<std::string_view> names) {
  auto found = children(parent);
  const bool fits = std::ranges::equal(found, names, [](const xmlNode* child, auto name) {
    return is_element(*child, ns::signature, name);
  });
  if (!fits) return std::nullopt;
  return found;
}

/// Exclusive canonicalization may list prefixes; nothing else has parameters here.
bool has_only_prefixes(const xmlNode& element) {
  const auto inside = children(element);
  return inside.empty() ||
         (inside.size() == 1 && is_element(*inside.front(), exclusive, "InclusiveNamespaces"));
}

Fault check_transforms(const xmlNode& transforms) {
  // Without canonicalization at the end, the inclusive one would be meant (§4.4.3.2).
  const auto both = exactly(transforms, {"Transform", "Transform"});
  const bool is_taken = both && attribute(*both->front(), "Algorithm") == enveloped &&
                        children(*both->front()).empty() &&
                        attribute(*both->back(), "Algorithm") == exclusive &&
                        has_only_prefixes(*both->back());
  return is_taken ? Fault::none : Fault::forbidden_transform;
}

Fault check_reference(const xmlNode& reference, const std::string& id) {
  if (attribute(reference, "URI") != "#" + id) return Fault::other_reference;
  const auto parts = exactly(reference, {"Transforms", "DigestMethod", "DigestValue"});
  if (!parts) return Fault::bad_signature_form;
  const auto& [transforms, method, value] = std::tie((*parts)[0], (*parts)[1], (*parts)[2]);
  const std::string digest = attribute(*method, "Algorithm");
  if (is_weak(digest)) return Fault::weak_algorithm;
  if (std::ranges::find(digests, digest) == digests.end()) return Fault::unknown_algorithm;
  if (!children(*method).empty() || !text_of(*value)) return Fault::bad_signature_form;
  return check_transforms(*transforms);
}

/// SignedInfo, before anything is computed by what it says.
Result<JwsAlgorithm, Fault> check_signed_info(const xmlNode& info, const std::string& id) {
  const auto refuse = [](Fault fault) { return tl::unexpected(fault); };
  if (children(info, ns::signature, "Reference").size() > 1) {
    return refuse(Fault::several_references);
  }
  const auto parts = exactly(info, {"CanonicalizationMethod", "SignatureMethod", "Reference"});
  if (!parts) return refuse(Fault::bad_signature_form);
  const auto& [canonicalization, method, reference] =
      std::tie((*parts)[0], (*parts)[1], (*parts)[2]);
  if (attribute(*canonicalization, "Algorithm") != exclusive ||
      !has_only_prefixes(*canonicalization)) {
    return refuse(Fault::forbidden_canonicalization);
  }
  const std::string uri = attribute(*method, "Algorithm");
  if (is_weak(uri)) return refuse(Fault::weak_algorithm);
  const auto* const known = std::ranges::find(methods, uri, &Method::uri);
  if (known == methods.end()) return refuse(Fault::unknown_algorithm);
  if (!children(*method).empty()) return refuse(Fault::bad_signature_form);
  if (const Fault fault = check_reference(*reference, id); fault != Fault::none) {
    return refuse(fault);
  }
  return known->algorithm;
}

struct Parts {
  xmlNodePtr info = nullptr;
  xmlNodePtr value = nullptr;
};
Result<Parts, Fault> parts_of(const xmlNode& signature) {
  if (!children(signature, ns::signature, "Object").empty()) {
    return tl::unexpected(Fault::signed_object);
  }
  auto parts = exactly(signature, {"SignedInfo", "SignatureValue", "KeyInfo"});
  if (!parts) parts = exactly(signature, {"SignedInfo", "SignatureValue"});
  if (!parts) return tl::unexpected(Fault::bad_signature_form);
  return Parts{(*parts)[0], (*parts)[1]};
}

std::string copy_of(xmlSecBufferPtr buffer) {
  if (buffer == nullptr) return {};
  return std::string(as_text({xmlSecBufferGetData(buffer), xmlSecBufferGetSize(buffer)}));
}

struct FreeContext {
  void operator()(xmlSecDSigCtxPtr context) const noexcept { xmlSecDSigCtxDestroy(context); }
};

/// One key's word on a signature. errors  wrong_digest, wrong_signature
Fault try_key(xmlNodePtr signature, std::string_view key, SignedElement& out) {
  const std::unique_ptr<xmlSecDSigCtx, FreeContext> context(xmlSecDSigCtxCreate(nullptr));
  if (!context) return Fault::reader_failed;
  const ByteView der = as_bytes(key);
  context->signKey =
      xmlSecOpenSSLAppKeyLoadMemory(der.data(), static_cast<xmlSecSize>(der.size()),
                                    xmlSecKeyDataFormatDer, nullptr, nullptr, nullptr);
  if (context->signKey == nullptr) return Fault::reader_failed;
  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  context->flags =
      XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES | XMLSEC_DSIG_FLAGS_STORE_SIGNATURE;
  const bool is_processed = xmlSecDSigCtxVerify(context.get(), signature) == 0;

  auto* const reference = static_cast<xmlSecDSigReferenceCtxPtr>(
      xmlSecPtrListGetItem(&context->signedInfoReferences, 0));
  if (reference != nullptr && reference->status == xmlSecDSigStatusInvalid) {
    return Fault::wrong_digest;
  }
  // A key of another type than the algorithm's is one that did not make it.
  if (!is_processed || context->status != xmlSecDSigStatusSucceeded || reference == nullptr) {
    return Fault::wrong_signature;
  }
  out.signed_info = copy_of(xmlSecDSigCtxGetPreSignBuffer(context.get()));
  out.element = copy_of(xmlSecDSigReferenceCtxGetPreDigestBuffer(reference));
  return Fault::none;
}

/// base64 as people break it into lines.
std::optional<std::string> decoded(const xmlNode& element) {
  auto text = text_of(element);
  if (!text) return std::nullopt;
  std::erase_if(*text, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  const auto bytes = from_base64(*text);
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

void say_nothing(void* /*context*/, const char* /*format*/, ...) {}  // NOLINT: libxml2's type

void say_no_error(const char* /*file*/, int /*line*/, const char* /*function*/,
                  const char* /*object*/, const char* /*subject*/, int /*reason*/,
                  const char* /*message*/) {}

}  // namespace

Result<void> prepare_signatures() {
  static const bool is_prepared = [] {
    xmlInitParser();
    xmlSetGenericErrorFunc(nullptr, say_nothing);
    // OpenSSL would read its configuration for the first algorithm that is asked for.
    const bool is_good = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr) == 1 &&
                         xmlSecInit() == 0 && xmlSecOpenSSLInit() == 0;
    xmlSecErrorsSetCallback(say_no_error);
    return is_good;
  }();
  if (!is_prepared) return fail("xmlsec1 cannot be set up");
  return {};
}

Result<SignedElement, Fault> verify_signature(const XmlDocument& document, xmlNodePtr signature,
                                              const std::vector<std::string>& keys) {
  const std::string id = attribute(*signature->parent, "ID");
  const auto parts = parts_of(*signature);
  if (!parts) return tl::unexpected(parts.error());
  const auto algorithm = check_signed_info(*parts->info, id);
  if (!algorithm) return tl::unexpected(algorithm.error());
  auto value = decoded(*parts->value);
  if (!value) return tl::unexpected(Fault::bad_signature_form);
  SignedElement out;
  out.algorithm = *algorithm;
  out.signature = std::move(*value);

  xmlAttrPtr const name =
      xmlHasNsProp(signature->parent, reinterpret_cast<const xmlChar*>("ID"), nullptr);
  xmlAddID(nullptr, document.get(), reinterpret_cast<const xmlChar*>(id.c_str()), name);
  Fault fault = Fault::wrong_signature;
  for (const std::string& key : keys) {
    fault = try_key(signature, key, out);
    if (fault != Fault::wrong_signature) break;
  }
  if (fault != Fault::none) return tl::unexpected(fault);
  return out;
}

}  // namespace sluice::saml
