// Which responses answer which requests, how often, and what a reader is not believed.
#include "saml/sign_in.h"

#include <catch2/catch.hpp>

#include "saml/message.h"
#include "saml_bench.h"

using namespace sluice;
using namespace sluice::test;
using saml::Fault;

namespace {

/// A reader that was taken over: what it gives of the element is changed.
template <class Change>
std::string lie(std::string_view message, Change change) {
  const std::string honest = saml::answer(message);
  auto element = saml::parse_signed_element(honest);
  if (!element) return honest;
  change(*element);
  return saml::encode(*element);
}

}  // namespace

TEST_CASE("A response is good once") {
  SamlBench bench;
  const std::string good = bench.good();
  CHECK(name(bench.finish(good).fault) == "none");
  CHECK(name(bench.finish(good).fault) == "replayed");
  const std::string another = signed_xml(
      response_xml(bench.names, assertion_xml(bench.names, "_b")), "_b", saml_keys().rsa.key);
  CHECK(name(bench.finish(another).fault) == "request_spent");
  // Neither is an assertion of the same ID, of another request.
  bench.begin();
  CHECK(name(bench.finish(bench.good()).fault) == "replayed");
}

TEST_CASE("A request is the gateway's own, of this browser, and not too old") {
  SamlBench bench;
  const std::string good = bench.good();
  const auto finish = [&](std::string_view request, std::string_view secret) {
    const auto verdict =
        bench.sign_ins.finish(*bench.provider, form_of(good, request), secret, bench.now);
    return name(verdict.fault);
  };
  CHECK(finish("_x", bench.browser_secret) == "unknown_request");
  CHECK(finish("", bench.browser_secret) == "unknown_request");
  std::string changed = bench.names.request;
  changed[5] = changed[5] == 'A' ? 'B' : 'A';
  CHECK(finish(changed, bench.browser_secret) == "unknown_request");
  CHECK(finish(bench.names.request, "") == "other_browser");
  CHECK(finish(bench.names.request, bench.browser_secret + "A") == "other_browser");
  const SamlBench other;
  saml::SignIns elsewhere({9}, saml::answer);
  CHECK(elsewhere
            .finish(*bench.provider, form_of(good, bench.names.request), bench.browser_secret,
                    bench.now)
            .fault == Fault::unknown_request);
  bench.now = bench.now + seconds(600);
  CHECK(finish(bench.names.request, bench.browser_secret) == "request_expired");
}

TEST_CASE("Two requests have different names and secrets") {
  SamlBench bench;
  const SamlNames first = bench.names;
  const std::string secret = bench.browser_secret;
  bench.begin();
  CHECK(bench.names.request != first.request);
  CHECK(bench.browser_secret != secret);
}

TEST_CASE("A form is read strictly") {
  SamlBench bench;
  const std::string good = form_of(bench.good(), bench.names.request);
  const auto finish = [&](const std::string& form) {
    return name(
        bench.sign_ins.finish(*bench.provider, form, bench.browser_secret, bench.now).fault);
  };
  CHECK(finish("") == "bad_form");
  CHECK(finish("SAMLResponse=x") == "bad_form");
  CHECK(finish("RelayState=x") == "bad_form");
  CHECK(finish(good + "&SAMLResponse=x") == "bad_form");
  CHECK(finish(good + "&RelayState=" + bench.names.request) == "bad_form");
  CHECK(finish("SAMLResponse&" + good) == "bad_form");
  CHECK(finish("SAMLResponse=%4&RelayState=x") == "bad_form");
  CHECK(finish("SAMLResponse=%zz&RelayState=x") == "bad_form");
  CHECK(finish("SAMLResponse=*&RelayState=" + bench.names.request) == "bad_base64");
  CHECK(finish("SAMLResponse=AAA&RelayState=" + bench.names.request) == "bad_base64");
  CHECK(finish(std::string(saml::form_bytes_max + 1, 'x')) == "too_large");
  CHECK(finish("other=1&" + good) == "none");
}

TEST_CASE("base64 may be in lines, as browsers post it") {
  SamlBench bench;
  std::string text = to_base64(as_bytes(bench.good()));
  for (std::size_t at = 76; at < text.size(); at += 78) text.insert(at, "\r\n");
  const std::string form =
      "RelayState=" + bench.names.request + "&SAMLResponse=" + percent_encoded(text);
  CHECK(name(bench.sign_ins.finish(*bench.provider, form, bench.browser_secret, bench.now).fault) ==
        "none");
}

TEST_CASE("What a reader gives as signed is checked without it") {
  const auto fault_of = [](auto change) {
    SamlBench bench(saml_settings(),
                    [change](std::string_view message) { return lie(message, change); });
    return name(bench.finish(bench.good()).fault);
  };
  using Element = saml::SignedElement;
  CHECK(fault_of([](Element&) {}) == "none");
  CHECK(fault_of([](Element& e) { e.element = with(e.element, ">ann<", ">root<"); }) ==
        "reader_contradicted");
  CHECK(fault_of([](Element& e) { e.signed_info += ' '; }) == "reader_contradicted");
  CHECK(fault_of([](Element& e) { e.signature[0] ^= 1; }) == "reader_contradicted");
  CHECK(fault_of([](Element& e) { e.algorithm = config::JwsAlgorithm::rs512; }) ==
        "reader_contradicted");
  CHECK(fault_of([](Element& e) { e.algorithm = config::JwsAlgorithm::es384; }) ==
        "wrong_signature");
  // The digest of another element, where nobody signed it.
  CHECK(fault_of([](Element& e) {
          const SamlBench bench;
          SamlNames names = bench.names;
          const std::string evil =
              signed_xml(response_xml(names, assertion_xml(names, "_a1", "root")), "_a1",
                         saml_keys().stranger.key);
          const auto other =
              saml::parse_signed_element(saml::answer(saml::encode(saml::SignedElementRequest{
                  must(saml::ProviderKeys::read(saml_keys().stranger.certificate)).public_keys(),
                  evil})));
          e.element = other->element;
          e.signed_info = other->signed_info;
        }) == "reader_contradicted");
}

TEST_CASE("A reader that ends without an answer signs nobody in") {
  SamlBench bench(saml_settings(), [](std::string_view) { return std::string(); });
  CHECK(name(bench.finish(bench.good()).fault) == "reader_failed");
}
