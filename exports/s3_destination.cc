#include "exports/s3_destination.h"

#include <fmt/format.h>

#include <ctime>

#include "audit/sha256.h"
#include "base/ascii.h"
#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::exports {
namespace {

/// "AccessDenied" of "…<Code>AccessDenied</Code>…"; letters only, whatever came.
std::string code_in(std::string_view answer) {
  constexpr std::string_view opening = "<Code>";
  const std::size_t begin = answer.find(opening);
  if (begin == answer.npos) return {};
  std::string code;
  for (const char c : answer.substr(begin + opening.size())) {
    constexpr std::size_t code_max = 64;
    if (!is_letter(c) || code.size() == code_max) break;
    code += c;
  }
  return code;
}

/// Days after the batch's first record: a batch that is sent again asks for the same.
std::string retain_until(std::uint64_t oldest_ns, std::uint64_t days) {
  constexpr std::uint64_t second_ns = 1'000'000'000;
  constexpr std::uint64_t day_seconds = 86'400;
  const auto seconds = static_cast<std::time_t>(oldest_ns / second_ns + days * day_seconds);
  std::tm parts{};
  ASSERT(gmtime_r(&seconds, &parts) != nullptr);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

Batching S3Destination::batching() const {
  constexpr std::size_t any_number = SIZE_MAX;
  return {any_number, settings_.batch_bytes, settings_.linger};
}

std::string S3Destination::frame(const ExportedRecord& /*record*/, std::string line) const {
  line += '\n';
  return line;
}

Result<void, SendError> S3Destination::send(const Batch& batch) {
  const auto answer = client_.send(
      {.method = "PUT",
       .url = url_of(batch),
       .fields = fields_of(batch),
       .body = batch.frames,
       .ca_file = settings_.ca_file,
       .signing = AwsSigning{settings_.region, settings_.access_key, settings_.secret_key.value}});
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status == 200) return {};
  return fail(fmt::format("the storage answered {} {}", answer->status, code_in(answer->body)));
}

std::string S3Destination::url_of(const Batch& batch) const {
  return fmt::format("{}/{}/{}{:020}-{}.log", settings_.endpoint, settings_.bucket,
                     settings_.prefix, batch.first, batch.records);
}

std::vector<std::string> S3Destination::fields_of(const Batch& batch) const {
  const audit::Hash hash = audit::sha256(as_bytes(batch.frames));
  std::vector<std::string> fields{
      "Content-Type: text/plain", "x-amz-sdk-checksum-algorithm: SHA256",
      "x-amz-checksum-sha256: " + to_base64(hash), "x-amz-content-sha256: " + to_hex(hash)};
  if (settings_.lock) {
    const bool is_strict = settings_.lock->mode == config::LockMode::compliance;
    fields.push_back(
        fmt::format("x-amz-object-lock-mode: {}", is_strict ? "COMPLIANCE" : "GOVERNANCE"));
    fields.push_back("x-amz-object-lock-retain-until-date: " +
                     retain_until(batch.oldest_ns, settings_.lock->days));
  }
  return fields;
}

}  // namespace sluice::exports
