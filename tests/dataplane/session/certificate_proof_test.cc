// What a connection's certificate proves from its first request to its last, through reloads that
// revoke it, trust others, or ask for none.
#include "dataplane/session/certificate_proof.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "session_bench.h"
#include "snapshot_of.h"
#include "tls/client_handshake.h"

using namespace sluice;
using namespace sluice::dataplane;
using identity::CertificateFault;

namespace {

struct World {
  test::Pem client = test::make_certificate({.names = "URI:spiffe://corp/ns/pay/sa/batch"},
                                            &test::test_authority());
  test::Pem gateway = test::test_certificate("DNS:gw.test");
  std::string ca = test::test_authority().certificate;
  std::string crl = test::make_crl(test::test_authority(), {});
  std::string asked = "required";
  std::string more;  ///< Of the listener's `tls`.
  std::string rule = R"({spiffe: "spiffe://corp/ns/*/sa/*", as: "{2}", groups: ["{1}"]})";
  std::string identity = "anonymous: false";

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot(std::uint64_t generation) const {
    const bool asks = asked != "off";
    std::string text =
        R"(version: 1
listeners:
  - {name: payments, address: "127.0.0.1:8443", protocol: http, target: api, forwarded: append,
     tls: {certificate: file:gw.crt, key: file:gw.key, client_certificate: )" +
        asked + more + R"(}}
targets:
  - {name: api, addresses: ["127.0.0.1:9001"]}
identity:
  api_keys: file:keys.yaml
  )" + identity +
        (asks ? "\n  mtls: {client_ca: file:ca.crt, crl: file:ca.crl, principals: [" + rule + "]}"
              : "") +
        R"(
audit: {directory: audit, signing_key: file:audit.key}
policies:
  - {name: payers may all, principals: {groups: [pay]}, ruling: allow}
)";
    const std::array<std::uint8_t, 16> salt{1, 2, 3};
    const std::string keys = test::must(
        identity::make_login_entry("ann", "ann", {"pay"}, {INT64_MAX}, "open sesame", salt));
    return test::snapshot_of(text, keys, "unused", generation,
                             {{"gw.crt", gateway.certificate},
                              {"gw.key", gateway.key},
                              {"ca.crt", ca},
                              {"ca.crl", crl}});
  }
  /// As a handshake would have it.
  [[nodiscard]] std::shared_ptr<const PeerCertificate> shown() const {
    return meet(client, test::client_certificates(ca, crl)).shown;
  }
};

WallTime clock_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

constexpr std::string_view request = "GET /a HTTP/1.1\r\nHost: api\r\n\r\n";
/// "ann:open sesame"
constexpr std::string_view request_of_ann =
    "GET /a HTTP/1.1\r\nHost: api\r\nAuthorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n\r\n";

}  // namespace

TEST_CASE("A certificate proves its principal until it is revoked, and never again") {
  World world;
  const WallTime now = clock_now();
  CertificateProof proof(world.shown());
  const auto& answer = proof.prove(*world.snapshot(1), 0, now);
  REQUIRE(answer.principal != nullptr);
  CHECK(answer.principal->subject == "batch");
  CHECK(answer.principal->groups == std::vector<std::string>{"pay"});
  CHECK(proof.fingerprint().size() == 32);
  const auto before = answer.principal;
  CHECK(proof.prove(*world.snapshot(1), 0, now).principal == before);

  SECTION("by a reload's list") {
    world.crl = test::make_crl(test::test_authority(), {world.client});
    CHECK(proof.prove(*world.snapshot(2), 0, now).fault == CertificateFault::revoked);
    CHECK(proof.prove(*world.snapshot(2), 0, now).principal == nullptr);
  }
  SECTION("or the authority is trusted no longer") {
    const test::Pem other = test::make_certificate({.common_name = "other", .is_authority = true});
    world.ca = other.certificate;
    world.crl = test::make_crl(other, {});
    CHECK(proof.prove(*world.snapshot(2), 0, now).fault == CertificateFault::untrusted);
  }
  SECTION("or another rule makes somebody else of it") {
    world.rule = R"({spiffe: "spiffe://corp/**", as: "all-{1}"})";
    CHECK(proof.prove(*world.snapshot(2), 0, now).principal->subject == "all-ns/pay/sa/batch");
    world.rule = R"({dns: "*.test"})";
    CHECK(proof.prove(*world.snapshot(3), 0, now).fault == CertificateFault::unmapped);
  }
  SECTION("or its list has expired, or it has itself") {
    CHECK(proof.prove(*world.snapshot(1), 0, now + seconds(3700)).fault ==
          CertificateFault::expired);
  }
  SECTION("or nobody asks for one any more") {
    world.asked = "off";
    const auto& none = proof.prove(*world.snapshot(2), 0, now);
    CHECK(none.fault == CertificateFault::none);
    CHECK(none.principal == nullptr);
  }
}

