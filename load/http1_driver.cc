#include "load/http1_driver.h"

#include <algorithm>

#include "parsers/http1/encoder.h"
#include "parsers/http1/fields.h"

namespace sluice::load {
namespace {

/// Larger than any gateway's: what the target may send is the target's business.
constexpr http1::Limits limits{.head_bytes_max = std::size_t{64} << 10,
                               .fields_max = http1::fields_max,
                               .trailer_bytes_max = std::size_t{64} << 10,
                               .chunk_extension_bytes_max = 4096,
                               .body_bytes_max = UINT64_MAX};

class Http1Driver final : public Driver {
 public:
  Http1Driver(ByteView request, http1::Method method) : request_(request), method_(method) {}

  void start() override {
    decoder_ = http1::ResponseDecoder(limits);
    unread_.clear();
    status_ = 0;
  }

  ByteView next_request() override {
    decoder_.expect(method_);
    return request_;
  }

  Answer on_bytes(ByteView in) override {
    // Nearly always an answer arrives in one piece and is read where it lies.
    if (unread_.empty()) {
      const std::size_t used = decode(in);
      const auto rest = in.subspan(used);
      unread_.assign(rest.begin(), rest.end());
    } else {
      unread_.insert(unread_.end(), in.begin(), in.end());
      const std::size_t used = decode(unread_);
      unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(used));
    }
    // One request was sent, so bytes after its answer belong to nothing.
    if (answer_.kind == Answer::Kind::complete && !unread_.empty()) return broken();
    return answer_;
  }

  Answer on_close() override {
    take(decoder_.on_close());
    answer_.connection_ends = true;
    return answer_;
  }

 private:
  static Answer broken() {
    return {.kind = Answer::Kind::broken, .status = 0, .connection_ends = true};
  }

  /// Decodes until the answer is complete or more bytes are needed; returns how
  /// many were used up.
  std::size_t decode(ByteView in) {
    std::size_t used = 0;
    for (;;) {
      const auto step = decoder_.decode(in.subspan(used), fields_);
      used += step.size_bytes;
      if (!take(step)) return used;
    }
  }

  /// Whether decoding goes on.
  bool take(const http1::Step& step) {
    switch (step.kind) {
      case http1::Step::Kind::head:
        if (!decoder_.response().is_interim()) {
          status_ = decoder_.response().status;
          keep_alive_ = decoder_.response().keep_alive;
        }
        return true;
      case http1::Step::Kind::data:
        return true;
      case http1::Step::Kind::end:
        answer_ = {
            .kind = Answer::Kind::complete, .status = status_, .connection_ends = !keep_alive_};
        return false;
      case http1::Step::Kind::needs_more:
        answer_ = {};
        return false;
      case http1::Step::Kind::malformed:
        answer_ = broken();
        return false;
    }
    return false;
  }

  ByteView request_;
  http1::Method method_;
  http1::ResponseDecoder decoder_{limits};
  http1::FieldTable fields_;
  std::vector<std::uint8_t> unread_;
  Answer answer_;
  std::uint16_t status_ = 0;
  bool keep_alive_ = true;
};

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

Result<std::string> encode(const Http1Request& request, const Url& url) {
  if (!http1::is_token(request.method)) return fail("the method is not a token");
  std::size_t size = request.method.size() + url.target.size() + url.authority.size() + 128;
  bool has_host = false;
  for (const auto& [name, value] : request.fields) {
    if (!http1::is_token(name) || !is_clean(value)) return fail("'" + name + "' is not a header");
    has_host = has_host || http1::equal_ignoring_case(name, "host");
    size += name.size() + value.size() + 4;
  }

  std::string bytes(size, '\0');
  http1::HeadWriter head({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  head.request_line(request.method, url.target);
  if (!has_host) head.field("Host", url.authority);
  for (const auto& [name, value] : request.fields) head.field(name, value);
  // RFC 9110 §8.6: a method that means content says so even when it is empty.
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    head.field("Content-Length", std::uint64_t{request.body.size()});
  }
  head.finish();
  if (head.overflowed()) return fail("the request's head is too large");
  bytes.resize(head.written().size());
  return bytes + request.body;
}

std::unique_ptr<Driver> Http1DriverFactory::make() const {
  return std::make_unique<Http1Driver>(as_bytes(bytes_), method_);
}

}  // namespace sluice::load
