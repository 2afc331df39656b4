#include "control/https_get.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sluice::control {
namespace {

constexpr long connect_seconds = 3;
constexpr curl_off_t retry_after_max_s = 86'400;

using Fields = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

struct Body {
  std::string text;
  std::size_t bytes_max = 0;
};

/// What it does not take all of ends the exchange.
std::size_t take(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<Body*>(into);
  if (size * count > body.bytes_max - body.text.size()) return 0;
  body.text.append(bytes, size * count);
  return size * count;
}

/// Null: out of memory.
Fields fields_of(const HttpsGet& request) {
  Fields fields(curl_slist_append(nullptr, "Accept: application/json"), &curl_slist_free_all);
  for (const std::string& field : request.fields) {
    if (!fields || curl_slist_append(fields.get(), field.c_str()) == nullptr) {
      return {nullptr, &curl_slist_free_all};
    }
  }
  return fields;
}

int look_at_stop(void* stop, curl_off_t /*down_whole*/, curl_off_t /*down*/,
                 curl_off_t /*up_whole*/, curl_off_t /*up*/) {
  return stop != nullptr && static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

/// post  null: a GET.
Result<HttpsReply> exchange(const HttpsGet& request, const std::string* post) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   &curl_easy_cleanup);
  const Fields fields = fields_of(request);
  if (!handle || !fields) return fail("out of memory");
  CURL* const curl = handle.get();
  Body body{{}, request.body_bytes_max};
  std::array<char, CURL_ERROR_SIZE> reason{};
  const bool is_here = request.url.starts_with("http://");
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_here ? "http" : "https");
  // This host is reached without anyone between, whatever the environment says.
  if (is_here) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  if (post != nullptr) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->data());
  }
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.ns / 1'000'000));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &look_at_stop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request.stop);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
  const CURLcode code = curl_easy_perform(curl);
  const bool is_cut = code == CURLE_WRITE_ERROR;
  if (is_cut && post == nullptr) {
    return fail(fmt::format("more than {} bytes", request.body_bytes_max));
  }
  if (code != CURLE_OK && !is_cut) {
    return fail(reason[0] == 0 ? curl_easy_strerror(code) : reason.data());
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
  return HttpsReply{static_cast<int>(status), std::move(body.text),
                    seconds(std::clamp(retry_after_s, curl_off_t{0}, retry_after_max_s))};
}

}  // namespace

Result<std::string> https_get(const HttpsGet& request) {
  auto reply = exchange(request, nullptr);
  if (!reply) return fail(fmt::format("{}: {}", request.url, reply.error().message));
  if (reply->status != 200) return fail(fmt::format("{}: status {}", request.url, reply->status));
  return std::move(reply->body);
}

Result<HttpsReply> https_post(const HttpsGet& request, const std::string& body) {
  return exchange(request, &body);
}

}  // namespace sluice::control
