// Where a body ends, and what of it is payload.
#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/section_reader.h"

namespace sluice::http1 {
namespace {

constexpr std::uint8_t size_digits_max = 16;  // of hexadecimal: all that 64 bits hold

Step needs_more(std::size_t size_bytes) noexcept {
  return {.kind = Step::Kind::needs_more, .size_bytes = size_bytes};
}

Step end_of_body(std::size_t size_bytes) noexcept {
  return {.kind = Step::Kind::end, .size_bytes = size_bytes};
}

Step piece(ByteView in, std::size_t framing_bytes, std::size_t data_bytes) noexcept {
  return {.kind = Step::Kind::data,
          .size_bytes = framing_bytes + data_bytes,
          .data = in.subspan(framing_bytes, data_bytes)};
}

std::size_t smaller(std::uint64_t a, std::size_t b) noexcept {
  return a < b ? static_cast<std::size_t>(a) : b;
}

}  // namespace

void BodyDecoder::start(Framing framing, std::uint64_t content_length,
                        const Limits& limits) noexcept {
  *this = BodyDecoder{};
  limits_ = limits;
  switch (framing) {
    case Framing::none:
      state_ = State::done;
      break;
    case Framing::length:
      state_ = State::fixed;
      remaining_ = content_length;
      if (content_length > limits.body_bytes_max) refuse(Fault::body_too_large);
      break;
    case Framing::chunked:
      state_ = State::size;
      break;
    case Framing::until_close:
      state_ = State::until_close;
      break;
  }
}

Step BodyDecoder::decode(ByteView in, FieldTable& trailers) noexcept {
  switch (state_) {
    case State::done:
      return end_of_body(0);
    case State::failed:
      return refuse(fault_);
    case State::fixed:
      return decode_fixed(in);
    case State::until_close:
      return decode_until_close(in);
    default:
      return decode_chunked(in, trailers);
  }
}

Step BodyDecoder::on_close() noexcept {
  switch (state_) {
    case State::failed:
      return refuse(fault_);
    case State::done:
    case State::until_close:
      state_ = State::done;
      return end_of_body(0);
    case State::fixed:
      if (remaining_ == 0) {
        state_ = State::done;
        return end_of_body(0);
      }
      return refuse(Fault::truncated);
    default:
      return refuse(Fault::truncated);
  }
}

void BodyDecoder::skip(std::uint64_t size_bytes) noexcept {
  ASSERT(size_bytes <= left_bytes());
  remaining_ -= size_bytes;
}

Step BodyDecoder::refuse(Fault fault) noexcept {
  state_ = State::failed;
  fault_ = fault;
  return {.kind = Step::Kind::malformed, .fault = fault};
}

Step BodyDecoder::decode_fixed(ByteView in) noexcept {
  if (remaining_ == 0) {
    state_ = State::done;
    return end_of_body(0);
  }
  if (in.empty()) return needs_more(0);
  const std::size_t size = smaller(remaining_, in.size());
  remaining_ -= size;
  return piece(in, 0, size);
}

Step BodyDecoder::decode_until_close(ByteView in) noexcept {
  if (in.empty()) return needs_more(0);
  const std::size_t size = smaller(limits_.body_bytes_max - total_, in.size());
  if (size == 0) return refuse(Fault::body_too_large);
  total_ += size;
  return piece(in, 0, size);
}

// RFC 9112 §7.1.
Step BodyDecoder::decode_chunked(ByteView in, FieldTable& trailers) noexcept {
  std::size_t at = 0;
  while (state_ != State::trailers) {
    if (at == in.size()) return needs_more(at);
    if (state_ == State::chunk) {
      const std::size_t size = smaller(remaining_, in.size() - at);
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::chunk_return;
      return piece(in, at, size);
    }
    const Fault fault = take_framing_byte(in[at]);
    if (fault != Fault::none) return refuse(fault);
    ++at;
  }
  return decode_trailers(in.subspan(at), at, trailers);
}

// RFC 9112 §7.1.2.
Step BodyDecoder::decode_trailers(ByteView in, std::size_t framing_bytes,
                                  FieldTable& trailers) noexcept {
  std::size_t size = 0;
  Fault fault = Fault::none;
  const auto read = [&](ByteView section) noexcept {
    SectionReader reader(section);
    FieldFacts facts;
    const auto outcome = reader.fields<SectionReader::Section::trailers>(limits_, trailers, facts);
    fault = reader.fault();
    size = reader.size_bytes();
    return outcome;
  };
  switch (
      read_section(in, limits_.trailer_bytes_max, Fault::trailers_too_large, seen_, fault, read)) {
    case SectionReader::Outcome::incomplete:
      return needs_more(framing_bytes);
    case SectionReader::Outcome::refused:
      return refuse(fault);
    case SectionReader::Outcome::complete:
      break;
  }
  state_ = State::done;
  Step step = end_of_body(framing_bytes + size);
  step.trailers = trailers.view();
  return step;
}

/// One byte of a size line or of the CRLF behind a chunk. A bare LF never ends a line.
Fault BodyDecoder::take_framing_byte(std::uint8_t byte) noexcept {
  switch (state_) {
    case State::size:
      return take_size_digit(byte);
    case State::extension:
      // Dropped, so its grammar matters to no one; only its end and its size do.
      if (byte == '\n') return Fault::bare_line_feed;
      if (byte == '\r') {
        state_ = State::size_line_feed;
        return Fault::none;
      }
      if (byte != '\t' && (byte < 0x20 || byte >= 0x7F)) return Fault::bad_chunk_extension;
      return ++extension_bytes_ > limits_.chunk_extension_bytes_max ? Fault::bad_chunk_extension
                                                                    : Fault::none;
    case State::size_line_feed:
      return byte == '\n' ? begin_chunk() : Fault::bad_chunk_size;
    case State::chunk_return:
      if (byte == '\n') return Fault::bare_line_feed;
      state_ = State::chunk_line_feed;
      return byte == '\r' ? Fault::none : Fault::bad_chunk_end;
    default:
      state_ = State::size;
      return byte == '\n' ? Fault::none : Fault::bad_chunk_end;
  }
}

Fault BodyDecoder::take_size_digit(std::uint8_t byte) noexcept {
  const int digit = hex_value(byte);
  if (digit >= 0) {
    if (++size_digits_ > size_digits_max) return Fault::bad_chunk_size;
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    return Fault::none;
  }
  if (byte == '\n') return Fault::bare_line_feed;
  if (size_digits_ == 0) return Fault::bad_chunk_size;
  if (byte == ';') {
    extension_bytes_ = 1;
    state_ = State::extension;
    return limits_.chunk_extension_bytes_max == 0 ? Fault::bad_chunk_extension : Fault::none;
  }
  state_ = State::size_line_feed;
  return byte == '\r' ? Fault::none : Fault::bad_chunk_size;
}

Fault BodyDecoder::begin_chunk() noexcept {
  size_digits_ = 0;
  extension_bytes_ = 0;
  if (remaining_ == 0) {
    state_ = State::trailers;
    return Fault::none;
  }
  if (remaining_ > limits_.body_bytes_max - total_) return Fault::body_too_large;
  total_ += remaining_;
  state_ = State::chunk;
  return Fault::none;
}

}  // namespace sluice::http1
