#include "audit/timestamps.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/ts.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <memory>

#include "audit/file.h"
#include "audit/segment_log.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20;
constexpr std::size_t nonce_bytes = 8;
constexpr std::string_view note_suffix = ".checkpoint";
constexpr std::string_view response_suffix = ".tsr";

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* item) const noexcept {
    Free(item);
  }
};
using Request = std::unique_ptr<TS_REQ, Freed<TS_REQ_free>>;
using Response = std::unique_ptr<TS_RESP, Freed<TS_RESP_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, Freed<TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, Freed<X509_ALGOR_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Check = std::unique_ptr<TS_VERIFY_CTX, Freed<TS_VERIFY_CTX_free>>;

Imprint imprint_of(std::string_view note) {
  Hash hash = sha256(as_bytes(note));
  Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  if (!imprint || !algorithm ||
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) != 1 ||
      TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) != 1 ||
      TS_MSG_IMPRINT_set_msg(imprint.get(), hash.data(), static_cast<int>(hash.size())) != 1) {
    return nullptr;
  }
  return imprint;
}

Integer fresh_nonce() {
  std::array<std::uint8_t, nonce_bytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return nullptr;
  const Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number ? Integer(BN_to_ASN1_INTEGER(number.get(), nullptr)) : nullptr;
}

/// Null: it is malformed, or something is behind it.
template <class Holder, class Parse>
Holder parse_der(std::string_view der, Parse&& parse) {
  const ByteView bytes = as_bytes(der);
  const unsigned char* at = bytes.data();
  Holder parsed(parse(nullptr, &at, static_cast<long>(bytes.size())));
  return at == bytes.data() + bytes.size() ? std::move(parsed) : nullptr;
}

Result<Response> parse_response(std::string_view der) {
  auto response = parse_der<Response>(der, d2i_TS_RESP);
  if (!response) return fail("the authority's answer is no time-stamp response");
  const TS_STATUS_INFO* const info = TS_RESP_get_status_info(response.get());
  const long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
  if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS) {
    return fail(fmt::format("the authority refused a timestamp, with status {}", status));
  }
  if (TS_RESP_get_tst_info(response.get()) == nullptr) {
    return fail("the authority's answer holds no token");
  }
  return response;
}

Result<WallTime> time_of(TS_RESP* response) {
  const ASN1_GENERALIZEDTIME* const time = TS_TST_INFO_get_time(TS_RESP_get_tst_info(response));
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return fail("the timestamp's time cannot be read");
  }
  return WallTime{static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000'000};
}

bool is_about(TS_RESP* response, std::string_view note) {
  TS_MSG_IMPRINT* const imprint = TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(response));
  const Hash wanted = sha256(as_bytes(note));
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const ASN1_OCTET_STRING* const found = TS_MSG_IMPRINT_get_msg(imprint);
  const ByteView bytes{ASN1_STRING_get0_data(found),
                       static_cast<std::size_t>(ASN1_STRING_length(found))};
  return OBJ_obj2nid(algorithm) == NID_sha256 && std::ranges::equal(bytes, wanted);
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof()) return fail("cannot read " + path.string());
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

Result<std::string> timestamp_query(std::string_view note) {
  const Request request(TS_REQ_new());
  const Imprint imprint = imprint_of(note);
  const Integer nonce = fresh_nonce();
  if (!request || !imprint || !nonce || TS_REQ_set_version(request.get(), 1) != 1 ||
      TS_REQ_set_msg_imprint(request.get(), imprint.get()) != 1 ||
      TS_REQ_set_nonce(request.get(), nonce.get()) != 1 ||
      TS_REQ_set_cert_req(request.get(), 1) != 1) {
    return fail("OpenSSL cannot make a time-stamp query");
  }
  const int bytes = i2d_TS_REQ(request.get(), nullptr);
  if (bytes <= 0) return fail("OpenSSL cannot encode a time-stamp query");
  std::string der(static_cast<std::size_t>(bytes), '\0');
  auto* at = reinterpret_cast<unsigned char*>(der.data());
  i2d_TS_REQ(request.get(), &at);
  return der;
}

Result<WallTime> read_timestamp(std::string_view response, std::string_view note) {
  const auto parsed = parse_response(response);
  if (!parsed) return tl::unexpected(parsed.error());
  if (!is_about(parsed->get(), note)) return fail("the timestamp is not about this checkpoint");
  return time_of(parsed->get());
}

Result<WallTime> read_timestamp(std::string_view response, std::string_view note,
                                std::string_view query) {
  const auto parsed = parse_response(response);
  if (!parsed) return tl::unexpected(parsed.error());
  const auto request = parse_der<Request>(query, d2i_TS_REQ);
  // All that the query asked for, the nonce too. Without a certificate to trust the
  // signature is not looked at.
  const Check check(request ? TS_REQ_to_TS_VERIFY_CTX(request.get(), nullptr) : nullptr);
  if (!check || TS_RESP_verify_response(check.get(), parsed->get()) != 1) {
    return fail("the authority answered another query");
  }
  return read_timestamp(response, note);
}

std::string timestamp_note_name(std::uint64_t log_records) {
  return fmt::format("{:020}{}", log_records, note_suffix);
}
std::string timestamp_response_name(std::uint64_t log_records) {
  return fmt::format("{:020}{}", log_records, response_suffix);
}

Result<void> keep_timestamp(const std::filesystem::path& directory, const Timestamp& timestamp) {
  const std::filesystem::path folder = directory / timestamps_folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(fmt::format("cannot create {}: {}", folder.string(), error.message()));
  const auto note = folder / timestamp_note_name(timestamp.log_records);
  if (auto done = replace_file(real_disk(), note, timestamp.note); !done) return done;
  // Last: a response is there only when what it is about is.
  return replace_file(real_disk(), folder / timestamp_response_name(timestamp.log_records),
                      timestamp.response);
}

Result<std::vector<std::uint64_t>> kept_timestamps(const std::filesystem::path& directory) {
  std::vector<std::uint64_t> sizes;
  std::error_code error;
  const std::filesystem::path folder = directory / timestamps_folder;
  if (!std::filesystem::exists(folder, error)) return sizes;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::uint64_t size = 0;
    std::from_chars(name.data(), name.data() + name.size(), size);
    if (name == timestamp_response_name(size)) sizes.push_back(size);
  }
  if (error) return fail(fmt::format("cannot list {}: {}", folder.string(), error.message()));
  std::ranges::sort(sizes);
  return sizes;
}

Result<Timestamp> load_timestamp(const std::filesystem::path& directory,
                                 std::uint64_t log_records) {
  const std::filesystem::path folder = directory / timestamps_folder;
  auto note = read_file(folder / timestamp_note_name(log_records));
  if (!note) return tl::unexpected(note.error());
  auto response = read_file(folder / timestamp_response_name(log_records));
  if (!response) return tl::unexpected(response.error());
  return Timestamp{log_records, std::move(*note), std::move(*response)};
}

}  // namespace sluice::audit
