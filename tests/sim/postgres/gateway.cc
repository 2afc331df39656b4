#include "gateway.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "configuration.h"
#include "must.h"

namespace sluice::dataplane::postgres_sim {

using test::must;

Gateway::Gateway(const GatewayOptions& options)
    : options_(options),
      random_(options.network.seed ^ 0x5EED),
      database_(random_, options.target, [this] { return durable_through(); }),
      worker_(options.network, {options.ring_bytes, options.disk}) {
  for (const std::uint16_t port : {std::uint16_t{9001}, std::uint16_t{9002}, std::uint16_t{9003}}) {
    worker_.transport().serve(must(parse_endpoint("127.0.0.1", port)), [this] { return serve(); });
  }
  LoopOptions loop;
  loop.durable = options.durable;
  loop.post = [this](std::uint32_t number, WorkerMail mail) {
    if (number != 0) return false;
    worker_.post(std::move(mail));
    return true;
  };
  loop.prove = [this](const ProofRequest& request) {
    prove(request);
    return true;
  };
  loop.hold = [this](ConnId client, config::HeldOperation what) { hold(client, std::move(what)); };
  loop.end_hold = [this](const std::string& request, config::HoldEnd how) {
    end_hold(request, how);
  };
  worker_.start(snapshot(1, options_.setup), std::move(loop));
  reloads_.push_back(worker_.transport().now().monotonic);
  next_disturbance_ = reloads_.front();
  // Most have logged in by then.
  if (options.sticks) {
    sticks_until_ = reloads_.front() + milliseconds(static_cast<std::int64_t>(random_.up_to(400)));
  }
}

void Gateway::add_client(const ScriptOptions& options) {
  const auto& people = identities();
  const std::size_t number = clients_.size() + 1;
  clients_.push_back(std::make_unique<Client>(
      people[random_.up_to(people.size() - 1)], random_script(random_, number, options),
      [this](const CancelTicket& ticket) { bring_canceller(ticket); },
      [this] { return durable_through(); }, options.silence));
  const auto after = milliseconds(static_cast<std::int64_t>(random_.up_to(30)));
  bring(*clients_.back(), after, clients_.back().get());
}

/// client  the same peer, if it is one that logs in.
void Gateway::bring(SimPeer& peer, Duration after, Client* client) {
  if (!options_.setup.tls_clients) return worker_.transport().bring_client(0, peer, after);
  tls_peers_.emplace_back(peer, tls_ends().client, gateway_name);
  if (client != nullptr) client->set_channel(tls_peers_.back().stream());
  worker_.transport().bring_client(0, tls_peers_.back(), after);
}

SimPeer* Gateway::serve() {
  Target& target = database_.connect();
  if (!options_.setup.tls_target) return &target;
  tls_peers_.emplace_back(target, tls_ends().target);
  target.set_channel(tls_peers_.back().stream());
  return &tls_peers_.back();
}

bool Gateway::run() {
  const bool is_over = worker_.run_until(
      [this] {
        disturb();
        upstreams_max_ = std::max(upstreams_max_, worker_.metrics().upstreams_open.read());
        return std::ranges::all_of(clients_, [](const auto& client) { return client->is_over(); });
      },
      seconds(20'000));
  // What is under way yet arrives: a target's last words, a cancel request. Then what
  // nobody uses is closed.
  const Instant free_again = options_.sticks ? stuck_until() : Instant{};
  const Instant end = std::max(worker_.transport().now().monotonic, free_again) + seconds(40);
  return is_over && worker_.run_until([&] {
    move_disk();
    return worker_.transport().now().monotonic >= end;
  });
}

void Gateway::bring_canceller(const CancelTicket& ticket) {
  cancellers_.push_back(std::make_unique<Canceller>(ticket));
  const auto after = Duration{static_cast<std::int64_t>(random_.up_to(2'000'000))};
  bring(*cancellers_.back(), after, nullptr);
}

/// Without the price of the proof, but after a while.
void Gateway::prove(const ProofRequest& request) {
  WorkerMail mail;
  mail.proved = request.client;
  mail.verdict = verdict_on(*request.keys, request.credential);
  const auto time = milliseconds(static_cast<std::int64_t>(random_.up_to(300)));
  letters_.emplace_back(worker_.transport().now().monotonic + time, std::move(mail));
}

/// People take their time, change their minds, answer late, twice, what was not asked, or
/// not at all.
void Gateway::hold(ConnId client, config::HeldOperation what) {
  using Answer = config::HoldAnswer::Kind;
  requests_.push_back({client, std::move(what), false, std::nullopt});
  Request& request = requests_.back();
  if (random_.chance(900)) answer_later(request, Answer::parked, milliseconds(20));
  if (random_.chance(100)) return;
  constexpr auto kinds =
      std::to_array<Answer>({Answer::approved, Answer::approved, Answer::approved, Answer::denied,
                             Answer::expired, Answer::too_many});
  const Answer kind = kinds[random_.up_to(kinds.size() - 1)];
  request.is_approved = kind == Answer::approved && random_.chance(900);
  answer_later(request, kind, milliseconds(random_.chance(800) ? 500 : 20'000));
  if (random_.chance(200)) answer_later(request, Answer::denied, milliseconds(500));
}

void Gateway::end_hold(const std::string& request, config::HoldEnd how) {
  const auto found =
      std::ranges::find(requests_, request, [](const Request& one) { return one.what.request; });
  ASSERT(found != requests_.end() && !found->end);
  found->end = how;
}

void Gateway::answer_later(const Request& request, config::HoldAnswer::Kind kind, Duration within) {
  WorkerMail mail;
  mail.held = request.client;
  mail.hold_answer = {kind, request.what.request, request.what.binding, "as people like"};
  const bool is_as_shown = kind != config::HoldAnswer::Kind::approved || request.is_approved;
  if (!is_as_shown) mail.hold_answer.binding[0] ^= 1;
  const auto time =
      Duration{static_cast<std::int64_t>(random_.up_to(static_cast<std::uint64_t>(within.ns)))};
  letters_.emplace_back(worker_.transport().now().monotonic + time, std::move(mail));
}

void Gateway::hand_out_letters() {
  const Instant now = worker_.transport().now().monotonic;
  for (auto& [at, mail] : letters_) {
    if (at <= now) worker_.post(std::move(mail));
  }
  std::erase_if(letters_, [now](const auto& letter) { return letter.first <= now; });
}

/// Stuck for seconds and free for moments, until there is nothing left to stop.
void Gateway::move_disk() {
  const Instant now = worker_.transport().now().monotonic;
  if (is_stuck_ && options_.fills) worker_.fill_log();
  if (!options_.sticks) return;
  if (now < sticks_until_) return;
  is_stuck_ = !is_stuck_ && now < stuck_until();
  const std::uint64_t time = is_stuck_ ? 1000 + random_.up_to(14'000) : 1 + random_.up_to(30);
  sticks_until_ = now + milliseconds(static_cast<std::int64_t>(time));
  worker_.stick_disk(is_stuck_);
}

void Gateway::disturb() {
  hand_out_letters();
  move_disk();
  const Instant now = worker_.transport().now().monotonic;
  if ((!options_.reloads && !options_.drains) || now < next_disturbance_) return;
  next_disturbance_ = now + milliseconds(static_cast<std::int64_t>(1 + random_.up_to(60)));
  WorkerMail mail;
  if (options_.reloads && reloads_.size() < 40) {
    reloads_.push_back(now);
    mail.snapshot = snapshot(reloads_.size(), options_.setup);
  }
  mail.drain = options_.drains && random_.chance(50);
  worker_.post(std::move(mail));
}

}  // namespace sluice::dataplane::postgres_sim
