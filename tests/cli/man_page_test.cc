#include "cli/man_page.h"

#include <catch2/catch.hpp>

using namespace sluice::cli;

namespace {

const Verb verb{.path = "sluice policy test",
                .what = "Say what would happen",
                .options = {{.names = {"-c", "--config"},
                             .what = "A file\nof `check`",
                             .value = "FILE",
                             .preset = "/etc/x-y"},
                            {.names = {"--expect"},
                             .what = ".not a request",
                             .value = "TEXT",
                             .choices = {"allow", "deny"},
                             .is_required = true}},
                .positionals = {{.names = {"id"}, .what = "Which", .value = "TEXT"}},
                .examples = "  sluice policy test 'a\\nb'\n  sluice policy test --json",
                .stands_alone = true};

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a page has the name of its verb") {
  CHECK(man_page_name(verb) == "sluice-policy-test");
  CHECK(man_page_name({.path = "sluice"}) == "sluice");
}

TEST_CASE("a page says what the help says, in roff") {
  const Verb above{.path = "sluice policy"};
  const std::string page = man_page(verb, &above);
  CHECK(page.starts_with(".TH SLUICE\\-POLICY\\-TEST 1 "));
  CHECK(holds(page, ".SH NAME\nsluice\\-policy\\-test \\- say what would happen\n"));
  CHECK(holds(page,
              "\\fBsluice policy test\\fP \\fB\\-\\-expect\\fP \\fITEXT\\fP [\\fIOPTION\\fP...] "
              "[\\fIid\\fP]\n"));
  CHECK(holds(page,
              ".TP\n\\fB\\-c\\fP, \\fB\\-\\-config\\fP \\fIFILE\\fP\n"
              "A file of \\fBcheck\\fP. Default: /etc/x\\-y.\n"));
  CHECK(holds(page, "\n\\&.not a request. One of: allow, deny. Required.\n"));
  CHECK(holds(page, ".EX\n  sluice policy test 'a\\enb'\n  sluice policy test \\-\\-json\n.EE\n"));
  CHECK(holds(page, ".TP\n.B 75\ntry again.\n"));
  CHECK(holds(page, ".SH SEE ALSO\n.BR sluice\\-policy (1)\n"));
}
