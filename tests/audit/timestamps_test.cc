// Queries and responses of RFC 3161, with answers that OpenSSL's own authority signs.
#include "audit/timestamps.h"

#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>

#include <memory>

#include "log_fixture.h"

namespace sluice::audit {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* item) const noexcept {
    Free(item);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

/// An authority of its own, as `openssl ts -reply` is one.
class Authority {
 public:
  Authority() {
    X509_set_version(certificate_.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3'600);
    X509_NAME* const name = X509_get_subject_name(certificate_.get());
    const auto* text = reinterpret_cast<const unsigned char*>("Test TSA");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate_.get(), name);
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_EXTENSION* const usage =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, "critical,timeStamping");
    X509_add_ext(certificate_.get(), usage, -1);
    X509_EXTENSION_free(usage);
    REQUIRE(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
  }

  [[nodiscard]] std::string answer(const std::string& query) const {
    const std::unique_ptr<TS_RESP_CTX, Freed<TS_RESP_CTX_free>> context(TS_RESP_CTX_new());
    TS_RESP_CTX_set_signer_cert(context.get(), certificate_.get());
    TS_RESP_CTX_set_signer_key(context.get(), key_.get());
    TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256());
    TS_RESP_CTX_add_md(context.get(), EVP_sha256());
    const std::unique_ptr<ASN1_OBJECT, Freed<ASN1_OBJECT_free>> policy(OBJ_txt2obj("1.2.3.4.1", 1));
    TS_RESP_CTX_set_def_policy(context.get(), policy.get());
    const std::unique_ptr<BIO, Freed<BIO_free_all>> in(
        BIO_new_mem_buf(query.data(), static_cast<int>(query.size())));
    const std::unique_ptr<TS_RESP, Freed<TS_RESP_free>> response(
        TS_RESP_create_response(context.get(), in.get()));
    REQUIRE(response);
    std::string der(static_cast<std::size_t>(i2d_TS_RESP(response.get(), nullptr)), '\0');
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_TS_RESP(response.get(), &at);
    return der;
  }

 private:
  Key key_{EVP_EC_gen("P-256")};
  Certificate certificate_{X509_new()};
};

constexpr std::string_view note = "gateway.test/audit\n3\nroot\n\n— gateway.test/audit AAAA\n";

}  // namespace

TEST_CASE("An authority's answer says when a checkpoint existed") {
  const Authority authority;
  const auto query = timestamp_query(note);
  REQUIRE(query);
  const std::string response = authority.answer(*query);
  const auto before = WallTime{(std::time(nullptr) - 60) * std::int64_t{1'000'000'000}};
  const auto time = read_timestamp(response, note, *query);
  REQUIRE(time);
  CHECK(time->ns > before.ns);
  CHECK(time->ns < before.ns + 120'000'000'000);
  CHECK(read_timestamp(response, note)->ns == time->ns);
}

TEST_CASE("An answer to another query, or about another checkpoint, is none") {
  const Authority authority;
  const auto query = timestamp_query(note);
  const auto again = timestamp_query(note);
  REQUIRE(query);
  REQUIRE(again);
  CHECK(*query != *again);
  const std::string response = authority.answer(*query);
  CHECK_FALSE(read_timestamp(response, note, *again));
  CHECK_FALSE(read_timestamp(response, "another checkpoint"));
  CHECK_FALSE(read_timestamp(response + "x", note));
  CHECK_FALSE(read_timestamp(response.substr(0, response.size() - 1), note));
  CHECK_FALSE(read_timestamp({}, note));
  const auto refused = read_timestamp(authority.answer("no query"), note);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("refused") != std::string::npos);
}

TEST_CASE("Timestamps are kept with what they are about, in the order of the log") {
  const test::TemporaryFolder folder;
  CHECK(kept_timestamps(folder.path())->empty());
  REQUIRE(keep_timestamp(folder.path(), {20, "later", "two"}));
  REQUIRE(keep_timestamp(folder.path(), {3, "first", "one"}));
  write_file(folder.path() / timestamps_folder / timestamp_note_name(40), "no answer came");
  CHECK(*kept_timestamps(folder.path()) == std::vector<std::uint64_t>{3, 20});
  const auto loaded = load_timestamp(folder.path(), 20);
  REQUIRE(loaded);
  CHECK(loaded->note == "later");
  CHECK(loaded->response == "two");
  CHECK_FALSE(load_timestamp(folder.path(), 40));
}

}  // namespace sluice::audit
