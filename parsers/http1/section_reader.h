// Reads the lines of a head or trailer section, strictly from left to right.
//
// Internal to parsers/http1. What a reader says of some bytes it says of every
// longer input that begins with them, once it is not `incomplete`: that is what
// makes steps independent of where reads split the bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/message.h"

namespace sluice::http1 {

inline constexpr std::size_t method_bytes_max = 32;
inline constexpr std::size_t field_name_bytes_max = 256;
inline constexpr std::size_t host_bytes_max = 255;
/// Options of all Connection fields of one message. Each is compared with every field.
inline constexpr std::size_t connection_options_max = 16;

/// What the fields of one head say together about the message.
struct FieldFacts {
  std::string_view host;
  std::uint64_t content_length = 0;
  std::uint8_t connection_options = 0;
  bool has_host = false;
  bool has_content_length = false;
  bool has_transfer_encoding = false;
  bool has_upgrade = false;
  bool has_expect = false;
  bool asks_close = false;
  bool asks_keep_alive = false;
  bool asks_upgrade = false;
  bool names_fields = false;  ///< Some Connection option names another field.
};

class SectionReader {
 public:
  enum class Outcome : std::uint8_t { complete, incomplete, refused };
  enum class Section : std::uint8_t { request, response, trailers };

  explicit SectionReader(ByteView in) noexcept
      : begin_(as_text(in).data()), at_(begin_), end_(begin_ + in.size()) {}

  Outcome request_line(RequestHead& head, const Limits& limits) noexcept;
  Outcome status_line(ResponseHead& head) noexcept;
  /// All field lines and the empty line that ends them.
  template <Section section>
  Outcome fields(const Limits& limits, FieldTable& table, FieldFacts& facts) noexcept;

  [[nodiscard]] Fault fault() const noexcept { return fault_; }
  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return static_cast<std::size_t>(at_ - begin_);
  }

 private:
  Outcome refuse(Fault fault) noexcept {
    fault_ = fault;
    return Outcome::refused;
  }
  Outcome version(std::uint8_t& minor, Fault otherwise) noexcept;
  Outcome line_end(Fault otherwise) noexcept;
  Outcome line_without_field(std::string_view name) noexcept;
  Outcome end_of_fields(FieldTable& table, const FieldFacts& facts) noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
  Fault fault_ = Fault::none;
};

/// RFC 9112 §3.2: one host, perhaps a port. User information, lists, escapes and
/// anything else on which two readers could disagree are refused. Bytes from
/// `readable`, at or before the host, may be read.
bool is_valid_host(std::string_view host, const char* readable) noexcept;

/// True where an unfinished section may have ended or gone wrong since the first
/// `seen` bytes were read: where a control byte, such as a line's end, has come
/// in. Without this, a peer that sends single bytes makes us read everything
/// again for each; with it, at most about twice per line.
bool has_news(ByteView in, std::size_t seen) noexcept;

/// `in` up to and with its last control byte.
ByteView through_last_control(ByteView in) noexcept;

/// Runs `read`, a function from ByteView to Outcome that says the same each time,
/// over a section that must end within `bytes_max`. `seen` is kept between calls.
///
/// A refusal counts from the first control byte at or behind its cause, or when
/// `bytes_max` is reached; both are the same whatever the splits.
template <class Read>
SectionReader::Outcome read_section(ByteView in, std::size_t bytes_max, Fault too_large,
                                    std::size_t& seen, Fault& fault, Read read) noexcept {
  using Outcome = SectionReader::Outcome;
  const bool is_full = in.size() >= bytes_max;
  const ByteView window = in.first(std::min(in.size(), bytes_max));
  if (!is_full && seen != 0 && !has_news(window, seen)) {
    seen = window.size();
    return Outcome::incomplete;
  }
  Outcome outcome = read(window);
  if (outcome == Outcome::refused && !is_full) outcome = read(through_last_control(window));
  if (outcome == Outcome::incomplete && is_full) {
    fault = too_large;
    outcome = Outcome::refused;
  }
  seen = outcome == Outcome::incomplete ? window.size() : 0;
  return outcome;
}

}  // namespace sluice::http1
