// The asking side: one request, one reply.
#include <array>

#include "control/http.h"
#include "control/http_message.h"
#include "parsers/http1/decoder.h"
#include "parsers/http1/encoder.h"
#include "parsers/http1/fields.h"

namespace sluice::control {
namespace {

/// A chunk of a recording may be a little larger than the 64 MiB that are configured at the most.
constexpr http1::Limits limits{.head_bytes_max = head_bytes_max,
                               .body_bytes_max = std::uint64_t{80} << 20};
/// Of what is not kept here.
constexpr http1::Limits limits_of_sink{.head_bytes_max = head_bytes_max,
                                       .body_bytes_max = std::uint64_t{1} << 40};

Result<void> send_request(Channel& channel, const HttpRequest& request) {
  std::array<std::uint8_t, head_bytes_max> room{};
  http1::HeadWriter head(room);
  head.request_line(request.method, request.target);
  head.field("Host", request.host);
  for (const auto& [name, value] : request.fields) head.field(name, value);
  head.field("Connection", "close");
  if (!request.body.empty()) head.field("Content-Length", std::uint64_t{request.body.size()});
  head.finish();
  if (head.overflowed()) return fail("the request's head is too large");
  if (auto sent = channel.write(head.written()); !sent) return sent;
  return channel.write(as_bytes(request.body));
}

}  // namespace

Result<HttpReply> exchange(const Descriptor& socket, const HttpRequest& request) {
  SocketChannel channel(socket);
  return exchange(channel, request);
}

Result<HttpReply> fetch(SocketChannel& below, Channel& channel, const HttpRequest& request,
                        const HttpFetch& how) {
  below.limit(how.first);
  return exchange(channel, request, [&](ByteView piece) {
    below.limit(how.next);
    return how.sink(piece);
  });
}

Result<HttpReply> exchange(Channel& channel, const HttpRequest& request, const HttpSink& sink) {
  if (auto sent = send_request(channel, request); !sent) return tl::unexpected(sent.error());

  HttpReply reply;
  http1::ResponseDecoder decoder(sink ? limits_of_sink : limits);
  decoder.expect(http1::method_of(request.method));
  auto table = std::make_unique<http1::FieldTable>();
  std::string unread;
  bool closed = false;
  for (;;) {
    const auto step = closed ? decoder.on_close() : decoder.decode(as_bytes(unread), *table);
    switch (step.kind) {
      case http1::Step::Kind::malformed:
        return fail("not an HTTP reply: " + std::string(http1::text(step.fault)));
      case http1::Step::Kind::head:
        reply.status = decoder.response().status;
        reply.fields = copy_of(decoder.response().fields);
        reply.content_type = field_value(reply.fields, "content-type");
        break;
      case http1::Step::Kind::data:
        if (sink && reply.status == 200) {
          if (auto taken = sink(step.data); !taken) return tl::unexpected(taken.error());
        } else if (reply.body.size() + step.data.size() <= limits.body_bytes_max) {
          reply.body.append(as_text(step.data));
        } else {
          return fail("the reply is too long");
        }
        break;
      case http1::Step::Kind::end:
        return reply;
      case http1::Step::Kind::needs_more:
        break;
    }
    unread.erase(0, step.size_bytes);
    if (step.kind == http1::Step::Kind::needs_more) {
      const auto got = channel.read(unread);
      if (!got) return tl::unexpected(got.error());
      closed = *got == 0;
    }
  }
}

}  // namespace sluice::control
