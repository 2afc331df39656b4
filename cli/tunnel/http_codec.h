// HTTP/1.1: each request gets the caller's Authorization field.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/tunnel/codec.h"
#include "parsers/http1/decoder.h"

namespace sluice::cli::tunnel {

/// One exchange at a time; both directions must be well-formed, and what they hold passes as it
/// came. The client's own fields with credentials for the gateway are left out.
///
/// refuses  what a page in a browser may have sent (403), another Host than the tunnel (421),
///          HTTP/1.0 (505), what is malformed (as http1::status_of() says).
class HttpCodec final : public Codec {
 public:
  /// gateway  as a client that calls it without a tunnel names it in Host.
  HttpCodec(std::uint16_t port, std::string gateway, Tokens tokens);

  void take_from_client(std::string& unread, Output& out) override;
  void take_from_gateway(std::string& unread, Output& out) override;
  [[nodiscard]] bool on_gateway_end() override;
  void refuse(std::string_view why, Output& out) override;
  [[nodiscard]] bool owes_client() const override { return is_answering_; }

 private:
  struct Refusal {
    std::uint16_t status = 0;
    std::string why;
  };
  [[nodiscard]] std::optional<Refusal> take_head(Output& out);
  void refuse_request(const Refusal& refusal, Output& out);

  std::array<std::string, 2> own_names_;
  std::string gateway_;
  Tokens tokens_;
  std::unique_ptr<http1::FieldTable> fields_ = std::make_unique<http1::FieldTable>();
  http1::RequestDecoder requests_;
  http1::ResponseDecoder responses_;
  bool is_asking_ = false;         ///< Within a request.
  bool is_answering_ = false;      ///< A request went on, and its answer is not over.
  bool has_answer_begun_ = false;  ///< A refusal would be in the middle of it.
};

}  // namespace sluice::cli::tunnel
