#include "cli/arguments.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

#include "cli/verb_tree.h"

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

TEST_CASE("every verb has at least two examples that name it, and its help shows them") {
  for_each_verb(verb_tree(), [](const Verb& verb) {
    if (verb.path == "sluice") return;
    CAPTURE(verb.path);
    const std::string example = "  " + verb.path;
    std::size_t count = 0;
    std::istringstream lines(verb.examples);
    for (std::string line; std::getline(lines, line);) {
      // Some begin with a variable that takes the output.
      if (line.starts_with(example) || line.find("$(" + verb.path + " ") != line.npos) ++count;
    }
    CHECK(count >= 2);

    const Capture out(std::cout);
    const auto parsed = parse(words_below_program(verb) + " --help");
    REQUIRE(std::holds_alternative<ExitCode>(parsed));
    CHECK(std::get<ExitCode>(parsed) == ExitCode::ok);
    CHECK(out.text().find("Examples:\n" + verb.examples) != std::string::npos);
  });
}

TEST_CASE("every verb with a result takes --json") {
  // What these print is a program's progress, or a language of its own.
  const std::vector<std::string> without{"sluice run", "sluice demo", "sluice completion",
                                         "sluice man"};
  for_each_verb(verb_tree(), [&](const Verb& verb) {
    if (!verb.stands_alone) return;
    CAPTURE(verb.path);
    const bool takes = std::ranges::any_of(verb.options, [](const VerbOption& option) {
      return option.names == std::vector<std::string>{"--json"};
    });
    CHECK(takes == (std::ranges::find(without, verb.path) == without.end()));
  });
}

TEST_CASE("the tree says what there is to know of an option") {
  const Verb program = verb_tree();
  CHECK_FALSE(program.stands_alone);
  const auto audit = std::ranges::find(program.verbs, "sluice audit", &Verb::path);
  REQUIRE(audit != program.verbs.end());
  const auto option = [&](const std::string& name) {
    const auto found = std::ranges::find_if(audit->options, [&](const VerbOption& one) {
      return std::ranges::find(one.names, name) != one.names.end();
    });
    REQUIRE(found != audit->options.end());
    return *found;
  };
  CHECK(option("-c").names == std::vector<std::string>{"-c", "--config"});
  CHECK(option("-c").value == "FILE");
  CHECK(option("-c").preset == default_configuration);
  CHECK(option("--directory").value == "FOLDER");
  CHECK(option("--ruling").choices == std::vector<std::string>{"allow", "deny", "hold"});
  CHECK(option("--follow").value.empty());
  CHECK(option("--principal").value == "TEXT");
}

TEST_CASE("wrong usage says so on stderr and leaves with 2") {
  for (const char* line :
       {"", "rnu", "verify", "evidence", "run --nope", "key", "key new", "key revoke", "key list x",
        "audit --ruling maybe", "approve", "requests --state maybe", "load http://h/ -c 0",
        "load http://h/ -n 0", "load http://h/ -d 1s -n 5"}) {
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
  CHECK(options.gateway.configuration == default_configuration);

  const auto revoke = parse("key revoke 4f1c --gateway https://h:1 --json");
  const auto& revoke_options = std::get<KeyRevokeOptions>(std::get<Command>(revoke));
  CHECK(revoke_options.id == "4f1c");
  CHECK(revoke_options.gateway.url == "https://h:1");
  CHECK(revoke_options.json);

  const auto load = parse("load http://h/ -n 5 -H A:b -H C:d");
  const auto& load_options = std::get<LoadOptions>(std::get<Command>(load));
  CHECK(load_options.requests == 5);
  CHECK(load_options.headers == std::vector<std::string>{"A:b", "C:d"});
}