TEST_CASE("Where a certificate is required, a connection without one is refused") {
  World world;
  CertificateProof proof(nullptr);
  CHECK(proof.prove(*world.snapshot(1), 0, clock_now()).fault == CertificateFault::missing);
  CHECK(proof.fingerprint().empty());
  world.asked = "optional";
  CHECK(proof.prove(*world.snapshot(2), 0, clock_now()).fault == CertificateFault::none);
}

TEST_CASE("A request without a credential is its certificate's") {
  World world;
  SessionBench bench(world.snapshot(1), world.shown());
  bench.worker().now.wall = clock_now();
  bench.client_sends(request);
  bench.connect_upstream();
  CHECK(bench.to_upstream().starts_with("GET /a HTTP/1.1\r\n"));
}

TEST_CASE("A request with a credential is that one's, on a connection whose certificate holds") {
  World world;
  world.rule = R"({dns: "*.test"})";  // the certificate is nobody's
  SessionBench bench(world.snapshot(1), world.shown());
  bench.worker().now.wall = clock_now();
  SECTION("and one without is refused, even where anonymous callers are taken") {
    world.identity = "anonymous: true";
    bench.adopt(world.snapshot(2));
    bench.client_sends(request);
    CHECK(bench.to_client().starts_with("HTTP/1.1 401 "));
    CHECK(bench.worker().metrics.certificates_refused[1].read() == 1);
  }
  SECTION("by its own proof") {
    bench.client_sends(request_of_ann);
    bench.prove();
    bench.connect_upstream();
    CHECK(bench.to_upstream().starts_with("GET /a HTTP/1.1\r\n"));
  }
  SECTION("but not when it was revoked") {
    world.crl = test::make_crl(test::test_authority(), {world.client});
    bench.adopt(world.snapshot(2));
    bench.client_sends(request_of_ann);
    const std::string answer = bench.to_client();
    CHECK(answer.starts_with("HTTP/1.1 401 "));
    CHECK(answer.find("Connection: close\r\n") != std::string::npos);
    CHECK(answer.find("revoked") == std::string::npos);
  }
  SECTION("nor with a wrong credential") {
    std::string wrong(request_of_ann);
    wrong.replace(wrong.find("YW5u"), 4, "Ym9i");
    bench.client_sends(wrong);
    bench.prove();
    CHECK(bench.to_client().starts_with("HTTP/1.1 401 "));
  }
}

TEST_CASE("A target is told of the certificate where that is asked for, and by nobody else") {
  World world;
  const std::string claims =
      "GET /a HTTP/1.1\r\nHost: api\r\nX-Forwarded-Client-Cert: "
      "By=evil\r\nX_Forwarded_Client_Cert: "
      "b\r\nClient-Cert: :AAAA:\r\nclient-cert-chain: :AAAA:\r\nX-Kept: 1\r\n\r\n";
  SECTION("asked for") {
    world.more = ", forward_client_certificate: true";
    SessionBench bench(world.snapshot(1), world.shown());
    bench.worker().now.wall = clock_now();
    bench.client_sends(claims);
    bench.connect_upstream();
    const std::string head = bench.to_upstream();
    INFO(head);
    CHECK(head.find("X-Forwarded-Client-Cert: Hash=") != std::string::npos);
    CHECK(head.find(";URI=spiffe://corp/ns/pay/sa/batch\r\n") != std::string::npos);
    CHECK(head.find("evil") == std::string::npos);
    CHECK(head.find("AAAA") == std::string::npos);
    CHECK(head.find("X_Forwarded") == std::string::npos);
    CHECK(head.find("X-Kept: 1\r\n") != std::string::npos);
  }
  SECTION("not asked for") {
    SessionBench bench(world.snapshot(1), world.shown());
    bench.worker().now.wall = clock_now();
    bench.client_sends(claims);
    bench.connect_upstream();
    const std::string head = bench.to_upstream();
    INFO(head);
    CHECK(head.find("lient-") == std::string::npos);
    CHECK(head.find("AAAA") == std::string::npos);
  }
}
