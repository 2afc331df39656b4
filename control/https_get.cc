#include "control/https_get.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <memory>

namespace sluice::control {
namespace {

constexpr long connect_seconds = 3;
constexpr long whole_seconds = 4;

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

int look_at_stop(void* stop, curl_off_t /*down_whole*/, curl_off_t /*down*/,
                 curl_off_t /*up_whole*/, curl_off_t /*up*/) {
  return stop != nullptr && static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

/// form  null: a GET.
Result<HttpsReply> exchange(const HttpsGet& request, const std::string* form) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                   &curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> fields(
      curl_slist_append(nullptr, "Accept: application/json"), &curl_slist_free_all);
  if (!handle || !fields) return fail("out of memory");
  CURL* const curl = handle.get();
  Body body{{}, request.body_bytes_max};
  std::array<char, CURL_ERROR_SIZE> reason{};
  const bool is_here = request.url.starts_with("http://");
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_here ? "http" : "https");
  // This host is reached without anyone between, whatever the environment says.
  if (is_here) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  if (form != nullptr) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form->data());
  }
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, whole_seconds);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &look_at_stop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request.stop);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_WRITE_ERROR) {
    return fail(fmt::format("{}: more than {} bytes", request.url, request.body_bytes_max));
  }
  if (code != CURLE_OK) {
    return fail(fmt::format("{}: {}", request.url,
                            reason[0] == 0 ? curl_easy_strerror(code) : reason.data()));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return HttpsReply{static_cast<int>(status), std::move(body.text)};
}

}  // namespace

Result<std::string> https_get(const HttpsGet& request) {
  auto reply = exchange(request, nullptr);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return fail(fmt::format("{}: status {}", request.url, reply->status));
  return std::move(reply->body);
}

Result<HttpsReply> https_post(const HttpsGet& request, const std::string& form) {
  return exchange(request, &form);
}

}  // namespace sluice::control
