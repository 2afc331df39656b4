// Long bodies that nobody looks at go from socket to socket inside the kernel; the
// session only counts them.
#include "dataplane/session/http_session.h"

namespace sluice::dataplane {
namespace {

/// What is left must be worth the change of ways.
constexpr std::uint64_t spliced_bytes_min = 128 * 1024;
/// A body's end goes through the session: its outcome is recorded before that leaves.
constexpr std::uint64_t unspliced_bytes = 1024;

std::uint64_t spliceable(std::uint64_t left_bytes) noexcept {
  return left_bytes < spliced_bytes_min ? 0 : left_bytes - unspliced_bytes;
}

/// What is encrypted on one side or both cannot pass as it is, and what is recorded must be seen.
bool must_be_seen(const Exchange& exchange) noexcept {
  return exchange.listener->tls != nullptr || exchange.target->tls != nullptr ||
         exchange.is_recorded;
}

}  // namespace

/// Of the response; 0: it has to pass the session.
std::uint64_t HttpSession::spliceable_response_bytes() const noexcept {
  if (upstream_ != Upstream::attached || !exchange_->response_started) return 0;
  if (exchange_->response_is_masked || must_be_seen(*exchange_)) return 0;
  return spliceable(exchange_->response_decoder->left_bytes());
}

std::uint64_t HttpSession::spliceable_request_bytes() const noexcept {
  if (upstream_ != Upstream::attached || stage_ != Stage::body) return 0;
  if (exchange_->request_is_masked || held_head_ != no_buffer) return 0;
  if (must_be_seen(*exchange_)) return 0;
  return spliceable(decoder_.left_bytes());
}

Session::Splices HttpSession::splices() const noexcept {
  Splices splices;
  // Nothing may be overtaken.
  if (upstream_inbox_.empty() && to_client_.empty()) {
    splices.to_client_bytes = spliceable_response_bytes();
  }
  if (client_inbox_.empty() && to_upstream_.empty()) {
    splices.to_upstream_bytes = spliceable_request_bytes();
  }
  return splices;
}

void HttpSession::on_client_spliced(std::uint64_t size_bytes) {
  if (stage_ != Stage::body) return;
  decoder_.skip(size_bytes);
  exchange_->bytes_in += size_bytes;
  exchange_->request_relay.pass_unseen(size_bytes);
  note_progress();
}

void HttpSession::on_upstream_spliced(std::uint64_t size_bytes) {
  if (!exchange_) return;
  exchange_->response_decoder->skip(size_bytes);
  exchange_->response_relay.pass_unseen(size_bytes);
  note_progress();
}

}  // namespace sluice::dataplane
