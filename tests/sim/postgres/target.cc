#include "target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "configuration.h"
#include "identity/md5_password.h"
#include "must.h"

namespace sluice::dataplane::postgres_sim {
namespace {

/// What a server's own buffer holds back at the most.
constexpr std::size_t held_bytes_max = 8 * 1024;

const identity::ScramVerifier& verifier() {
  static const identity::ScramVerifier made = [] {
    const std::string salt = "sixteen bytes ..";
    return test::must(identity::make_scram_verifier(target_password, as_bytes(salt), 4096));
  }();
  return made;
}

}  // namespace

Target& Database::connect() {
  const auto process = static_cast<std::uint32_t>(1000 + targets_.size());
  std::string key;
  for (int i = 0; i < 4; ++i) key += static_cast<char>(random_.up_to(255));
  targets_.push_back(std::make_unique<Target>(*this, process, key));
  return *targets_.back();
}

void Database::cancel(std::uint32_t process, const std::string& key, Instant now) {
  for (const auto& target : targets_) {
    if (target->process() != process || target->key() != key) continue;
    cancels.push_back(now);
    return target->cancel();
  }
  ++wrong_cancels;
}

Target::Target(Database& database, std::uint32_t process, std::string key)
    : database_(database), process_(process), key_(std::move(key)) {
  SimRandom& random = database_.random();
  if (!random.chance(database_.options().dies_per_mille)) return;
  // Some in the login, most later.
  bytes_left_ = random.up_to(random.chance(300) ? 400 : 20'000);
}

void Target::on_connected(SimRemote& remote) {
  remote_ = &remote;
}

void Target::on_bytes(SimRemote& /*remote*/, ByteView bytes) {
  if (stage_ == Stage::session) {
    backend_.feed(as_text(bytes));
    return run_session();
  }
  in_.add(as_text(bytes));
  if (stage_ == Stage::startup) {
    const auto packet = in_.next_packet();
    if (packet) on_startup(*packet);
  }
  while (stage_ != Stage::startup && stage_ != Stage::session && stage_ != Stage::dead) {
    const auto message = in_.next();
    if (!message) return;
    on_password(*message);
  }
}

void Target::on_finished(SimRemote& remote) {
  if (breaks_at_) return;
  // A server notices when it reads next; what runs, runs on.
  if (!waits_) remote.finish();
  stage_ = Stage::dead;
}

void Target::on_reset(SimRemote& /*remote*/) {
  remote_ = nullptr;
  stage_ = Stage::dead;
}

void Target::on_alarm(SimRemote& remote) {
  if (breaks_at_) {
    if (remote.now() >= *breaks_at_) remote.reset();
    return;
  }
  if (falls_asleep_at_ && remote.now() >= *falls_asleep_at_) return fall_asleep();
  if (!waits_ || remote.now() < done_at_) return;
  waits_ = false;
  if (stage_ == Stage::dead) return remote.finish();
  backend_.finish(false);
  run_session();
}

/// As when an administrator ends it, or a limit on idle sessions does.
void Target::fall_asleep() {
  if (stage_ != Stage::session) return;
  ++database_.deaths;
  if (database_.random().chance(500)) {
    say('E', report_of("FATAL", "57P01", "terminating connection"));
  }
  stage_ = Stage::dead;
  remote_->finish();
}

void Target::cancel() {
  const Statement* const running = backend_.running();
  if (!waits_ || stage_ != Stage::session || running == nullptr) return;
  waits_ = false;
  database_.cancelled_tags.push_back(running->tag);
  auto& executions = database_.executions;
  const auto hit = std::find_if(
      executions.rbegin(), executions.rend(),
      [running](const Database::Execution& execution) { return execution.tag == running->tag; });
  if (hit != executions.rend()) hit->is_cancelled = true;
  backend_.finish(true);
  run_session();
}

void Target::on_execution(const Statement& statement) {
  if (!backend_.is_in_block()) block_client_.reset();
  // Whose that is shows with what comes next.
  if (statement.kind == Kind::listen) client_.reset();
  if (statement.tag.empty()) return;
  database_.executions.push_back({statement.tag, remote_->now(), false, statement.kind,
                                  backend_.application(), database_.durable_through()});
  const std::size_t client = client_of(statement.tag);
  const auto check = [&](std::optional<std::size_t> before, const std::string& found) {
    if (!before || *before == client || found.empty()) return;
    database_.trespasses.push_back(statement.tag + " found " + found);
  };
  check(client_, backend_.left_over());
  check(block_client_, "a transaction");
  client_ = client;
  if (backend_.is_in_block()) block_client_ = client;
}

void Target::on_text(const std::string& text) {
  database_.texts.push_back(text);
}

void Target::on_commit(const std::vector<std::string>& inserted) {
  database_.committed.insert(inserted.begin(), inserted.end());
}

void Target::on_startup(const std::string& packet) {
  Fields fields(packet);
  const std::uint32_t version = fields.u32();
  if (version == 80877102) {
    const std::uint32_t process = fields.u32();
    database_.cancel(process, fields.bytes(256), remote_->now());
    stage_ = Stage::dead;
    return remote_->finish();
  }
  while (!fields.empty()) {
    const std::string name = fields.text();
    std::string value = fields.text();
    if (name == "application_name") backend_.start(value);
    if (name == "user") user_ = std::move(value);
  }
  Body mechanisms;
  switch (database_.random().up_to(2)) {
    case 0:
      return welcome();
    case 1:
      stage_ = Stage::password;
      return say('R', Body().u32(5).bytes("salt").take());
    default:
      stage_ = Stage::sasl;
      scram_.emplace(
          verifier(), "nonce-of-the-simulated-server",
          tls_ == nullptr ? identity::ChannelBinding() : tls_->channel().server_end_point);
      for (const std::string_view name : scram_->mechanisms()) mechanisms.text(name);
      return say('R', Body().u32(10).bytes(mechanisms.u8(0).take()).take());
  }
}

void Target::on_password(const Message& message) {
  Fields fields(message.body);
  if (stage_ == Stage::password) {
    const std::string salt = "salt";
    const auto expected = identity::md5_password(user_, target_password, as_bytes(salt));
    if (expected && fields.text() == *expected) return welcome();
  } else if (stage_ == Stage::sasl) {
    const std::string mechanism = fields.text();
    const std::uint32_t size = fields.u32();
    if (mechanism == scram_->mechanisms().front()) ++database_.best_proofs;
    if (const auto answer = scram_->begin(mechanism, fields.bytes(size))) {
      stage_ = Stage::sasl_proof;
      return say('R', Body().u32(11).bytes(*answer).take());
    }
  } else if (const auto last = scram_->finish(message.body)) {
    say('R', Body().u32(12).bytes(*last).take());
    return welcome();
  }
  say('E', report_of("FATAL", "28P01", "no"));
  stage_ = Stage::dead;
  remote_->finish();
}

void Target::welcome() {
  stage_ = Stage::session;
  ++database_.logins;
  if (database_.random().chance(database_.options().naps_per_mille)) {
    const auto time = milliseconds(static_cast<std::int64_t>(database_.random().up_to(400)));
    falls_asleep_at_ = remote_->now() + time;
    remote_->alarm(time);
  }
  say('R', Body().u32(0).take());
  say('S', Body().text("application_name").text(backend_.application()).take());
  say('S', Body().text("client_encoding").text("UTF8").take());
  say('S', Body().text("standard_conforming_strings").text("on").take());
  say('S', Body().text("server_version").text("15.5").take());
  say('K', Body().u32(process_).bytes(key_).take());
  say('Z', "I");
  backend_.feed(in_.rest());
  run_session();
}

void Target::run_session() {
  SimRandom& random = database_.random();
  for (;;) {
    if (waits_) return;
    backend_.run();
    std::size_t held_bytes = 0;
    for (std::size_t i = sent_; i < backend_.replies().size(); ++i) {
      held_bytes += backend_.replies()[i].message.body.size();
    }
    const std::size_t until =
        held_bytes > held_bytes_max ? backend_.replies().size() : backend_.flushed();
    std::string out;
    for (; sent_ < until; ++sent_) out += bytes_of(backend_.replies()[sent_].message);
    if (!out.empty()) send(out);
    if (stage_ == Stage::dead) return;
    if (backend_.is_over()) {
      stage_ = Stage::dead;
      return remote_->finish();
    }
    if (backend_.running() == nullptr) return;
    if (random.chance(database_.options().slow_per_mille)) {
      const Duration time{static_cast<std::int64_t>(random.up_to(3'000'000))};
      done_at_ = remote_->now() + time;
      waits_ = true;
      return remote_->alarm(time);
    }
    backend_.finish(false);
  }
}

void Target::send(const std::string& bytes) {
  if (remote_ == nullptr || stage_ == Stage::dead) return;
  if (!bytes_left_ || bytes.size() <= *bytes_left_) {
    if (bytes_left_) *bytes_left_ -= bytes.size();
    return remote_->send(as_bytes(bytes));
  }
  remote_->send(as_bytes(std::string_view(bytes).substr(0, *bytes_left_)));
  die();
}

/// With a part of a message on its way, or when that has arrived.
void Target::die() {
  ++database_.deaths;
  stage_ = Stage::dead;
  SimRandom& random = database_.random();
  if (random.chance(300)) return remote_->reset();
  if (random.chance(500)) return remote_->finish();
  const auto time = milliseconds(static_cast<std::int64_t>(random.up_to(200)));
  breaks_at_ = remote_->now() + time;
  remote_->alarm(time);
}

}  // namespace sluice::dataplane::postgres_sim
