#include "load/http1_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "load/answer_check.h"
#include "parsers/http1/decoder.h"
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

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

/// Request line and fields, without the empty line that ends them.
Result<std::string> head_text(const MixRequest& request, const Url& url) {
  const std::string_view path = request.path.empty() ? url.target : request.path;
  if (!http1::is_token(request.method)) return fail("the method is not a token");
  std::size_t size = request.method.size() + path.size() + url.authority.size() + 128;
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    if (!http1::is_token(name) || !is_clean(value)) return fail("'" + name + "' is not a header");
    has_host = has_host || http1::equal_ignoring_case(name, "host");
    size += name.size() + value.size() + 4;
  }
  std::string bytes(size, '\0');
  http1::HeadWriter head({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  head.request_line(request.method, path);
  if (!has_host) head.field("Host", url.authority);
  for (const auto& [name, value] : request.headers) head.field(name, value);
  if (head.overflowed()) return fail("the request's head is too large");
  bytes.resize(head.written().size());
  return bytes;
}

}  // namespace

class Http1Driver final : public Driver {
 public:
  Http1Driver(const Http1DriverFactory& factory, std::uint64_t connection)
      : factory_(factory),
        random_(factory.seed_, connection),
        // Connections take the identities in turn, and so do those that follow them.
        identity_(static_cast<std::size_t>(connection) - 1) {}

  void start() override {
    decoder_ = http1::ResponseDecoder(limits);
    unread_.clear();
    status_ = 0;
    ++identity_;
  }

  ByteView next_request() override {
    request_ = &choose();
    decoder_.expect(request_->method);
    if (request_->is_checked) check_.start(request_->expect);
    if (!request_->constant.empty()) return as_bytes(request_->constant);
    bytes_.clear();
    request_->write(random_, identity(), body_, bytes_);
    return as_bytes(bytes_);
  }

  Duration think_time() override {
    if (factory_.think_max_.ns == 0) return {};
    return {static_cast<std::int64_t>(
        random_.between(static_cast<std::uint64_t>(factory_.think_min_.ns),
                        static_cast<std::uint64_t>(factory_.think_max_.ns)))};
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
        if (request_->is_checked) check_.on_body(step.data);
        return true;
      case http1::Step::Kind::end:
        answer_ = {.kind = Answer::Kind::complete,
                   .status = status_,
                   .connection_ends = !keep_alive_,
                   .failed_check = request_->is_checked ? failed_check() : no_check};
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

  std::uint16_t failed_check() {
    const auto failed = check_.finish(status_);
    if (!failed) return no_check;
    const auto request = static_cast<std::size_t>(request_ - factory_.requests_.data());
    return static_cast<std::uint16_t>(request * check_words.size() +
                                      static_cast<std::size_t>(*failed));
  }

  const Http1Request& choose() {
    const auto& requests = factory_.requests_;
    if (requests.size() == 1) return requests.front();
    std::uint64_t drawn = random_.below(factory_.weights_);
    for (const Http1Request& request : requests) {
      if (drawn < request.weight) return request;
      drawn -= request.weight;
    }
    return requests.back();
  }

  [[nodiscard]] std::string_view identity() const {
    const auto& identities = factory_.identities_;
    return identities.empty() ? std::string_view() : identities[identity_ % identities.size()];
  }

  const Http1DriverFactory& factory_;
  const Http1Request* request_ = nullptr;  ///< The one that was sent last.
  Random random_;
  std::size_t identity_;
  std::string bytes_;
  std::string body_;
  http1::ResponseDecoder decoder_{limits};
  http1::FieldTable fields_;
  std::vector<std::uint8_t> unread_;
  AnswerCheck check_;
  Answer answer_;
  std::uint16_t status_ = 0;
  bool keep_alive_ = true;
};

void Http1Request::write(Random& random, std::string_view identity, std::string& scratch,
                         std::string& out) const {
  head.render(random, identity, out);
  scratch.clear();
  body.render(random, identity, scratch);
  if (has_length) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", scratch.size());
  out += "\r\n";
  out += scratch;
}

Result<Http1Request> compile(const MixRequest& request, const Url& url) {
  const auto text = head_text(request, url);
  if (!text) return tl::unexpected(text.error());
  const auto templated = [&](const std::string& part) -> Result<Template> {
    return request.has_templates ? Template::parse(part) : Template::literal(part);
  };
  auto head = templated(*text);
  if (!head) return tl::unexpected(head.error());
  auto body = templated(request.body);
  if (!body) return tl::unexpected(body.error());

  Http1Request compiled{.method = http1::method_of(request.method), .weight = request.weight};
  // RFC 9110 §8.6: a method that means content says so even when it is empty.
  compiled.has_length =
      !request.body.empty() || request.method == "POST" || request.method == "PUT";
  compiled.head = std::move(*head);
  compiled.body = std::move(*body);
  compiled.expect = request.expect;
  compiled.is_checked = request.expect.status.has_value() || request.expect.digest.has_value() ||
                        request.expect.no_unmasked_card;
  if (compiled.head.is_constant() && compiled.body.is_constant()) {
    Random unused(0);
    std::string scratch;
    compiled.write(unused, {}, scratch, compiled.constant);
  }
  return compiled;
}

Result<std::unique_ptr<Http1DriverFactory>> Http1DriverFactory::make(const Mix& mix, const Url& url,
                                                                     std::uint64_t seed) {
  auto factory = std::unique_ptr<Http1DriverFactory>(new Http1DriverFactory);
  for (const MixRequest& request : mix.requests) {
    auto compiled = compile(request, url);
    if (!compiled) return tl::unexpected(compiled.error());
    factory->weights_ += compiled->weight;
    factory->requests_.push_back(std::move(*compiled));
    for (const std::string_view word : check_words) {
      factory->check_names_.push_back(fmt::format("{}: {}", request.name, word));
    }
  }
  factory->identities_ = mix.identities;
  factory->think_min_ = mix.think_min;
  factory->think_max_ = mix.think_max;
  factory->seed_ = seed;
  return factory;
}

std::unique_ptr<Driver> Http1DriverFactory::make_driver(std::uint64_t connection) const {
  return std::make_unique<Http1Driver>(*this, connection);
}

}  // namespace sluice::load
