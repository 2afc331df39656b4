// A directory of its own for each test, with a key, and helpers to fill a log.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "audit/log.h"
#include "audit/reader.h"
#include "audit/verify.h"
#include "temporary_folder.h"

namespace sluice::audit {

inline constexpr std::string_view test_origin = "gateway.test/audit";
inline constexpr std::size_t small_ring_bytes = std::size_t{256} << 10;

/// A key and the options of a small log in a folder of its own.
struct LogFolder {
  test::TemporaryFolder folder;
  LogOptions options;
  std::string verifier;

  explicit LogFolder(std::uint32_t workers = 1) {
    options.directory = folder.path() / "log";
    options.signing_key = folder.path() / "log.key";
    options.workers = workers;
    options.ring_bytes = small_ring_bytes;
    options.flush_interval = milliseconds(1);
    auto line = create_signing_key(options.signing_key, std::string(test_origin));
    if (!line) throw std::runtime_error(line.error().message);
    verifier = *line;
  }

  [[nodiscard]] Result<std::unique_ptr<Log>> try_open(
      std::function<void(std::uint32_t)> on_durable = {}) const {
    return Log::open(options, Now{{1'000}, {1'790'000'000'000'000'000}}, std::move(on_durable));
  }
  [[nodiscard]] std::unique_ptr<Log> open(
      std::function<void(std::uint32_t)> on_durable = {}) const {
    auto log = try_open(std::move(on_durable));
    if (!log) throw std::runtime_error(log.error().message);
    return std::move(*log);
  }
  [[nodiscard]] VerifyReport verify_with_key() const {
    auto report = verify(options.directory, verifier);
    if (!report) throw std::runtime_error(report.error().message);
    return *report;
  }
  /// Every committed record as JSON.
  [[nodiscard]] std::vector<std::string> records() const {
    std::vector<std::string> out;
    const auto end = read_records(options.directory, 0, [&](std::uint64_t, ByteView record) {
      auto json = to_json(record);
      if (!json) throw std::runtime_error(json.error().message);
      out.push_back(*json);
      return true;
    });
    if (!end) throw std::runtime_error(end.error().message);
    return out;
  }
};

inline Record sample_intent(std::uint64_t operation = 1) {
  Record record;
  record.phase = Phase::intent;
  record.time = {{5'000'000'000}, {1'790'000'000'123'456'789}};
  record.session = 7;
  record.operation = operation;
  record.configuration = 3;
  record.subject = "service:billing";
  record.proof = "api-key";
  record.credential_id = "k_5d2f";
  record.peer = "192.0.2.7:50123";
  record.listener = "payments";
  record.target = "payments-api";
  record.protocol = "http";
  record.verb = "GET";
  record.resource = "/v1/customers/42/cards?limit=10";
  record.host = "payments.example.com";
  record.ruling = RulingKind::allow;
  record.rule = "billing-reads";
  return record;
}

inline Record sample_outcome(std::uint64_t operation = 1) {
  Record record;
  record.phase = Phase::outcome;
  record.time = {{5'001'000'000}, {1'790'000'000'124'456'789}};
  record.session = 7;
  record.operation = operation;
  record.status = 200;
  record.result = "ok";
  record.bytes_out = 1024;
  record.duration = {1'000'000};
  record.upstream = "127.0.0.1:9000";
  return record;
}

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view content);
/// In place.
void write_byte(const std::filesystem::path& path, std::size_t offset, unsigned value);

}  // namespace sluice::audit
