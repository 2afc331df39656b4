#include "exports/exported_record.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "audit/record_view.h"
#include "audit/verify.h"

namespace sluice::exports {

namespace {

std::string text_of(const nlohmann::json& value) {
  const bool is_hex = value.is_object() && value.contains("hex");
  const auto* const text = (is_hex ? value.at("hex") : value).get_ptr<const std::string*>();
  return text == nullptr ? value.dump() : *text;
}

}  // namespace

Result<ExportedRecord> ExportedRecord::read(std::uint64_t index, ByteView record) {
  const auto origin = audit::origin_of(record);
  const auto text = audit::to_json(record);
  if (!text) return fail(text.error().message);
  if (!origin) return fail("not a record: no origin");
  ExportedRecord out;
  out.index_ = index;
  out.time_ns_ = origin->time_ns;
  out.json_ = std::make_shared<const nlohmann::json>(nlohmann::json::parse(*text));
  return out;
}

bool ExportedRecord::has(const char* name) const {
  return json_->contains(name);
}

std::string ExportedRecord::text(const char* name) const {
  const auto found = json_->find(name);
  return found == json_->end() ? std::string() : text_of(*found);
}

std::uint64_t ExportedRecord::number(const char* name) const {
  const auto found = json_->find(name);
  return found != json_->end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string ExportedRecord::id() const {
  return fmt::format("{}-{}-{}", text("epoch"), number("worker"), number("sequence"));
}

std::string ExportedRecord::operation_id() const {
  if (!has("operation")) return {};
  return fmt::format("{}-{}-{}", text("epoch"), number("session"), number("operation"));
}

std::string ExportedRecord::peer_address() const {
  const std::string peer = text("peer");
  const std::string address = peer.substr(0, peer.rfind(':'));
  // "[2001:db8::1]:50123"
  return address.starts_with('[') ? address.substr(1, address.size() - 2) : address;
}

std::uint16_t ExportedRecord::peer_port() const {
  const std::string peer = text("peer");
  const std::size_t colon = peer.rfind(':');
  std::uint16_t port = 0;
  if (colon != peer.npos) {
    std::from_chars(peer.data() + colon + 1, peer.data() + peer.size(), port);
  }
  return port;
}

std::string ExportedRecord::certificate() const {
  std::string fingerprint = text("certificate");
  for (char& c : fingerprint) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return fingerprint;
}

std::vector<std::string> ExportedRecord::actors() const {
  std::vector<std::string> out;
  if (const auto chain = json_->find("delegation"); chain != json_->end()) {
    for (const auto& actor : *chain) out.push_back(text_of(actor.at("subject")));
  }
  return out;
}

}  // namespace sluice::exports
