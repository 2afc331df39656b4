#include "identity/jwk_set.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "base/text_codec.h"
#include "token_bench.h"

using namespace sluice;
using namespace sluice::identity;
using namespace sluice::test;
using config::JwsAlgorithm;

namespace {

// RFC 7515, appendices A.2 to A.4; RFC 8037, appendix A.4.
constexpr const char* rsa_key =
    R"({"kty":"RSA","kid":"a2","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
constexpr const char* p256_key =
    R"({"kty":"EC","kid":"a3","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr const char* p521_key =
    R"({"kty":"EC","kid":"a4","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})";
constexpr const char* ed25519_key =
    R"({"kty":"OKP","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

struct Vector {
  const char* key;
  JwsAlgorithm algorithm;
  const char* text;
  const char* signature;
};
const Vector vectors[] = {
    {rsa_key, JwsAlgorithm::rs256,
     "eyJhbGciOiJSUzI1NiJ9."
     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
     "fQ",
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {p256_key, JwsAlgorithm::es256,
     "eyJhbGciOiJFUzI1NiJ9."
     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
     "fQ",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {p521_key, JwsAlgorithm::es512, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
     "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8G"
     "aSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
    {ed25519_key, JwsAlgorithm::eddsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
};

/// Why the only key of a set is skipped; empty when it is taken.
std::string fault_of(std::string_view jwk) {
  const std::string good = provider_keys().ed25519.jwk("good");
  const auto set = parse_jwk_set(fmt::format(R"({{"keys":[{},{}]}})", jwk, good));
  REQUIRE(set);
  return set->skipped.empty() ? std::string() : std::string(set->skipped.front().why);
}

}  // namespace

TEST_CASE("the signatures of RFC 7515 and RFC 8037 hold, and no others") {
  for (const Vector& vector : vectors) {
    INFO(vector.text);
    const auto set = parse_jwk_set(key_set({vector.key}));
    REQUIRE(set);
    REQUIRE(set->keys.size() == 1);
    const Jwk& key = set->keys.front();
    CHECK(key.algorithms.test(static_cast<std::size_t>(vector.algorithm)));
    auto signature = *from_base64url(vector.signature);
    CHECK(verify_signature(key, vector.algorithm, vector.text, signature));
    CHECK_FALSE(verify_signature(key, vector.algorithm, std::string(vector.text) + "x", signature));
    signature.back() ^= 1;
    CHECK_FALSE(verify_signature(key, vector.algorithm, vector.text, signature));
    CHECK_FALSE(verify_signature(key, vector.algorithm, vector.text, {}));
  }
}

TEST_CASE("a key is for the algorithms of its type and curve, and for its own alone") {
  const ProviderKeys& made = provider_keys();
  const auto set = parse_jwk_set(key_set(
      {made.rsa.jwk("a"), made.rsa.jwk("b", R"(,"alg":"PS384","key_ops":["verify"],"use":"sig")"),
       made.p256.jwk("c"), made.p384.jwk("d"), made.p521.jwk("e"),
       made.ed25519.jwk("f", R"(,"alg":"EdDSA","x5t":"abc","nbf":1)")}));
  REQUIRE(set);
  CHECK(set->skipped.empty());
  const unsigned long wanted[] = {0b0000111111, 0b0000010000, 0b0001000000,
                                  0b0010000000, 0b0100000000, 0b1000000000};
  REQUIRE(set->keys.size() == std::size(wanted));
  for (std::size_t i = 0; i < std::size(wanted); ++i) {
    CHECK(set->keys[i].algorithms.to_ulong() == wanted[i]);
  }
}

TEST_CASE("a key that proves nothing is skipped with its reason") {
  const ProviderKeys& made = provider_keys();
  const std::string p256 = made.p256.jwk("k");
  const std::string x = p256.substr(p256.find(R"("x":")") + 5, 43);
  std::string elsewhere = x;
  elsewhere[20] = elsewhere[20] == 'A' ? 'B' : 'A';
  const std::string rsa = made.rsa.jwk("k");
  struct Case {
    std::string jwk;
    std::string why;
  };
  const Case cases[] = {
      {"1", "not an object"},
      {R"({"kid":7,"kty":"RSA"})", "a key with a bad 'kid'"},
      {R"({"kid":"","kty":"RSA"})", "a key with a bad 'kid'"},
      {R"({"kid":"k"})", "a key without 'kty'"},
      {R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})",
       "a shared secret, which proves nothing to its other holders"},
      {R"({"kty":"new"})", "a key of an unknown type"},
      {made.p256.jwk("k", R"(,"d":"abcd")"), "a private key, published"},
      {made.p256.jwk("k", R"(,"use":"enc")"), "a key for another use"},
      {made.p256.jwk("k", R"(,"use":7)"), "a key for another use"},
      {made.p256.jwk("k", R"(,"key_ops":["sign"])"), "a key for another use"},
      {made.p256.jwk("k", R"(,"key_ops":"verify")"), "a key for another use"},
      {made.p256.jwk("k", R"(,"alg":"ES384")"), "a key whose 'alg' is unknown or not of its type"},
      {made.p256.jwk("k", R"(,"alg":"HS256")"), "a key whose 'alg' is unknown or not of its type"},
      {made.rsa.jwk("k", R"(,"alg":"RSA-OAEP")"),
       "a key whose 'alg' is unknown or not of its type"},
      {with(p256, "P-256", "P-384"), "an EC key without good 'x' and 'y'"},
      {with(p256, "P-256", "secp256k1"), "an EC key on an unknown curve"},
      {with(p256, x, elsewhere), "an EC key that is not a point of its curve"},
      {with(p256, x, x.substr(0, 40)), "an EC key without good 'x' and 'y'"},
      {with(p256, R"("x":)", R"("w":)"), "an EC key without good 'x' and 'y'"},
      {R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
       "an EC key that is not a point of its curve"},
      {ProviderKey(ProviderKey::Kind::rsa_1024).jwk("k"), "an RSA key below 2048 bits"},
      {with(rsa, R"("e":"AQAB")", R"("e":"Aw")"),
       "an RSA key with an exponent that is even or below 65537"},
      {with(rsa, R"("e":"AQAB")", R"("e":"AQAA")"),
       "an RSA key with an exponent that is even or below 65537"},
      {with(rsa, R"("e":"AQAB")", R"("e":"////")"), "an RSA key without good 'n' and 'e'"},
      {with(rsa, R"("n":)", R"("m":)"), "an RSA key without good 'n' and 'e'"},
      {fmt::format(R"({{"kty":"RSA","e":"AQAB","n":"{}"}})", std::string(342, '_')),
       "an RSA key without good 'n' and 'e'"},  // stray bits
      {fmt::format(R"({{"kty":"RSA","e":"AQAB","n":"{}"}})", std::string(1600, '_')),
       "an RSA key that is too large"},
      {fmt::format(R"({{"kty":"RSA","e":"AQAB","n":"{}A"}})", std::string(341, '_')),
       "an RSA key with an even modulus"},
      {R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "an OKP key on an unknown curve"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"11qY"})", "an OKP key without a good 'x'"},
  };
  for (const Case& bad : cases) {
    INFO(bad.jwk);
    CHECK(fault_of(bad.jwk) == bad.why);
  }
}

TEST_CASE("a set without a usable key, or beyond its limits, is none") {
  const std::string good = provider_keys().ed25519.jwk("k");
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[]})"), std::string(R"({"keys":[{"kty":"oct","k":"AA"}]})"),
        R"({"keys":[)" + good + R"(],"keys":[]})", R"({"keys":[)" + good + "]} x"}) {
    INFO(bad);
    CHECK_FALSE(parse_jwk_set(bad));
  }
  std::string many = R"({"keys":[)" + good;
  for (std::size_t i = 1; i < jwk_set_keys_max; ++i) many += "," + good;
  CHECK(parse_jwk_set(many + "]}"));
  CHECK_FALSE(parse_jwk_set(many + "," + good + "]}"));
  CHECK_FALSE(parse_jwk_set(R"({"keys":[)" + good + "]}" + std::string(jwk_set_bytes_max, ' ')));
  CHECK(parse_jwk_set(R"({"keys":[]})").error().message == "no key of the set can prove a token");
}
