#include "control/shown_text.h"

#include <catch2/catch.hpp>

using sluice::control::shown_text;

TEST_CASE("What a terminal would act on is written out, all else stays") {
  CHECK(shown_text("delete from \"größe\" — 日本 🙂") ==
        "delete from \"größe\" — 日本 🙂");
  CHECK(shown_text("a\x1b[2Kb\nc\x7f") == "a\\u{1b}[2Kb\\u{a}c\\u{7f}");
  CHECK(shown_text("\xc2\x9b"
                   "31m") == "\\u{9b}31m");
  CHECK(shown_text("a\u202Eb\u200Bc\uFEFF") == "a\\u{202e}b\\u{200b}c\\u{feff}");
  CHECK(shown_text("\xff\x41") == "\\u{ff}A");
  CHECK(shown_text("").empty());
}
