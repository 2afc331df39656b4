#include "exports/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/assert.h"

namespace sluice::exports {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{64} << 10;
constexpr curl_off_t retry_seconds_max = 3'600;

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

Result<std::unique_ptr<curl_slist, FreeList>> list_of(const std::vector<std::string>& fields) {
  std::unique_ptr<curl_slist, FreeList> list;
  for (const std::string& field : fields) {
    curl_slist* const longer = curl_slist_append(list.get(), field.c_str());
    if (longer == nullptr) return fail("out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

void sign(CURL* curl, const AwsSigning& signing) {
  const std::string scope = fmt::format("aws:amz:{}:s3", signing.region);
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, scope.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, signing.access_key.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, signing.secret_key.c_str());
}

}  // namespace

HttpClient::HttpClient() : curl_(curl_easy_init()) {
  ASSERT(curl_ != nullptr);
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(curl_);
}

Result<HttpAnswer> HttpClient::send(const HttpRequest& request) {
  constexpr long connect_seconds = 10;
  constexpr long whole_seconds = 30;
  const auto fields = list_of(request.fields);
  if (!fields) return tl::unexpected(fields.error());
  HttpAnswer answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
  // Keeps its connection, and forgets all else.
  curl_easy_reset(curl_);
  curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields->get());
  if (request.signing) sign(curl_, *request.signing);
  if (!request.ca_file.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT, whole_seconds);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &keep_answer);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, reason.data());
  const CURLcode code = curl_easy_perform(curl_);
  if (code != CURLE_OK) return fail(reason[0] == 0 ? curl_easy_strerror(code) : reason.data());
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo(curl_, CURLINFO_RETRY_AFTER, &retry_after);
  answer.retry_after = seconds(std::clamp<curl_off_t>(retry_after, 0, retry_seconds_max));
  return answer;
}

}  // namespace sluice::exports
