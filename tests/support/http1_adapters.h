// The HTTP/1.1 decoders as the codec contract sees them.
#pragma once

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "codec_contract.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/encoder.h"

namespace sluice::testing {

inline std::string describe(std::span<const http1::Field> fields) {
  std::string out;
  for (const http1::Field& field : fields) {
    out += '[';
    out += field.name;
    out += '=';
    out += field.value;
    if (field.id != http1::FieldName::other) out += " known";
    out += field.is_hop_by_hop ? " hop]" : "]";
  }
  return out;
}

inline std::string describe(http1::Framing framing, std::uint64_t content_length) {
  switch (framing) {
    case http1::Framing::none:
      return "none";
    case http1::Framing::length:
      return "length " + std::to_string(content_length);
    case http1::Framing::chunked:
      return "chunked";
    case http1::Framing::until_close:
      return "until_close";
  }
  return "?";
}

inline std::string describe(const http1::RequestHead& head) {
  std::string out = "request ";
  out += std::to_string(static_cast<int>(head.method)) + ' ';
  out += head.method_text;
  out += ' ';
  out += head.target;
  out += " 1." + std::to_string(head.version_minor) + " host=";
  out += head.host;
  out += " body=" + describe(head.framing, head.content_length);
  if (head.keep_alive) out += " keep-alive";
  if (head.expects_continue) out += " continue";
  if (head.wants_upgrade) out += " upgrade";
  return out + ' ' + describe(head.fields);
}

inline std::string describe(const http1::ResponseHead& head) {
  std::string out = "response " + std::to_string(head.status) + ' ';
  out += head.reason;
  out += " 1." + std::to_string(head.version_minor);
  out += " body=" + describe(head.framing, head.content_length);
  if (head.keep_alive) out += " keep-alive";
  return out + ' ' + describe(head.fields);
}

/// Encodes what decoders said, one piece of data a chunk.
class Http1Reencoder {
 public:
  void head(const http1::RequestHead& head) {
    write_head(head.fields, head.framing, head.version_minor, [&](http1::HeadWriter& writer) {
      writer.request_line(head.method_text, head.target);
    });
  }
  void head(const http1::ResponseHead& head) {
    write_head(head.fields, head.framing, head.version_minor,
               [&](http1::HeadWriter& writer) { writer.status_line(head.status, head.reason); });
  }
  void body(const http1::Step& step) {
    if (step.kind == http1::Step::Kind::data) {
      if (framing_ == http1::Framing::chunked) write_chunk_prefix(step.data.size());
      out_ += as_text(step.data);
      if (framing_ == http1::Framing::chunked) out_ += "\r\n";
    } else if (framing_ == http1::Framing::chunked) {
      out_ += "0\r\n";
      for (const http1::Field& field : step.trailers) {
        out_.append(field.name).append(": ").append(field.value).append("\r\n");
      }
      out_ += "\r\n";
    }
  }
  [[nodiscard]] const std::string& encoded() const { return out_; }

 private:
  template <class WriteLine>
  void write_head(std::span<const http1::Field> fields, http1::Framing framing,
                  std::uint8_t version_minor, WriteLine write_line) {
    std::vector<std::uint8_t> room(64 * 1024);
    http1::HeadWriter writer(room);
    write_line(writer);
    for (const http1::Field& field : fields) writer.field(field.name, field.value);
    writer.finish();
    if (writer.overflowed()) std::abort();
    std::string head(as_text(writer.written()));
    // The gateway always speaks 1.1; what a 1.0 message means depends on its version.
    if (version_minor == 0) {
      const auto line_end = head.find("\r\n");
      head[head.starts_with("HTTP/1.1 ") ? 7 : line_end - 1] = '0';
    }
    out_ += head;
    framing_ = framing;
  }
  void write_chunk_prefix(std::size_t size) {
    std::array<std::uint8_t, http1::chunk_prefix_bytes_max> room{};
    std::uint8_t* const end = room.data() + room.size();
    const std::uint8_t* const begin = http1::write_chunk_prefix_before(end, size);
    out_ += as_text({begin, static_cast<std::size_t>(end - begin)});
  }

  std::string out_;
  http1::Framing framing_ = http1::Framing::none;
};

/// Turns a decoder's step into a contract step; `Derived` describes its head.
template <class Derived>
class Http1Adapter {
 public:
  ContractStep describe_step(const http1::Step& step) {
    using Kind = http1::Step::Kind;
    ContractStep out;
    out.size_bytes = step.size_bytes;
    switch (step.kind) {
      case Kind::needs_more:
        break;
      case Kind::head:
        out.kind = ContractStep::Kind::event;
        out.what = static_cast<Derived*>(this)->describe_head();
        break;
      case Kind::data:
        out.kind = ContractStep::Kind::data;
        out.what = std::string(as_text(step.data));
        reencoder_.body(step);
        break;
      case Kind::end:
        out.kind = ContractStep::Kind::event;
        out.what = "end " + describe(step.trailers);
        reencoder_.body(step);
        break;
      case Kind::malformed:
        out.kind = ContractStep::Kind::malformed;
        out.what = "malformed " + std::string(text(step.fault));
        break;
    }
    return out;
  }
  [[nodiscard]] std::string encode_again() const { return reencoder_.encoded(); }

 protected:
  http1::FieldTable table_;
  Http1Reencoder reencoder_;
};

class RequestAdapter : public Http1Adapter<RequestAdapter> {
 public:
  explicit RequestAdapter(const http1::Limits& limits) : decoder_(limits) {}

  ContractStep next(ByteView in) { return describe_step(decoder_.decode(in, table_)); }
  std::string close() { return decoder_.is_idle() ? "idle" : "inside a message"; }
  std::string describe_head() {
    reencoder_.head(decoder_.request());
    return describe(decoder_.request());
  }

 private:
  http1::RequestDecoder decoder_;
};

/// Expects an answer to `method` whenever none is under way.
class ResponseAdapter : public Http1Adapter<ResponseAdapter> {
 public:
  ResponseAdapter(const http1::Limits& limits, http1::Method method)
      : decoder_(limits), method_(method) {}

  ContractStep next(ByteView in) {
    if (decoder_.is_idle()) decoder_.expect(method_);
    return describe_step(decoder_.decode(in, table_));
  }
  std::string close() {
    const http1::Step step = decoder_.on_close();
    return describe_step(step).what;
  }
  std::string describe_head() {
    reencoder_.head(decoder_.response());
    return describe(decoder_.response());
  }

 private:
  http1::ResponseDecoder decoder_;
  http1::Method method_;
};

}  // namespace sluice::testing
