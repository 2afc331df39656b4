#include <fmt/format.h>
#include <fmt/ranges.h>

#include "exports/projection.h"

namespace sluice::exports {
namespace {

/// What `special` names and the backslash get one in front; control characters, C1 in its
/// UTF-8 form too, become "\u001b" with a backslash that is escaped itself.
std::string escaped(std::string_view text, char special) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == '\\' || text[i] == special) {
      out += '\\';
      out += text[i];
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\\\u{:04x}", byte);
    } else if (byte == 0xc2 && next < 0xa0) {
      out += fmt::format("\\\\u{:04x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string header(std::string_view text) {
  return escaped(text, '|');
}

class Extension {
 public:
  void add(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out_ += fmt::format("{}{}={}", out_.empty() ? "" : " ", key, escaped(value, '='));
  }
  void add(std::string_view key, const ExportedRecord& record, const char* member) {
    if (record.has(member)) add(key, record.text(member));
  }
  void add_custom(unsigned number, std::string_view label, std::string_view value) {
    if (value.empty()) return;
    add(fmt::format("cs{}Label", number), label);
    add(fmt::format("cs{}", number), value);
  }
  [[nodiscard]] const std::string& text() const noexcept { return out_; }

 private:
  std::string out_;
};

}  // namespace

std::string to_cef(const ExportedRecord& record, const Product& product) {
  constexpr int low = 2;
  constexpr int high = 7;
  constexpr std::uint64_t ns_per_ms = 1'000'000;
  const std::string phase = record.text("phase");
  const std::string what = record.has("event") ? record.text("event") : record.text("verb");
  Extension extension;
  extension.add("rt", std::to_string(record.time_ns() / ns_per_ms));
  extension.add("externalId", record.id());
  extension.add("dvchost", product.origin);
  if (record.has("ruling")) extension.add("act", record.text("ruling"));
  extension.add("src", record.peer_address());
  if (record.peer_port() != 0) extension.add("spt", std::to_string(record.peer_port()));
  extension.add("suser", record, "subject");
  extension.add("destinationServiceName", record, "target");
  extension.add("app", record, "protocol");
  extension.add("requestMethod", record, "verb");
  extension.add("request", record, "resource");
  extension.add("dhost", record, "host");
  extension.add("outcome", record, "result");
  extension.add("reason", record, "reason");
  extension.add("in", record, "bytes_in");
  extension.add("out", record, "bytes_out");
  extension.add("msg", record, "detail");
  extension.add_custom(1, "rule", record.text("rule"));
  extension.add_custom(2, "operation", record.operation_id());
  extension.add_custom(3, "index", std::to_string(record.index()));
  extension.add_custom(4, "status", record.text("status"));
  extension.add_custom(5, "delegation", fmt::format("{}", fmt::join(record.actors(), ", ")));
  extension.add_custom(6, "certificate", record.text("certificate"));
  return fmt::format("CEF:0|Sluice|Sluice|{}|{}|{}|{}|{}", header(product.version), header(phase),
                     header(what.empty() ? phase : what), record.is_notable() ? high : low,
                     extension.text());
}

}  // namespace sluice::exports
