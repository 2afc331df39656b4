#include "cli/arguments.h"

#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

using namespace sluice::cli;

namespace {

/// Takes what is written to a stream while it lives.
class Capture {
 public:
  explicit Capture(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { stream_.rdbuf(before_); }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* before_;
};

/// Parses a line as a shell without quotes would hand it over.
std::variant<Command, ExitCode> parse(const std::string& line) {
  std::vector<std::string> words{"sluice"};
  std::istringstream split(line);
  for (std::string word; split >> word;) words.push_back(word);
  std::vector<const char*> pointers;
  for (const auto& word : words) pointers.push_back(word.c_str());
  return parse_arguments(static_cast<int>(pointers.size()), pointers.data());
}

}  // namespace

TEST_CASE("every verb's help has at least two examples that name the verb") {
  for (const std::string name :
       {"run", "check", "verify", "audit", "replay", "evidence", "status", "reload", "drain",
        "load", "key new", "key signing", "key operations", "witness", "tiles", "requests",
        "approve", "deny", "demo"}) {
    CAPTURE(name);
    const Capture out(std::cout);
    const auto parsed = parse(name + " --help");
    REQUIRE(std::holds_alternative<ExitCode>(parsed));
    CHECK(std::get<ExitCode>(parsed) == ExitCode::ok);

    const std::string help = out.text();
    const std::size_t examples = help.find("Examples:");
    REQUIRE(examples != help.npos);
    const std::string example = "\n  sluice " + name;
    std::size_t count = 0;
    for (auto at = help.find(example, examples); at != help.npos; at = help.find(example, at + 1)) {
      ++count;
    }
    CHECK(count >= 2);
  }
}

TEST_CASE("verbs that programs may read take --json") {
  for (const char* verb :
       {"check --json", "audit --json", "evidence -o x.zip --json", "status --json",
        "requests --json", "approve 7KQ2M9XF --json", "reload --json", "drain --json",
        "verify x --json", "load http://h/ --json", "key new --subject s --json"}) {
    CHECK(std::holds_alternative<Command>(parse(verb)));
  }
}

TEST_CASE("wrong usage says so on stderr and leaves with 2") {
  for (const char* line :
       {"", "rnu", "verify", "evidence", "run --nope", "key", "key new", "audit --ruling maybe",
        "approve", "requests --state maybe", "load http://h/ -c 0", "load http://h/ -n 0",
        "load http://h/ -d 1s -n 5"}) {
    CAPTURE(line);
    const Capture err(std::cerr);
    const auto parsed = parse(line);
    REQUIRE(std::holds_alternative<ExitCode>(parsed));
    CHECK(std::get<ExitCode>(parsed) == ExitCode::usage);
    CHECK_FALSE(err.text().empty());
  }
}

TEST_CASE("a mistyped verb is told the nearest one") {
  const Capture err(std::cerr);
  CHECK(std::holds_alternative<ExitCode>(parse("chekc -c x")));
  CHECK(err.text() == "sluice: there is no verb 'chekc'; did you mean 'check'?\n");
}

TEST_CASE("options reach their verb") {
  const auto parsed = parse("audit --since 15m --principal p --ruling deny --follow");
  REQUIRE(std::holds_alternative<Command>(parsed));
  const auto& options = std::get<AuditOptions>(std::get<Command>(parsed));
  CHECK(options.query.from == "15m");
  CHECK(options.query.principal == "p");
  CHECK(options.query.ruling == "deny");
  CHECK(options.follow);
  CHECK(options.configuration == default_configuration);

  const auto load = parse("load http://h/ -n 5 -H A:b -H C:d");
  const auto& load_options = std::get<LoadOptions>(std::get<Command>(load));
  CHECK(load_options.requests == 5);
  CHECK(load_options.headers == std::vector<std::string>{"A:b", "C:d"});
}
