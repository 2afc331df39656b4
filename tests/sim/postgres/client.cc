#include "client.h"

#include <algorithm>

#include "base/assert.h"

namespace sluice::dataplane::postgres_sim {

void Client::on_connected(SimRemote& remote) {
  Body body;
  body.u32(3U << 16).text("user").text(identity_.user).text("database").text("shop");
  body.text("application_name").text("simulation").u8(0);
  remote.send(as_bytes(packet_of(body.take())));
}

void Client::on_bytes(SimRemote& remote, ByteView bytes) {
  bytes_ += as_text(bytes);
  in_.add(as_text(bytes));
  while (auto message = in_.next()) {
    if (stage_ == Stage::login) {
      on_login(remote, *message);
      continue;
    }
    // It comes when it likes.
    if (message->tag == 'N' && report_field(message->body, 'H').starts_with("sluice approve")) {
      ++notices_;
      continue;
    }
    if (message->tag == 'Z') ++readies_;
    copies_ = copies_ || message->tag == 'G';
    ++since_mark_;
    received_.push_back(std::move(*message));
    durable_then_.push_back(durable_());
  }
  if (stage_ == Stage::farewell) {
    waits_until_ = remote.now() + silence_;
    return remote.alarm(silence_);
  }
  if (stage_ == Stage::script) progress(remote);
}

void Client::on_login(SimRemote& remote, const Message& message) {
  Fields fields(message.body);
  if (message.tag == 'R') {
    authenticate(remote, fields);
  } else if (message.tag == 'K') {
    ticket_.process = fields.u32();
    ticket_.key = fields.bytes(256);
  } else if (message.tag == 'E') {
    is_refused_ = true;
    stage_ = Stage::over;
    remote.finish();
  } else if (message.tag == 'Z') {
    is_logged_in_ = true;
    stage_ = Stage::script;
  }
}

/// By password, or by SCRAM where the gateway has a verifier: it goes on only when the
/// gateway proved itself, too.
void Client::authenticate(SimRemote& remote, Fields fields) {
  constexpr std::uint32_t ok = 0;
  constexpr std::uint32_t cleartext = 3;
  constexpr std::uint32_t sasl = 10;
  constexpr std::uint32_t sasl_continue = 11;
  constexpr std::size_t data_bytes_max = 4096;
  const auto answer = [&remote](const std::string& body) {
    remote.send(as_bytes(bytes_of('p', body)));
  };
  const std::uint32_t kind = fields.u32();
  const std::string data = kind > sasl ? fields.bytes(data_bytes_max) : std::string();
  if (kind == ok) return;
  if (kind == cleartext) return answer(Body().text(identity_.password).take());
  if (kind == sasl) {
    const std::string best = fields.text();
    const auto channel =
        tls_ == nullptr ? identity::ChannelBinding() : tls_->channel().server_end_point;
    ASSERT(best == (tls_ == nullptr ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS"));
    scram_.emplace("nonce-of-a-simulated-client", best, channel);
    return answer(Body().text(best).value(scram_->first()).take());
  }
  if (kind == sasl_continue) {
    const auto challenge = scram_->challenge(data).value();
    const auto keys =
        identity::derive_scram_keys(identity_.password, challenge.salt, challenge.iterations);
    return answer(scram_->prove(keys.value()).value());
  }
  if (scram_->verify(data) == identity::ScramFault::none) return;
  stage_ = Stage::over;
  remote.reset();
}

void Client::on_finished(SimRemote& remote) {
  stage_ = Stage::over;
  remote.finish();
}

void Client::on_reset(SimRemote& /*remote*/) {
  stage_ = Stage::over;
}

void Client::on_alarm(SimRemote& remote) {
  if (stage_ == Stage::script) return progress(remote);
  if (stage_ == Stage::farewell && remote.now() >= waits_until_) say_goodbye(remote);
}

void Client::progress(SimRemote& remote) {
  while (next_ < script_.size()) {
    const Step& step = script_[next_];
    if (remote.now() < waits_until_ && !is_awaited(step)) return;
    waits_until_ = {};
    ++next_;
    take(remote, step);
    if (stage_ == Stage::over) return;
    if (next_ < script_.size() && script_[next_].patience.ns > 0) {
      waits_until_ = remote.now() + script_[next_].patience;
      remote.alarm(script_[next_].patience);
    }
  }
  if (stage_ != Stage::script) return;
  stage_ = Stage::farewell;
  waits_until_ = remote.now() + silence_;
  remote.alarm(silence_);
}

/// Whether what it waits for has come.
bool Client::is_awaited(const Step& step) const {
  switch (step.awaits) {
    case Step::Awaits::nothing:
      return false;
    case Step::Awaits::readies:
      return readies_ >= step.readies;
    case Step::Awaits::any:
      return since_mark_ != 0;
    case Step::Awaits::copy:
      return copies_ || readies_ != 0;
  }
  return false;
}

void Client::take(SimRemote& remote, const Step& step) {
  if (step.only_in_copy && !copies_) return;
  if (step.marks) {
    readies_ = since_mark_ = 0;
    copies_ = false;
  }
  switch (step.deed) {
    case Step::Deed::send:
      break;
    case Step::Deed::cancel:
      ++cancels_;
      return cancel_(ticket_);
    case Step::Deed::cancel_wrongly: {
      CancelTicket wrong = ticket_;
      wrong.key.back() = static_cast<char>(wrong.key.back() ^ 1);
      return cancel_(wrong);
    }
    case Step::Deed::vanish:
      stage_ = Stage::over;
      return remote.reset();
    case Step::Deed::hang_up:
      stage_ = Stage::over;
      return remote.finish();
  }
  sent_ += step.bytes;
  out_.add(step.bytes);
  while (out_.next()) message_times_.push_back(remote.now());
  remote.send(as_bytes(step.bytes));
}

void Client::say_goodbye(SimRemote& remote) {
  is_complete_ = true;
  stage_ = Stage::over;
  remote.send(as_bytes(bytes_of('X', {})));
  remote.finish();
}

Instant Client::sent_at(std::size_t number) const {
  if (message_times_.empty()) return {};
  return message_times_[std::min(std::max<std::size_t>(number, 1), message_times_.size()) - 1];
}

void Canceller::on_finished(SimRemote& remote) {
  ended_ = remote.now();
  remote.finish();
}

void Canceller::on_connected(SimRemote& remote) {
  remote.send(
      as_bytes(packet_of(Body().u32(80877102).u32(ticket_.process).bytes(ticket_.key).take())));
}

}  // namespace sluice::dataplane::postgres_sim
