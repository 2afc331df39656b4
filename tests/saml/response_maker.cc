#include "response_maker.h"

#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/valid.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmltree.h>

#include <memory>
#include <stdexcept>

#include "saml/reader.h"

namespace sluice::test {
namespace {

const xmlChar* xml_text(const char* text) {
  return reinterpret_cast<const xmlChar*>(text);
}

std::string signature_xml(std::string_view id, const SignatureForm& form) {
  return fmt::format(
      R"(<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>)"
      R"(<ds:CanonicalizationMethod Algorithm="{}"/><ds:SignatureMethod Algorithm="{}"/>)"
      R"(<ds:Reference URI="{}"><ds:Transforms>{}</ds:Transforms><ds:DigestMethod Algorithm="{}"/>)"
      R"(<ds:DigestValue></ds:DigestValue></ds:Reference>{}</ds:SignedInfo><ds:SignatureValue>)"
      R"(</ds:SignatureValue>{}</ds:Signature>)",
      form.canonicalization, form.method, form.uri.empty() ? fmt::format("#{}", id) : form.uri,
      form.transforms, form.digest, form.more, form.key_info);
}

xmlNodePtr element_of(xmlNodePtr root, std::string_view id) {
  for (xmlNodePtr node = root; node != nullptr; node = node->next) {
    if (node->type != XML_ELEMENT_NODE) continue;
    if (const xmlAttrPtr attribute = xmlHasProp(node, xml_text("ID"))) {
      xmlAddID(nullptr, node->doc, attribute->children->content, attribute);
      if (reinterpret_cast<const char*>(attribute->children->content) == id) return node;
    }
    if (xmlNodePtr found = element_of(node->children, id)) return found;
  }
  return nullptr;
}

void must(bool is_good, const char* what) {
  if (!is_good) throw std::runtime_error(what);
}

}  // namespace

std::string assertion_xml(const SamlNames& names, std::string_view id, std::string_view subject) {
  return fmt::format(
      R"(<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{}" )"
      R"(Version="2.0" IssueInstant="2027-01-15T08:00:00Z"><saml:Issuer>{}</saml:Issuer>)"
      R"(<saml:Subject><saml:NameID )"
      R"(Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{}</saml:NameID>)"
      R"(<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">)"
      R"(<saml:SubjectConfirmationData InResponseTo="{}" Recipient="{}" )"
      R"(NotOnOrAfter="2027-01-15T08:05:00Z"/></saml:SubjectConfirmation></saml:Subject>)"
      R"(<saml:Conditions NotBefore="2027-01-15T07:59:00Z" NotOnOrAfter="2027-01-15T08:06:00Z">)"
      R"(<saml:AudienceRestriction><saml:Audience>{}</saml:Audience></saml:AudienceRestriction>)"
      R"(</saml:Conditions><saml:AuthnStatement AuthnInstant="2027-01-15T08:00:00Z" )"
      R"(SessionNotOnOrAfter="2027-01-15T18:00:00Z"><saml:AuthnContext>)"
      R"(<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password)"
      R"(</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>)"
      R"(<saml:AttributeStatement><saml:Attribute Name="groups">)"
      R"(<saml:AttributeValue>staff</saml:AttributeValue>)"
      R"(<saml:AttributeValue>payments</saml:AttributeValue></saml:Attribute>)"
      R"(<saml:Attribute Name="mail"><saml:AttributeValue>ann@example.com</saml:AttributeValue>)"
      R"(</saml:Attribute></saml:AttributeStatement></saml:Assertion>)",
      id, names.issuer, subject, names.request, names.consumer, names.audience);
}

std::string response_xml(const SamlNames& names, std::string_view assertion, std::string_view id) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>)"
      "\n"
      R"(<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" )"
      R"(xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{}" Version="2.0" )"
      R"(IssueInstant="2027-01-15T08:00:00Z" Destination="{}" InResponseTo="{}">)"
      R"(<saml:Issuer>{}</saml:Issuer><samlp:Status><samlp:StatusCode )"
      R"(Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{}</samlp:Response>)",
      id, names.consumer, names.request, names.issuer, assertion);
}

std::string signed_xml(const std::string& xml, std::string_view id, const std::string& key,
                       const SignatureForm& form) {
  must(saml::prepare_reader().has_value(), "xmlsec");
  const std::string mark = fmt::format(R"(ID="{}")", id);
  const std::string end = "</saml:Issuer>";
  std::string text = xml;
  text.insert(text.find(end, text.find(mark)) + end.size(), signature_xml(id, form));

  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr, XML_PARSE_NONET),
      xmlFreeDoc);
  must(document != nullptr, "the text to be signed is not XML");
  xmlNodePtr const element = element_of(xmlDocGetRootElement(document.get()), id);
  must(element != nullptr, "there is no element to be signed");
  xmlNodePtr const signature = xmlSecFindChild(element, xml_text("Signature"), xmlSecDSigNs);
  const std::unique_ptr<xmlSecDSigCtx, decltype(&xmlSecDSigCtxDestroy)> context(
      xmlSecDSigCtxCreate(nullptr), xmlSecDSigCtxDestroy);
  context->signKey = xmlSecOpenSSLAppKeyLoadMemory(
      reinterpret_cast<const xmlSecByte*>(key.data()), static_cast<xmlSecSize>(key.size()),
      xmlSecKeyDataFormatPem, nullptr, nullptr, nullptr);
  must(context->signKey != nullptr, "the key cannot be read");
  must(xmlSecDSigCtxSign(context.get(), signature) == 0, "the text cannot be signed");

  xmlChar* out = nullptr;
  int size = 0;
  xmlDocDumpMemoryEnc(document.get(), &out, &size, "UTF-8");
  std::string signed_text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  xmlFree(out);
  return signed_text;
}

std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  must(at != std::string::npos, "there is nothing to be replaced");
  return out.replace(at, from.size(), to);
}

std::string cut_out(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  const std::size_t to = from == text.npos ? from : text.find(end, from);
  must(to != text.npos, "there is nothing to be cut out");
  return std::string(text.substr(from, to + end.size() - from));
}

}  // namespace sluice::test
