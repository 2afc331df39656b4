#include "saml/message.h"

#include <concepts>
#include <cstdint>
#include <optional>

namespace sluice::saml {
namespace {

constexpr char refusal_kind = 'R';
constexpr std::size_t items_max = 4096;
constexpr std::size_t number_bytes = 4;

class Writer {
 public:
  explicit Writer(char kind) { out_ += kind; }

  void operator()(const std::string& text) {
    number(text.size());
    out_ += text;
  }
  void operator()(bool flag) { out_ += flag ? '\1' : '\0'; }
  void operator()(config::JwsAlgorithm algorithm) { out_ += static_cast<char>(algorithm); }
  template <class Item>
  void operator()(const std::vector<Item>& items);
  template <class Part>
  void operator()(const Part& part);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void number(std::size_t value) {
    for (std::size_t i = 0; i < number_bytes; ++i) out_ += static_cast<char>(value >> (8 * i));
  }
  std::string out_;
};

/// Takes fields from the front; is bad for ever once one was missing or had another spelling.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  void operator()(std::string& text) { text = take(number()); }
  void operator()(bool& flag) {
    const std::uint8_t value = byte();
    is_bad_ = is_bad_ || value > 1;
    flag = value == 1;
  }
  void operator()(config::JwsAlgorithm& algorithm) {
    const std::uint8_t value = byte();
    is_bad_ = is_bad_ || value >= config::jws_algorithm_names.size();
    if (!is_bad_) algorithm = static_cast<config::JwsAlgorithm>(value);
  }
  void operator()(Fault& fault) {
    const std::uint8_t value = byte();
    is_bad_ = is_bad_ || value == 0 || value >= faults;
    if (!is_bad_) fault = static_cast<Fault>(value);
  }
  template <class Item>
  void operator()(std::vector<Item>& items);
  template <class Part>
  void operator()(Part& part);

  [[nodiscard]] bool is_good_and_over() const { return !is_bad_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    is_bad_ = is_bad_ || size > rest_.size();
    if (is_bad_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint8_t byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken.front());
  }
  std::size_t number() {
    std::size_t value = 0;
    for (std::size_t i = 0; i < number_bytes; ++i) value |= std::size_t{byte()} << (8 * i);
    return value;
  }

  std::string_view rest_;
  bool is_bad_ = false;
};

// The order of fields, for writing and for reading.

template <class Part, class Of>
concept Is = std::same_as<std::remove_const_t<Part>, Of>;

template <class Archive, Is<SignedElementRequest> Part>
void walk(Archive& archive, Part& part) {
  archive(part.keys);
  archive(part.response);
}
template <class Archive, Is<StatementRequest> Part>
void walk(Archive& archive, Part& part) {
  archive(part.subject_attribute);
  archive(part.groups_attribute);
  archive(part.element);
}
template <class Archive, Is<Envelope> Part>
void walk(Archive& archive, Part& part) {
  archive(part.destination);
  archive(part.in_response_to);
  archive(part.issuer);
}
template <class Archive, Is<SignedElement> Part>
void walk(Archive& archive, Part& part) {
  archive(part.algorithm);
  archive(part.signed_info);
  archive(part.signature);
  archive(part.element);
  archive(part.envelope);
}
template <class Archive, Is<Confirmation> Part>
void walk(Archive& archive, Part& part) {
  archive(part.method);
  archive(part.recipient);
  archive(part.in_response_to);
  archive(part.not_before);
  archive(part.not_on_or_after);
}
template <class Archive, Is<Attribute> Part>
void walk(Archive& archive, Part& part) {
  archive(part.is_there);
  archive(part.values);
}
template <class Archive, Is<Assertion> Part>
void walk(Archive& archive, Part& part) {
  archive(part.id);
  archive(part.issuer);
  archive(part.name_id);
  archive(part.name_id_format);
  archive(part.confirmations);
  archive(part.not_before);
  archive(part.not_on_or_after);
  archive(part.audiences);
  archive(part.sessions_end);
  archive(part.subject);
  archive(part.groups);
}
template <class Archive, Is<Statement> Part>
void walk(Archive& archive, Part& part) {
  archive(part.has_envelope);
  archive(part.envelope);
  archive(part.assertion);
}

template <class Item>
void Writer::operator()(const std::vector<Item>& items) {
  number(items.size());
  for (const Item& item : items) (*this)(item);
}
template <class Part>
void Writer::operator()(const Part& part) {
  walk(*this, part);
}
template <class Item>
void Reader::operator()(std::vector<Item>& items) {
  const std::size_t count = number();
  is_bad_ = is_bad_ || count > items_max;
  for (std::size_t i = 0; i < count && !is_bad_; ++i) (*this)(items.emplace_back());
}
template <class Part>
void Reader::operator()(Part& part) {
  walk(*this, part);
}

template <class Part>
std::string written(char kind, const Part& part) {
  Writer out(kind);
  out(part);
  return out.take();
}

template <class Part>
std::optional<Part> read(std::string_view message, char kind) {
  if (!message.starts_with(kind) || message.size() > message_bytes_max) return std::nullopt;
  Reader in(message.substr(1));
  Part part{};
  in(part);
  if (!in.is_good_and_over()) return std::nullopt;
  return part;
}

template <class Part>
Result<Part> request(std::string_view message, RequestKind kind) {
  auto part = read<Part>(message, static_cast<char>(kind));
  if (!part) return fail("that is no such request");
  return std::move(*part);
}

template <class Part>
Result<Part, Fault> answer(std::string_view message, RequestKind kind) {
  if (auto part = read<Part>(message, static_cast<char>(kind))) return std::move(*part);
  return tl::unexpected(read<Fault>(message, refusal_kind).value_or(Fault::reader_failed));
}

}  // namespace

std::string encode(const SignedElementRequest& request) {
  return written(static_cast<char>(RequestKind::signed_element), request);
}
std::string encode(const StatementRequest& request) {
  return written(static_cast<char>(RequestKind::statement), request);
}
std::string encode(Fault fault) {
  return {refusal_kind, static_cast<char>(fault)};
}
std::string encode(const SignedElement& element) {
  return written(static_cast<char>(RequestKind::signed_element), element);
}
std::string encode(const Statement& statement) {
  return written(static_cast<char>(RequestKind::statement), statement);
}

Result<SignedElementRequest> parse_signed_element_request(std::string_view message) {
  return request<SignedElementRequest>(message, RequestKind::signed_element);
}
Result<StatementRequest> parse_statement_request(std::string_view message) {
  return request<StatementRequest>(message, RequestKind::statement);
}
Result<SignedElement, Fault> parse_signed_element(std::string_view message) {
  return answer<SignedElement>(message, RequestKind::signed_element);
}
Result<Statement, Fault> parse_statement(std::string_view message) {
  return answer<Statement>(message, RequestKind::statement);
}

}  // namespace sluice::saml
