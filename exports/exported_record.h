// A committed record as it leaves for another system: the members that projections name.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::exports {

class ExportedRecord {
 public:
  /// index   of the record in the log, from 0.
  /// errors  the bytes are no record of this version.
  static Result<ExportedRecord> read(std::uint64_t index, ByteView record);

  [[nodiscard]] std::uint64_t index() const noexcept { return index_; }
  /// The record as `sluice audit --json` prints it.
  [[nodiscard]] const nlohmann::json& json() const noexcept { return *json_; }
  /// A member; empty when the record has none. Bytes that are no UTF-8 come as hex.
  [[nodiscard]] std::string text(const char* name) const;
  [[nodiscard]] std::uint64_t number(const char* name) const;
  [[nodiscard]] bool has(const char* name) const;

  [[nodiscard]] std::uint64_t time_ns() const noexcept { return time_ns_; }
  /// Unique over all logs: epoch, worker and sequence.
  [[nodiscard]] std::string id() const;
  /// The same for all records of one operation; empty where there is none.
  [[nodiscard]] std::string operation_id() const;
  [[nodiscard]] bool is_denied() const { return text("ruling") == "deny"; }
  /// Somebody should look at it: it was denied, or one person overrode those who decide.
  [[nodiscard]] bool is_notable() const { return is_denied() || text("event") == "break-glass"; }
  /// Of the client: "192.0.2.7:50123" in two parts. Empty and 0 when unknown.
  [[nodiscard]] std::string peer_address() const;
  [[nodiscard]] std::uint16_t peer_port() const;
  /// SHA-256 of the client's certificate, as ECS and OpenTelemetry write it: in capitals.
  [[nodiscard]] std::string certificate() const;
  /// The subjects of who acts for the record's, nearest first.
  [[nodiscard]] std::vector<std::string> actors() const;

 private:
  std::uint64_t index_ = 0;
  std::uint64_t time_ns_ = 0;
  std::shared_ptr<const nlohmann::json> json_;
};

}  // namespace sluice::exports
