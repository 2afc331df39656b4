// sluice demo: the gateway at work in front of an embedded payment API, told as a story.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "audit/reader.h"
#include "audit/verify.h"
#include "cli/configuration.h"
#include "cli/demo_api.h"
#include "cli/demo_house.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/signer.h"
#include "cli/verbs.h"
#include "control/signals.h"
#include "control/socket.h"

namespace sluice::cli {
namespace {

constexpr std::string_view api_credential = "Bearer the-api-trusts-only-the-gateway";
constexpr Duration patience = seconds(10);

/// One request of the story.
struct Scene {
  std::string title;
  std::string who;
  std::string key;  ///< Empty: none is sent.
  std::string method;
  std::string target;
  std::string body;
};

struct Stage {
  DemoApi& api;
  const DemoHouse& house;
  std::uint16_t port;
  int number = 0;
  bool went_wrong = false;
};

/// A loopback port that was free a moment ago.
Result<std::uint16_t> free_port() {
  const auto probe = control::listen_loopback({.host = "127.0.0.1", .port = 0});
  if (!probe) return tl::unexpected(probe.error());
  return control::local_port(*probe);
}

Result<control::HttpReply> send(const Scene& scene, std::uint16_t port) {
  auto socket = control::connect_loopback(port);
  if (!socket) return tl::unexpected(socket.error());
  if (auto set = control::set_timeout(*socket, patience); !set) return tl::unexpected(set.error());
  control::HttpRequest request{.method = scene.method, .target = scene.target, .body = scene.body};
  if (!scene.key.empty()) request.fields.emplace_back("Authorization", "Bearer " + scene.key);
  if (!scene.body.empty()) request.fields.emplace_back("Content-Type", "application/json");
  return control::exchange(*socket, request);
}

/// Plays a scene and says what happened on both sides of the gateway.
void play(Stage& stage, const Scene& scene, int expected_status) {
  fmt::print("\n{}. {}\n   {} {} {} {}\n", ++stage.number, scene.title, scene.who, scene.method,
             scene.target, scene.body);
  const std::uint64_t before = stage.api.requests();
  const auto reply = send(scene, stage.port);
  if (!reply) {
    fmt::print("   no answer: {}\n", reply.error().message);
    stage.went_wrong = true;
    return;
  }
  const bool reached = stage.api.requests() != before;
  const std::string answer = reached ? stage.api.last_answer() : "(the API never saw the request)";
  std::string seen = reply->body;
  while (seen.ends_with('\n')) seen.pop_back();
  fmt::print("   the API said    {}\n   the caller got  {} {}\n", answer, reply->status, seen);
  stage.went_wrong = stage.went_wrong || reply->status != expected_status;
}

void play_all(Stage& stage) {
  const DemoHouse& house = stage.house;
  const std::string payment = "/v1/payments/pay_1001";
  play(stage,
       {"A clerk looks up a payment: the card number, the CVC, the e-mail address and the IBAN\n"
        "   come back masked, and so does the second card hidden in a note.",
        "clerk", house.clerk_key, "GET", payment, ""},
       200);
  play(stage,
       {"A fraud analyst asks for the same: whole card numbers, because the mask excepts the\n"
        "   group, but still no CVC.",
        "fraud analyst", house.fraud_key, "GET", payment, ""},
       200);
  play(stage,
       {"The clerk tries to make a payment: no rule allows it, so it is refused.", "clerk",
        house.clerk_key, "POST", "/v1/payments", R"({"amount":"10.00"})"},
       403);
  play(stage,
       {"The settlement service may.", "settlement", house.settlement_key, "POST", "/v1/payments",
        R"({"amount":"10.00"})"},
       201);
  play(stage,
       {"But not this: a rule looks into the body, and sees through JSON's escapes.", "settlement",
        house.settlement_key, "POST", "/v1/payments", R"({"kind":"r\u0065fund","amount":"10.00"})"},
       403);
  play(stage, {"Someone without a key.", "nobody", "", "GET", payment, ""}, 401);
  play(stage,
       {"Climbing out of the allowed path: policy and API see one spelling, /admin/keys.", "clerk",
        house.clerk_key, "GET", "/v1/payments/%2e%2e/%2e%2e/admin/keys", ""},
       403);
}

/// The intents in the log, as lines to show.
std::vector<std::string> intents(const std::filesystem::path& directory) {
  std::vector<std::string> lines;
  const auto read = audit::read_records(directory, 0, [&](std::uint64_t, ByteView bytes) {
    const auto text = audit::to_json(bytes);
    if (!text) return false;
    const auto record = nlohmann::json::parse(*text);
    if (record.value("phase", "") != "intent") return true;
    lines.push_back(fmt::format("{:<5} {:<17} {} {}  by rule \"{}\"", record.value("ruling", ""),
                                record.value("subject", "(nobody)"), record.value("verb", ""),
                                record.value("resource", ""), record.value("rule", "")));
    return true;
  });
  if (!read) fmt::print("   {}\n", read.error().message);
  return lines;
}

/// Records are safe before bytes leave, and in the log's files a moment later.
void print_log(const Stage& stage) {
  fmt::print("\nEach of these left a record before a byte went on (see `sluice audit`):\n");
  std::vector<std::string> lines;
  for (int tries = 0; tries < 100; ++tries) {
    lines = intents(stage.house.audit());
    if (lines.size() >= static_cast<std::size_t>(stage.number)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  for (const auto& line : lines) fmt::print("   {}\n", line);
}

/// Flips one bit in the middle of the copy's largest file.
bool flip_one_bit(const std::filesystem::path& directory) {
  std::filesystem::path largest;
  std::uintmax_t size = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with("segment-") && entry.file_size() > size) {
      largest = entry.path();
      size = entry.file_size();
    }
  }
  std::fstream file(largest, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(size / 2);
  file.seekg(middle);
  const int byte = file.get();
  if (byte < 0) return false;
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 1));
  return static_cast<bool>(file.flush());
}

/// Verifies the log, then a copy in which one bit differs.
bool show_verification(const DemoHouse& house) {
  const auto good = audit::verify(house.audit(), house.verifier);
  if (!good) {
    fmt::print("\nthe log cannot be read: {}\n", good.error().message);
    return false;
  }
  fmt::print("\n`sluice verify` on the log: {}, {} records under {} signed checkpoints\n",
             good->ok ? "verified" : "NOT VERIFIED: " + good->fault, good->records,
             good->checkpoints);

  const auto copy = house.folder() / "audit-tampered";
  std::filesystem::copy(house.audit(), copy, std::filesystem::copy_options::recursive);
  if (!flip_one_bit(copy)) {
    fmt::print("the copy could not be changed\n");
    return false;
  }
  const auto bad = audit::verify(copy, house.verifier);
  if (!bad) {
    fmt::print("the tampered copy cannot be read: {}\n", bad.error().message);
    return false;
  }
  fmt::print("the same with one bit flipped in a copy: {}\n",
             bad->ok ? "VERIFIED, which must not be" : "rejected: " + bad->fault);
  return good->ok && !bad->ok;
}

void print_invitation(const Stage& stage) {
  const std::string base = fmt::format("http://127.0.0.1:{}", stage.port);
  const std::string sluice = std::filesystem::read_symlink("/proc/self/exe").string();
  fmt::print(
      "\nThe gateway stays up; try it yourself in another terminal:\n"
      "   curl -H 'Authorization: Bearer {}' {}/v1/payments/pay_1001\n"
      "   curl -i -H 'Authorization: Bearer {}' -d '{{\"amount\":\"1.00\"}}' {}/v1/payments\n"
      "   {} audit --directory {} --ruling deny\n"
      "   {} verify {} --key '{}'\n"
      "   {} status --socket {}/admin.sock\n"
      "Ctrl-C ends it and removes {}.\n",
      stage.house.clerk_key, base, stage.house.clerk_key, base, sluice,
      stage.house.audit().string(), sluice, stage.house.audit().string(), stage.house.verifier,
      sluice, stage.house.folder().string(), stage.house.folder().string());
}

ExitCode fail_with(const Error& error) {
  return complain("demo", error.message, ExitCode::failed);
}

}  // namespace

