#include "identity/md5_password.h"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::identity;

TEST_CASE("an md5 login hashes password and name, and then the salt with that") {
  CHECK(md5_password("ada", "secret", as_bytes("\x01\x02\x03\x04")) ==
        "md5164dbcd37c01a78e869e72965960a754");
  CHECK(md5_password("ada", "secret", as_bytes("\x01\x02\x03\x05")) !=
        "md5164dbcd37c01a78e869e72965960a754");
  // Where the password ends and the name begins is lost, as in PostgreSQL.
  CHECK(md5_password("tada", "secre", as_bytes("\x01\x02\x03\x04")) ==
        md5_password("ada", "secret", as_bytes("\x01\x02\x03\x04")));
}
