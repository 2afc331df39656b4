// Response heads, and how the body of one is framed (RFC 9112 §6.3).
#include "parsers/http1/decoder.h"
#include "parsers/http1/fields.h"
#include "parsers/http1/section_reader.h"

namespace sluice::http1 {
namespace {

constexpr std::uint32_t interim_heads_max = 16;

/// RFC 9112 §6.3: what a response's length is depends on the request as well.
Fault frame(ResponseHead& head, const FieldFacts& facts, Method request_method,
            const Limits& limits) noexcept {
  const bool can_have_no_body = head.is_interim() || head.status == 204;
  head.content_length = facts.content_length;
  head.framing = Framing::none;
  if (can_have_no_body) {
    // RFC 9112 §6.1, RFC 9110 §8.6: announcing one all the same invites a reader
    // to take the next response for it.
    if (facts.has_transfer_encoding) return Fault::unsupported_transfer_encoding;
    if (facts.content_length != 0) return Fault::bad_content_length;
    return Fault::none;
  }
  if (request_method == Method::head || head.status == 304) return Fault::none;
  if (facts.has_transfer_encoding) {
    head.framing = Framing::chunked;
  } else if (facts.has_content_length) {
    if (facts.content_length > limits.body_bytes_max) return Fault::body_too_large;
    head.framing = Framing::length;
  } else {
    head.framing = Framing::until_close;
  }
  return Fault::none;
}

Fault complete(ResponseHead& head, const FieldTable& table, const FieldFacts& facts,
               Method request_method, const Limits& limits) noexcept {
  const bool is_http10 = head.version_minor == 0;
  const bool opens_tunnel =
      request_method == Method::connect && head.status >= 200 && head.status < 300;
  if (head.status == 101 || opens_tunnel) return Fault::unexpected_upgrade;
  if (is_http10 && facts.has_transfer_encoding) return Fault::transfer_encoding_in_http10;

  const Fault fault = frame(head, facts, request_method, limits);
  head.fields = table.view();
  // RFC 9112 §9.3.
  head.keep_alive = !facts.asks_close && (!is_http10 || facts.asks_keep_alive) &&
                    head.framing != Framing::until_close;
  return fault;
}

}  // namespace

void ResponseDecoder::expect(Method request_method) noexcept {
  if (phase_ == Phase::failed) return;
  request_method_ = request_method;
  interim_heads_ = 0;
  phase_ = Phase::head;
}

Step ResponseDecoder::decode(ByteView in, FieldTable& scratch) noexcept {
  switch (phase_) {
    case Phase::idle:
      return in.empty() ? Step{} : refuse(Fault::bad_status_line);
    case Phase::head:
      return decode_head(in, scratch);
    case Phase::body:
      return pass_on(body_.decode(in, scratch));
    case Phase::failed:
      break;
  }
  return refuse(fault_);
}

Step ResponseDecoder::on_close() noexcept {
  switch (phase_) {
    case Phase::idle:
      return {};
    case Phase::head:
      return refuse(Fault::truncated);
    case Phase::body:
      return pass_on(body_.on_close());
    case Phase::failed:
      break;
  }
  return refuse(fault_);
}

Step ResponseDecoder::refuse(Fault fault) noexcept {
  phase_ = Phase::failed;
  fault_ = fault;
  return {.kind = Step::Kind::malformed, .fault = fault};
}

Step ResponseDecoder::decode_head(ByteView in, FieldTable& scratch) noexcept {
  std::size_t size = 0;
  Fault fault = Fault::none;
  const auto read = [&](ByteView section) noexcept {
    SectionReader reader(section);
    FieldFacts facts;
    auto outcome = reader.status_line(head_);
    if (outcome == SectionReader::Outcome::complete) {
      outcome = reader.fields<SectionReader::Section::response>(limits_, scratch, facts);
    }
    fault = reader.fault();
    if (outcome == SectionReader::Outcome::complete) {
      fault = complete(head_, scratch, facts, request_method_, limits_);
      size = reader.size_bytes();
      if (fault != Fault::none) outcome = SectionReader::Outcome::refused;
    }
    return outcome;
  };
  switch (read_section(in, limits_.head_bytes_max, Fault::head_too_large, seen_, fault, read)) {
    case SectionReader::Outcome::incomplete:
      return {};
    case SectionReader::Outcome::refused:
      return refuse(fault);
    case SectionReader::Outcome::complete:
      break;
  }
  if (head_.is_interim()) {
    if (++interim_heads_ > interim_heads_max) return refuse(Fault::too_many_interim);
  } else {
    body_.start(head_.framing, head_.content_length, limits_);
    phase_ = Phase::body;
  }
  return {.kind = Step::Kind::head, .size_bytes = size};
}

Step ResponseDecoder::pass_on(const Step& body_step) noexcept {
  if (body_step.kind == Step::Kind::malformed) return refuse(body_step.fault);
  if (body_step.kind == Step::Kind::end) phase_ = Phase::idle;
  return body_step;
}

}  // namespace sluice::http1
