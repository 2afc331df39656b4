// Every way in which a response can be bad, each with its own reason.
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "saml_bench.h"

using namespace sluice;
using namespace sluice::test;
using saml::Fault;

namespace {

using Bench = const SamlBench&;

struct Case {
  const char* name;
  Fault fault;
  std::function<std::string(Bench)> make;
};

const std::string& key() {
  return saml_keys().rsa.key;
}
std::string response(Bench bench) {
  return response_xml(bench.names, assertion_xml(bench.names));
}
/// Changed first, then signed as the provider would: what it says is what is wrong.
Case said(const char* name, Fault fault, std::string from, std::string to) {
  return {name, fault, [from = std::move(from), to = std::move(to)](Bench bench) {
            return signed_xml(with(response(bench), from, to), "_a1", key());
          }};
}
/// The same of a signed response.
Case said_by_response(const char* name, Fault fault, std::string from, std::string to) {
  return {name, fault, [from = std::move(from), to = std::move(to)](Bench bench) {
            return signed_xml(with(response(bench), from, to), "_r1", key());
          }};
}
/// Signed first, then changed by somebody on the way.
Case changed(const char* name, Fault fault, std::string from, std::string to) {
  return {name, fault, [from = std::move(from), to = std::move(to)](Bench bench) {
            return with(bench.good(), from, to);
          }};
}
Case written(const char* name, Fault fault, SignatureForm form) {
  return {name, fault, [form = std::move(form)](Bench bench) {
            return signed_xml(response(bench), "_a1", key(), form);
          }};
}
/// With other names than those that fit.
Case named(const char* name, Fault fault, std::string SamlNames::*which, std::string value) {
  return {name, fault, [which, value = std::move(value)](Bench bench) {
            SamlNames names = bench.names;
            names.*which = value;
            return signed_xml(response_xml(bench.names, assertion_xml(names)), "_a1", key());
          }};
}

/// What the attacker would have believed.
std::string evil_assertion(Bench bench, std::string_view id = "_evil") {
  return assertion_xml(bench.names, id, "root");
}
std::string good_assertion(Bench bench) {
  return cut_out(bench.good(), "<saml:Assertion", "</saml:Assertion>");
}
std::string good_signature(Bench bench) {
  return cut_out(bench.good(), "<ds:Signature ", "</ds:Signature>");
}
std::string without_signature(Bench bench) {
  return with(good_assertion(bench), good_signature(bench), "");
}
/// Into an element, behind its issuer.
std::string inserted(std::string_view element, std::string_view what) {
  return with(element, "</saml:Issuer>", "</saml:Issuer>" + std::string(what));
}
std::string signed_response(Bench bench) {
  return signed_xml(response(bench), "_r1", key());
}
std::string without_declaration(std::string_view xml) {
  return std::string(xml.substr(xml.find("<samlp:Response")));
}
std::string evil_response(Bench bench, std::string_view more) {
  return inserted(response_xml(bench.names, evil_assertion(bench), "_evil_response"), more);
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += "<x>";
  for (std::size_t i = 0; i < depth; ++i) text += "</x>";
  return text;
}
std::string repeated(std::string_view what, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += what;
  return out;
}
std::string with_type(Bench bench, std::string_view type) {
  return with(bench.good(), "<samlp:Response", std::string(type) + "<samlp:Response");
}

const Case of_xml[] = {
    {"nothing", Fault::bad_xml, [](Bench) { return std::string(); }},
    {"no XML", Fault::bad_xml, [](Bench) { return std::string("{}"); }},
    {"truncated", Fault::bad_xml,
     [](Bench bench) { return bench.good().substr(0, bench.good().size() / 2); }},
    {"something behind it", Fault::bad_xml, [](Bench bench) { return bench.good() + "<more/>"; }},
    {"a prefix without a namespace", Fault::bad_xml,
     [](Bench bench) { return with(bench.good(), "<saml:Subject>", "<evil:x/><saml:Subject>"); }},
    {"not UTF-8", Fault::bad_xml,
     [](Bench bench) { return with(bench.good(), ">ann<", ">\xFF\xFE<"); }},
    {"UTF-16", Fault::bad_xml,
     [](Bench bench) {
       std::string wide = "\xFF\xFE";
       for (const char c : bench.good()) wide += {c, '\0'};
       return wide;
     }},
    {"a document type", Fault::document_type,
     [](Bench bench) { return with_type(bench, "<!DOCTYPE Response>"); }},
    {"an external entity", Fault::document_type,
     [](Bench bench) {
       return with_type(bench, R"(<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>)");
     }},
    {"a parameter entity", Fault::document_type,
     [](Bench bench) {
       return with_type(bench, R"(<!DOCTYPE r [<!ENTITY % x SYSTEM "http://evil/x"> %x;]>)");
     }},
    {"an external document type", Fault::document_type,
     [](Bench bench) { return with_type(bench, R"(<!DOCTYPE r SYSTEM "http://evil/x.dtd">)"); }},
    {"a billion laughs", Fault::document_type,
     [](Bench bench) {
       return with_type(bench, R"(<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">)"
                               R"(<!ENTITY c "&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;">]>)");
     }},
    {"an attribute by default", Fault::document_type,
     [](Bench bench) {
       return with_type(bench, R"(<!DOCTYPE r [<!ATTLIST Assertion ID ID "_a1">]>)");
     }},
    {"an entity of nobody's", Fault::bad_xml,
     [](Bench bench) { return with(bench.good(), ">ann<", ">&ann;<"); }},
    changed("a comment in the name", Fault::comment, ">ann<", ">ann<!-- -->.evil<"),
    changed("a comment elsewhere", Fault::comment, "<saml:Subject>", "<!-- --><saml:Subject>"),
    changed("a processing instruction", Fault::processing_instruction, ">ann<", "><?x?>ann<"),
    changed("a CDATA section", Fault::character_data, ">ann<", "><![CDATA[ann]]><"),
    {"deep nesting", Fault::too_deep,
     [](Bench bench) {
       return with(bench.good(), "<samlp:Status>", nested(200) + "<samlp:Status>");
     }},
    {"many elements", Fault::too_complex,
     [](Bench bench) {
       return with(bench.good(), "<samlp:Status>", repeated("<x/>", 5000) + "<samlp:Status>");
     }},
    {"many attributes", Fault::too_complex,
     [](Bench bench) {
       std::string attributes;
       for (int i = 0; i < 40; ++i) attributes += fmt::format(" a{}=\"\"", i);
       return with(bench.good(), "<samlp:Status>", "<samlp:Status" + attributes + ">");
     }},
    {"too much", Fault::too_large,
     [](Bench bench) { return bench.good() + std::string(256 << 10, ' '); }},
    {"far too much", Fault::too_large,
     [](Bench bench) { return bench.good() + std::string(1 << 20, ' '); }},
};

const Case of_shape[] = {
    {"an assertion alone", Fault::not_a_response, good_assertion},
    {"a request to log out", Fault::not_a_response,
     [](Bench) {
       return std::string(R"(<p:LogoutRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"/>)");
     }},
    {"a response of SAML 1.1", Fault::not_a_response,
     [](Bench) {
       return std::string(R"(<p:Response xmlns:p="urn:oasis:names:tc:SAML:1.0:protocol"/>)");
     }},
    {"another version", Fault::wrong_version,
     [](Bench bench) { return with(bench.good(), "Version=\"2.0\"", "Version=\"1.1\""); }},
    said("another version of the assertion", Fault::wrong_version, R"(ID="_a1" Version="2.0")",
         R"(ID="_a1" Version="2.1")"),
    said("an assertion in an assertion's advice", Fault::misplaced_assertion, "<saml:AuthnS",
         R"(<saml:Advice><saml:Assertion ID="_a0"/></saml:Advice><saml:AuthnS)"),
    {"an encrypted assertion", Fault::encrypted,
     [](Bench bench) {
       return response_xml(bench.names, "<saml:EncryptedAssertion></saml:EncryptedAssertion>");
     }},
    said("an encrypted name", Fault::encrypted, "<saml:SubjectConfirmation ",
         "<saml:EncryptedID/><saml:SubjectConfirmation "),
    said("an encrypted attribute", Fault::encrypted, "</saml:AttributeStatement>",
         "<saml:EncryptedAttribute/></saml:AttributeStatement>"),
    {"a sign-in that failed", Fault::not_successful,
     [](Bench bench) {
       return with(response_xml(bench.names, ""), "status:Success", "status:Responder");
     }},
    said_by_response("a failure with an assertion", Fault::not_successful, "status:Success",
                     "status:Requester"),
    said("no status", Fault::incomplete, R"(<samlp:StatusCode )", R"(<samlp:StatusDetail )"),
    {"no assertion", Fault::no_assertion,
     [](Bench bench) { return signed_xml(response_xml(bench.names, ""), "_r1", key()); }},
    {"two assertions, both signed", Fault::several_assertions,
     [](Bench bench) {
       const std::string two = assertion_xml(bench.names) + assertion_xml(bench.names, "_a2");
       const std::string once = signed_xml(response_xml(bench.names, two), "_a1", key());
       return signed_xml(once, "_a2", key());
     }},
    {"two assertions in a signed response", Fault::several_assertions,
     [](Bench bench) {
       const std::string two = assertion_xml(bench.names) + evil_assertion(bench);
       return signed_xml(response_xml(bench.names, two), "_r1", key());
     }},
    {"an ID that is no name", Fault::bad_id,
     [](Bench bench) { return with(bench.good(), R"(ID="_r1")", R"(ID="1 or 2")"); }},
    {"no ID", Fault::bad_id, [](Bench bench) { return with(bench.good(), R"(ID="_r1")", ""); }},
    changed("two elements of one ID", Fault::repeated_id, R"(ID="_r1")", R"(ID="_a1")"),
    changed("one of them in small letters", Fault::repeated_id, "<samlp:Status>",
            R"(<samlp:Status id="_a1">)"),
    changed("one of them by xml:id", Fault::repeated_id, "<samlp:Status>",
            R"(<samlp:Status xml:id="_a1">)"),
    said("an element in the name", Fault::mixed_content, ">ann<", ">ann<b/>.evil<"),
};

const Case of_signature[] = {
    {"no signature", Fault::not_signed, response},
    {"a signature that was taken out", Fault::not_signed,
     [](Bench bench) { return with(bench.good(), good_signature(bench), ""); }},
    {"a signature in the status", Fault::misplaced_signature,
     [](Bench bench) {
       return with(with(bench.good(), good_signature(bench), ""), "</samlp:Status>",
                   good_signature(bench) + "</samlp:Status>");
     }},
    {"a signature twice", Fault::several_signatures,
     [](Bench bench) {
       return with(bench.good(), good_signature(bench),
                   good_signature(bench) + good_signature(bench));
     }},
    {"the assertion's signature on the response", Fault::other_reference,
     [](Bench bench) {
       return inserted(with(bench.good(), good_signature(bench), ""), good_signature(bench));
     }},
    written("the whole document signed", Fault::other_reference, {.uri = "#xpointer(/)"}),
    written("another element signed", Fault::other_reference, {.uri = "#_r1"}),
    written("two things signed", Fault::several_references,
            {.more = R"(<ds:Reference URI="#_r1"><ds:DigestMethod )"
                     R"(Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>)"
                     R"(<ds:DigestValue></ds:DigestValue></ds:Reference>)"}),
    written("RSA with SHA-1", Fault::weak_algorithm,
            {.method = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}),
    written("a digest of SHA-1", Fault::weak_algorithm,
            {.digest = "http://www.w3.org/2000/09/xmldsig#sha1"}),
    changed("a shared secret", Fault::unknown_algorithm, "#rsa-sha256", "#hmac-sha256"),
    changed("RSA with SHA-224", Fault::unknown_algorithm, "#rsa-sha256", "#rsa-sha224"),
    changed("no algorithm", Fault::unknown_algorithm, "xmldsig-more#rsa-sha256", ""),
    changed("a digest that is not known", Fault::unknown_algorithm, "xmlenc#sha256",
            "xmlenc#ripemd160"),
    written("inclusive canonicalization", Fault::forbidden_canonicalization,
            {.canonicalization = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}),
    written("canonicalization with comments", Fault::forbidden_canonicalization,
            {.canonicalization = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"}),
    written("a transform by XPath", Fault::forbidden_transform,
            {.transforms = R"(<ds:Transform Algorithm="http://www.w3.org/TR/1999/)"
                           R"(REC-xpath-19991116"><ds:XPath>not(self::x)</ds:XPath>)"
                           R"(</ds:Transform>)"}),
    changed("a transform by XSLT", Fault::forbidden_transform,
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/TR/1999/REC-xslt-19991116"),
    written("no canonicalization of the element", Fault::forbidden_transform,
            {.transforms = R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/)"
                           R"(xmldsig#enveloped-signature"/>)"}),
    written("three transforms", Fault::forbidden_transform,
            {.transforms = SignatureForm().transforms +
                           R"(<ds:Transform Algorithm="http://www.w3.org/2001/10/)"
                           R"(xml-exc-c14n#"/>)"}),
    written("an object in the signature", Fault::signed_object,
            {.key_info = "<ds:Object><x/></ds:Object>"}),
    {"no value", Fault::bad_signature_form,
     [](Bench bench) {
       return with(bench.good(),
                   cut_out(bench.good(), "<ds:SignatureValue>", "</ds:SignatureValue>"), "");
     }},
    changed("a value that is not base64", Fault::bad_signature_form, "<ds:SignatureValue>",
            "<ds:SignatureValue>*"),
    changed("a limit on the signature's length", Fault::bad_signature_form,
            R"(xmldsig-more#rsa-sha256"/>)",
            R"(xmldsig-more#rsa-sha256"><ds:HMACOutputLength>1</ds:HMACOutputLength>)"
            R"(</ds:SignatureMethod>)"),
    changed("another name", Fault::wrong_digest, ">ann<", ">root<"),
    changed("another group", Fault::wrong_digest, ">staff<", ">admins<"),
    changed("an attribute more", Fault::wrong_digest, "<saml:Conditions ",
            R"(<saml:Conditions x="y" )"),
    {"another digest", Fault::wrong_signature,
     [](Bench bench) {
       // The evil assertion with the digest that it has, under the good one's signature.
       const std::string evil = signed_xml(
           response_xml(bench.names, assertion_xml(bench.names, "_a1", "root")), "_a1", key());
       const std::string value = cut_out(evil, "<ds:SignatureValue>", "</ds:SignatureValue>");
       return with(evil, value,
                   cut_out(bench.good(), "<ds:SignatureValue>", "</ds:SignatureValue>"));
     }},
    {"another's key", Fault::wrong_signature,
     [](Bench bench) { return signed_xml(response(bench), "_a1", saml_keys().stranger.key); }},
    {"another's key that it brings along", Fault::wrong_signature,
     [](Bench bench) {
       std::string pem = saml_keys().stranger.certificate;
       pem = pem.substr(pem.find('\n') + 1);
       pem = pem.substr(0, pem.find("-----END"));
       return signed_xml(response(bench), "_a1", saml_keys().stranger.key,
                         {.key_info = "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>" + pem +
                                      "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"});
     }},
    {"a signature of another type than the key", Fault::wrong_signature,
     [](Bench bench) { return with(bench.good(), "#rsa-sha256", "#ecdsa-sha256"); }},
};

// Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), as the
// tools that try them number them. The assertion that would be believed is root's.
const Case of_wrapping[] = {
    {"XSW1: the good response in the signature of an evil one", Fault::several_responses,
     [](Bench bench) {
       const std::string good = without_declaration(signed_response(bench));
       const std::string signature = cut_out(good, "<ds:Signature ", "</ds:Signature>");
       return evil_response(bench, with(signature, "</ds:Signature>",
                                        with(good, signature, "") + "</ds:Signature>"));
     }},
    {"XSW2: the good response beside its signature in an evil one", Fault::several_responses,
     [](Bench bench) {
       const std::string good = without_declaration(signed_response(bench));
       const std::string signature = cut_out(good, "<ds:Signature ", "</ds:Signature>");
       return evil_response(bench, with(good, signature, "") + signature);
     }},
    {"XSW3: an evil assertion before the good one", Fault::several_assertions,
     [](Bench bench) {
       return with(bench.good(), "<saml:Assertion", evil_assertion(bench) + "<saml:Assertion");
     }},
    {"XSW4: the good assertion in an evil one", Fault::misplaced_assertion,
     [](Bench bench) {
       return response_xml(bench.names, inserted(evil_assertion(bench), good_assertion(bench)));
     }},
    {"XSW5: an evil assertion with the signature, the good one at the end",
     Fault::several_assertions,
     [](Bench bench) {
       return response_xml(bench.names, inserted(evil_assertion(bench), good_signature(bench)) +
                                            without_signature(bench));
     }},
    {"XSW6: the good assertion in the signature of an evil one", Fault::misplaced_assertion,
     [](Bench bench) {
       const std::string signature = with(good_signature(bench), "</ds:Signature>",
                                          without_signature(bench) + "</ds:Signature>");
       return response_xml(bench.names, inserted(evil_assertion(bench), signature));
     }},
    {"XSW7: an evil assertion of the same ID in an extension", Fault::misplaced_assertion,
     [](Bench bench) {
       return with(
           bench.good(), "<samlp:Status>",
           "<samlp:Extensions>" + evil_assertion(bench) + "</samlp:Extensions><samlp:Status>");
     }},
    {"XSW8: the good assertion in an object of the evil one's signature",
     Fault::misplaced_assertion,
     [](Bench bench) {
       const std::string signature =
           with(good_signature(bench), "</ds:Signature>",
                "<ds:Object>" + without_signature(bench) + "</ds:Object></ds:Signature>");
       return response_xml(bench.names, inserted(evil_assertion(bench), signature));
     }},
    {"the good assertion's signature on an evil one of the same ID", Fault::wrong_digest,
     [](Bench bench) {
       return response_xml(bench.names,
                           inserted(evil_assertion(bench, "_a1"), good_signature(bench)));
     }},
    {"the good assertion's signature on an evil one", Fault::other_reference,
     [](Bench bench) {
       return response_xml(bench.names, inserted(evil_assertion(bench), good_signature(bench)));
     }},
    {"the good assertion somewhere else", Fault::misplaced_assertion,
     [](Bench bench) {
       return with(with(bench.good(), good_assertion(bench), ""), "<samlp:Status>",
                   "<x>" + good_assertion(bench) + "</x><samlp:Status>");
     }},
};

const Case of_content[] = {
    named("another's assertion", Fault::wrong_issuer, &SamlNames::issuer, "https://evil.example"),
    {"another's response", Fault::wrong_issuer,
     [](Bench bench) { return with(bench.good(), SamlNames().issuer, "https://evil.example"); }},
    said_by_response("no issuer", Fault::incomplete,
                     R"(IssueInstant="2027-01-15T08:00:00Z"><saml:Issuer>)"
                     "https://id.example.com/saml</saml:Issuer><saml:Subject>",
                     R"(IssueInstant="2027-01-15T08:00:00Z"><saml:Subject>)"),
    changed("another destination", Fault::wrong_destination, "/saml/acs\"", "/other\""),
    said_by_response("a signed response without a destination", Fault::wrong_destination,
                     R"(Destination="https://gateway.example.com/saml/acs")", ""),
    {"a response to nothing", Fault::unsolicited,
     [](Bench bench) {
       return with(bench.good(), fmt::format(R"( InResponseTo="{}">)", bench.names.request), ">");
     }},
    {"an assertion to nothing", Fault::unsolicited,
     [](Bench bench) {
       return signed_xml(
           with(response(bench), fmt::format(R"( InResponseTo="{}" R)", bench.names.request), " R"),
           "_a1", key());
     }},
    {"a response to another request", Fault::wrong_request,
     [](Bench bench) { return with(bench.good(), bench.names.request, "_other"); }},
    named("an assertion to another request", Fault::wrong_request, &SamlNames::request, "_other"),
    said("holder of key", Fault::no_bearer, "cm:bearer", "cm:holder-of-key"),
    named("another recipient", Fault::wrong_recipient, &SamlNames::consumer,
          "https://other.example.com/saml/acs"),
    said("no recipient", Fault::wrong_recipient,
         R"(Recipient="https://gateway.example.com/saml/acs")", ""),
    said("a confirmation without an end", Fault::incomplete,
         R"( NotOnOrAfter="2027-01-15T08:05:00Z")", ""),
    said("a confirmation that begins", Fault::incomplete, "<saml:SubjectConfirmationData ",
         R"(<saml:SubjectConfirmationData NotBefore="2027-01-15T07:00:00Z" )"),
    said("no confirmation data", Fault::wrong_recipient, "<saml:SubjectConfirmationData ",
         "<saml:Other "),
    said("a confirmation that is over", Fault::expired, "2027-01-15T08:05:00Z",
         "2027-01-15T07:58:59Z"),
    said("conditions that are over", Fault::expired, "2027-01-15T08:06:00Z",
         "2027-01-15T07:59:00Z"),
    said("conditions to come", Fault::not_yet_valid, "2027-01-15T07:59:00Z",
         "2027-01-15T08:01:01Z"),
    said("a time elsewhere", Fault::bad_time, "2027-01-15T07:59:00Z", "2027-01-15T07:59:00+00:00"),
    said("a time that is none", Fault::bad_time, "2027-01-15T08:06:00Z", "tomorrow"),
    said("a session that is over", Fault::session_over, "2027-01-15T18:00:00Z",
         "2027-01-15T07:00:00Z"),
    said("no authentication", Fault::incomplete,
         "saml:AuthnStatement AuthnInstant=\"2027-01-15T0"
         "8:00:00Z\" SessionNotOnOrAfter=\"2027-01-15T18:0"
         "0:00Z\"><saml:AuthnContext><saml:AuthnContextCla"
         "ssRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Pas"
         "sword</saml:AuthnContextClassRef></saml:AuthnCon"
         "text></saml:AuthnStatement>",
         "saml:Other/>"),
    said("no audience", Fault::no_audience,
         "<saml:AudienceRestriction><saml:Audience>https://gateway.example.com/saml/metadata"
         "</saml:Audience></saml:AudienceRestriction>",
         ""),
    named("another audience", Fault::wrong_audience, &SamlNames::audience,
          "https://gateway.example.com/saml/metadata/"),
    said("two audiences that must both be met", Fault::wrong_audience, "</saml:Conditions>",
         "<saml:AudienceRestriction><saml:Audience>other</saml:Audience>"
         "</saml:AudienceRestriction></saml:Conditions>"),
    said("a condition of its own", Fault::unknown_condition, "</saml:Conditions>",
         "<saml:Condition/></saml:Conditions>"),
    said("no subject", Fault::no_subject, ">ann<", "><"),
    said("a subject that changes", Fault::transient_subject, "nameid-format:persistent",
         "nameid-format:transient"),
    said("everybody", Fault::bad_subject, ">ann<", ">*<"),
    said("a subject with a line in it", Fault::bad_subject, ">ann<", ">ann\nroot<"),
    said("a long subject", Fault::bad_subject, ">ann<", ">" + std::string(300, 'a') + "<"),
    said("no groups", Fault::no_groups, R"(Name="groups")", R"(Name="roles")"),
    said("a group that is none", Fault::bad_groups, ">staff<", "><"),
    said("too many groups", Fault::too_many_groups, "<saml:AttributeValue>staff<",
         repeated("<saml:AttributeValue>g</saml:AttributeValue>", 512) +
             "<saml:AttributeValue>staff<"),
    said("groups twice", Fault::repeated_attribute, R"(Name="mail")", R"(Name="groups")"),
};

template <std::size_t Count>
std::size_t refuse_all(const Case (&cases)[Count]) {
  for (const Case& one : cases) {
    INFO(one.name);
    SamlBench bench;
    const auto verdict = bench.finish(one.make(bench));
    CHECK(name(verdict.fault) == name(one.fault));
    CHECK(verdict.principal.subject.empty());
    // Nothing of it is remembered: the good one is taken as ever.
    CHECK(name(bench.finish(bench.good()).fault) == "none");
  }
  return Count;
}

}  // namespace

TEST_CASE("Responses are refused for their XML") {
  CHECK(refuse_all(of_xml) > 20);
}
TEST_CASE("Responses are refused for what stands where") {
  CHECK(refuse_all(of_shape) > 15);
}
TEST_CASE("Responses are refused for their signature") {
  CHECK(refuse_all(of_signature) > 25);
}
TEST_CASE("Responses that are wrapped are refused") {
  CHECK(refuse_all(of_wrapping) > 8);
}
TEST_CASE("Responses are refused for what they say") {
  CHECK(refuse_all(of_content) > 30);
}

TEST_CASE("Each fault has a name of its own and a sentence") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < saml::faults; ++i) {
    const auto fault = static_cast<Fault>(i);
    CHECK(names.insert(name(fault)).second);
    CHECK(!text(fault).empty());
  }
}
