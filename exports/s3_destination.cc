#include "exports/s3_destination.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "audit/sha256.h"
#include "base/ascii.h"
#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::exports {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{16} << 10;

struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

/// Keeps the beginning of an answer; the rest is read and dropped.
std::size_t keep_answer(char* bytes, std::size_t size, std::size_t count, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  const std::size_t room = answer_bytes_max - std::min(text.size(), answer_bytes_max);
  text.append(bytes, std::min(room, size * count));
  return size * count;
}

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

S3Destination::S3Destination(config::S3Export settings)
    : settings_(std::move(settings)), curl_(curl_easy_init()) {
  ASSERT(curl_ != nullptr);
}

S3Destination::~S3Destination() {
  curl_easy_cleanup(curl_);
}

Batching S3Destination::batching() const {
  constexpr std::size_t any_number = SIZE_MAX;
  return {any_number, settings_.batch_bytes, settings_.linger};
}

std::string S3Destination::frame(const ExportedRecord& /*record*/, std::string line) const {
  line += '\n';
  return line;
}

Result<void> S3Destination::send(const Batch& batch) {
  constexpr long connect_seconds = 10;
  constexpr long whole_seconds = 30;
  std::unique_ptr<curl_slist, FreeList> fields;
  for (const std::string& field : fields_of(batch)) {
    curl_slist* const longer = curl_slist_append(fields.get(), field.c_str());
    if (longer == nullptr) return fail("out of memory");
    static_cast<void>(fields.release());
    fields.reset(longer);
  }
  std::string answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
  const std::string url = url_of(batch);
  const std::string signing = fmt::format("aws:amz:{}:s3", settings_.region);
  // Keeps its connection, and forgets all else.
  curl_easy_reset(curl_);
  curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, batch.frames.data());
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(batch.frames.size()));
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl_, CURLOPT_AWS_SIGV4, signing.c_str());
  curl_easy_setopt(curl_, CURLOPT_USERNAME, settings_.access_key.c_str());
  curl_easy_setopt(curl_, CURLOPT_PASSWORD, settings_.secret_key.value.c_str());
  if (!settings_.ca_file.empty()) {
    curl_easy_setopt(curl_, CURLOPT_CAINFO, settings_.ca_file.c_str());
  }
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT, whole_seconds);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &keep_answer);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, reason.data());
  if (const CURLcode code = curl_easy_perform(curl_); code != CURLE_OK) {
    return fail(reason[0] == 0 ? curl_easy_strerror(code) : reason.data());
  }
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return {};
  return fail(fmt::format("the storage answered {} {}", status, code_in(answer)));
}

std::string S3Destination::url_of(const Batch& batch) const {
  return fmt::format("{}/{}/{}{:020}-{}.log", settings_.endpoint, settings_.bucket,
                     settings_.prefix, batch.first, batch.records);
}

/// None of them empty: libcurl 7.88 would sign it and not send it.
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
