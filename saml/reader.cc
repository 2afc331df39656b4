#include "saml/reader.h"

#include "saml/message.h"
#include "saml/response_shape.h"
#include "saml/signature.h"
#include "saml/statement.h"

namespace sluice::saml {
namespace {

Result<SignedElement, Fault> find_signed_element(const SignedElementRequest& request) {
  if (request.response.size() > response_bytes_max) return tl::unexpected(Fault::too_large);
  const auto document = XmlDocument::parse(request.response);
  if (!document) return tl::unexpected(document.error());
  const auto shape = response_shape(*document);
  if (!shape) return tl::unexpected(shape.error());
  if (shape->signature == nullptr) return tl::unexpected(Fault::not_signed);
  auto envelope = envelope_of(*shape->response);
  if (!envelope) return tl::unexpected(envelope.error());
  auto out = verify_signature(*document, shape->signature, request.keys);
  if (out) out->envelope = std::move(*envelope);
  return out;
}

template <class Answer>
std::string encoded(const Result<Answer, Fault>& answer) {
  return answer ? encode(*answer) : encode(answer.error());
}

}  // namespace

Result<void> prepare_reader() {
  return prepare_signatures();
}

std::string answer(std::string_view message) {
  if (const auto request = parse_signed_element_request(message)) {
    return encoded(find_signed_element(*request));
  }
  if (const auto request = parse_statement_request(message)) {
    return encoded(read_statement(*request));
  }
  return encode(Fault::reader_failed);
}

}  // namespace sluice::saml