ExitCode perform(const DemoOptions& options) {
  const control::Signals signals;
  auto api = DemoApi::start(std::string(api_credential));
  if (!api) return fail_with(api.error());
  const auto port = free_port();
  if (!port) return fail_with(port.error());
  const auto house = DemoHouse::build((*api)->port(), *port, std::string(api_credential));
  if (!house) return fail_with(house.error());
  const auto settings = read_settings(house->configuration());
  if (!settings) return fail_with(settings.error());
  auto signer = start_signer(*settings);
  if (!signer) return fail_with(signer.error());
  const auto snapshot = make_snapshot(*settings, (*signer)->derived_keys().mocks, 1);
  if (!snapshot) return fail_with(snapshot.error());
  auto service = Service::start(house->configuration(), *snapshot, **signer);
  if (!service) return fail_with(service.error());

  fmt::print(
      "A payment API listens on port {} and trusts only the gateway's credential.\n"
      "Sluice listens on port {} in front of it; callers have API keys of their own.\n"
      "Its configuration: {}\n",
      (*api)->port(), *port, house->configuration());
  Stage stage{**api, *house, *port};
  play_all(stage);
  print_log(stage);
  const bool verified = show_verification(*house);
  std::fflush(stdout);

  if (!options.once) {
    print_invitation(stage);
    std::fflush(stdout);
    while (signals.wait(milliseconds(250)) != control::Wish::stop) (*service)->watch_files();
  }
  (*service)->drain();
  return verified && !stage.went_wrong ? ExitCode::ok : ExitCode::failed;
}

}  // namespace sluice::cli
