// Every file of malformed/ does what expected.tsv says, under every split.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "cases.h"
#include "parsers/http1/target.h"

using namespace sluice;
using namespace sluice::testing;

namespace {

const std::filesystem::path corpus = std::filesystem::path(SLUICE_TEST_DATA) / "http1/malformed";

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(std::filesystem::file_size(path), '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

/// What a session makes of a head: the start of an outcome's step.
struct Judged {
  bool is_refused = false;
  std::string words;
};

Judged judge(const http1::RequestHead& head) {
  if (head.method == http1::Method::connect) return {true, "refuse 501 connect"};
  if (head.method == http1::Method::trace) return {true, "refuse 501 trace"};
  if (head.wants_upgrade) return {true, "refuse 501 upgrade"};
  std::vector<std::uint8_t> scratch(head.target.size() + 1);
  const auto normalised = http1::normalise_target(head.target, head.host, head.method, scratch);
  if (normalised.fault != http1::TargetFault::none) {
    return {true, fmt::format("refuse {} {}", http1::status_of(normalised.fault),
                              http1::text(normalised.fault))};
  }
  return {false, fmt::format("accept {} {}", head.method_text, normalised.target.whole)};
}

std::string outcome_of(std::string_view stream) {
  const http1::Limits limits;
  http1::RequestDecoder decoder(limits);
  http1::FieldTable table;
  std::vector<std::string> steps;
  std::string current;
  for (bool goes_on = true; goes_on;) {
    const bool in_body = !decoder.is_idle();
    const http1::Step step = decoder.decode(as_bytes(stream), table);
    stream.remove_prefix(step.size_bytes);
    switch (step.kind) {
      case http1::Step::Kind::needs_more:
        if (!decoder.is_idle() || !stream.empty()) steps.emplace_back("incomplete");
        goes_on = false;
        break;
      case http1::Step::Kind::head: {
        const Judged judged = judge(decoder.request());
        current = judged.words;
        if (judged.is_refused) {
          steps.push_back(current);
          goes_on = false;
        }
        break;
      }
      case http1::Step::Kind::data:
        break;
      case http1::Step::Kind::end:
        steps.push_back(current);
        break;
      case http1::Step::Kind::malformed:
        steps.push_back(fmt::format("{} {} {}", in_body ? "refuse_in_body" : "refuse",
                                    http1::status_of(step.fault), http1::text(step.fault)));
        goes_on = false;
        break;
    }
  }
  return fmt::format("{}", fmt::join(steps, " ; "));
}

std::map<std::string, std::string> expectations() {
  std::map<std::string, std::string> outcomes;
  std::istringstream table(content_of(corpus / "expected.tsv"));
  for (std::string line; std::getline(table, line);) {
    std::istringstream columns(line);
    std::string file;
    std::string outcome;
    std::getline(columns, file, '\t');
    std::getline(columns, outcome, '\t');
    outcomes.emplace(file, outcome);
  }
  return outcomes;
}

}  // namespace

TEST_CASE("each malformed or ambiguous request is handled as its table says") {
  const auto outcomes = expectations();
  std::size_t refused = 0;
  for (const auto& [file, outcome] : outcomes) {
    INFO(file);
    CHECK(outcome_of(content_of(corpus / file)) == outcome);
    if (outcome.find("refuse") != std::string::npos) ++refused;
  }
  CHECK(refused >= 150);
}

TEST_CASE("no file of the malformed corpus is left out of its table") {
  const auto outcomes = expectations();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    if (entry.path().extension() != ".req") continue;
    INFO(entry.path().filename().string());
    CHECK(outcomes.count(entry.path().filename().string()) == 1);
    ++files;
  }
  CHECK(files == outcomes.size());
}

TEST_CASE("malformed requests keep the codec contract under every split") {
  const http1::Limits limits;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    if (entry.path().extension() != ".req") continue;
    const std::string stream = content_of(entry.path());
    if (stream.size() > 2000) continue;  // limits have small cases of their own
    INFO(entry.path().filename().string());
    CHECK(broken_contract([&] { return RequestAdapter(limits); }, as_bytes(stream), 20) == "");
  }
}
