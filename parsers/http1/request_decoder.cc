// Request heads: what is checked once the whole head is there.
#include "parsers/http1/decoder.h"
#include "parsers/http1/fields.h"
#include "parsers/http1/section_reader.h"
#include "parsers/http1/target.h"

namespace sluice::http1 {
namespace {

/// What only a whole head can be judged by. RFC 9112 §3.2, §6.
Fault complete(RequestHead& head, const FieldTable& table, const FieldFacts& facts,
               const Limits& limits) noexcept {
  const bool is_http10 = head.version_minor == 0;
  if (is_http10 && facts.has_transfer_encoding) return Fault::transfer_encoding_in_http10;
  if (!is_http10 && !facts.has_host) return Fault::missing_host;
  if (facts.has_content_length && facts.content_length > limits.body_bytes_max) {
    return Fault::body_too_large;
  }

  // RFC 9112 §3.2.2: an HTTP/1.0 client may name the host in the target alone.
  head.host = facts.has_host ? facts.host : authority_of(head.target);
  if (!facts.has_host && !head.host.empty() && !is_valid_host(head.host, head.host.data()))
    return Fault::bad_host;
  head.fields = table.view();
  head.content_length = facts.content_length;
  head.framing = Framing::none;
  if (facts.has_transfer_encoding) head.framing = Framing::chunked;
  if (facts.has_content_length) head.framing = Framing::length;
  // RFC 9112 §9.3.
  head.keep_alive = !facts.asks_close && (!is_http10 || facts.asks_keep_alive);
  // RFC 9110 §10.1.1: of no use without content, and not for HTTP/1.0.
  const bool has_content =
      facts.has_transfer_encoding || (facts.has_content_length && facts.content_length > 0);
  head.expects_continue = facts.has_expect && has_content && !is_http10;
  // RFC 9110 §7.8: an Upgrade field that Connection does not name is to be ignored.
  head.wants_upgrade = facts.has_upgrade && facts.asks_upgrade && !is_http10;
  return Fault::none;
}

}  // namespace

Step RequestDecoder::decode(ByteView in, FieldTable& scratch) noexcept {
  switch (phase_) {
    case Phase::head:
      return decode_head(in, scratch);
    case Phase::body:
      return decode_body(in, scratch);
    case Phase::failed:
      break;
  }
  return refuse(fault_);
}

Step RequestDecoder::refuse(Fault fault) noexcept {
  phase_ = Phase::failed;
  fault_ = fault;
  return {.kind = Step::Kind::malformed, .fault = fault};
}

Step RequestDecoder::decode_head(ByteView in, FieldTable& scratch) noexcept {
  // RFC 9112 §2.2: one empty line before a request line is forgiven.
  std::size_t skipped = 0;
  if (!took_empty_line_ && !in.empty() && in[0] == '\r') {
    if (in.size() == 1) return {};
    if (in[1] != '\n') return refuse(Fault::bad_request_line);
    took_empty_line_ = true;
    skipped = 2;
    in = in.subspan(skipped);
  }

  std::size_t size = 0;
  Fault fault = Fault::none;
  const auto read = [&](ByteView section) noexcept {
    SectionReader reader(section);
    FieldFacts facts;
    auto outcome = reader.request_line(head_, limits_);
    if (outcome == SectionReader::Outcome::complete) {
      outcome = reader.fields<SectionReader::Section::request>(limits_, scratch, facts);
    }
    fault = reader.fault();
    if (outcome == SectionReader::Outcome::complete) {
      fault = complete(head_, scratch, facts, limits_);
      size = reader.size_bytes();
      if (fault != Fault::none) outcome = SectionReader::Outcome::refused;
    }
    return outcome;
  };
  switch (read_section(in, limits_.head_bytes_max, Fault::head_too_large, seen_, fault, read)) {
    case SectionReader::Outcome::incomplete:
      return {.size_bytes = skipped};
    case SectionReader::Outcome::refused:
      return refuse(fault);
    case SectionReader::Outcome::complete:
      break;
  }
  body_.start(head_.framing, head_.content_length, limits_);
  phase_ = Phase::body;
  took_empty_line_ = false;
  return {.kind = Step::Kind::head, .size_bytes = skipped + size};
}

Step RequestDecoder::decode_body(ByteView in, FieldTable& scratch) noexcept {
  Step step = body_.decode(in, scratch);
  if (step.kind == Step::Kind::end) phase_ = Phase::head;
  if (step.kind == Step::Kind::malformed) {
    phase_ = Phase::failed;
    fault_ = step.fault;
  }
  return step;
}

}  // namespace sluice::http1
