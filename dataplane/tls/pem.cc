#include "dataplane/tls/pem.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace sluice::dataplane {
namespace {

/// Keys with a passphrase cannot be read: there is nobody to ask for it.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Openssl<BIO> reader(const config::FileText& file) {
  return Openssl<BIO>(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())));
}

template <class T, class Read>
Result<std::vector<Openssl<T>>> read_all(const config::FileText& file, std::string_view kind,
                                         Read read) {
  const Openssl<BIO> in = reader(file);
  std::vector<Openssl<T>> found;
  while (T* const one = read(in.get(), nullptr, no_passphrase, nullptr)) found.emplace_back(one);
  // The end of the file is where no more begins.
  const bool is_whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!is_whole) {
    return fail_at(file, fmt::format("holds a broken {}: {}", kind, last_openssl_reason()));
  }
  ERR_clear_error();
  if (found.empty()) return fail_at(file, fmt::format("holds no {} (PEM)", kind));
  return found;
}

}  // namespace

tl::unexpected<Error> fail_at(const config::FileText& file, std::string_view what) {
  return fail(fmt::format("{}:{}:{}: '{}' {}", file.place.file, file.place.line, file.place.column,
                          file.path, what));
}

std::string last_openssl_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL does not say why" : reason;
}

Result<std::vector<Openssl<X509>>> read_certificates(const config::FileText& file) {
  return read_all<X509>(file, "certificate", PEM_read_bio_X509);
}

Result<std::vector<Openssl<X509_CRL>>> read_crls(const config::FileText& file) {
  return read_all<X509_CRL>(file, "revocation list", PEM_read_bio_X509_CRL);
}

Result<Openssl<EVP_PKEY>> read_private_key(const config::FileText& file) {
  const Openssl<BIO> in = reader(file);
  Openssl<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (key) return key;
  const bool is_encrypted = file.text.find("ENCRYPTED") != std::string::npos;
  return fail_at(file, is_encrypted ? "holds a key with a passphrase, which nobody could type here"
                                    : "holds no private key (PEM)");
}

std::string text(const X509_NAME* name) {
  const Openssl<BIO> out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    ERR_clear_error();
    return {};
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

WallTime wall_time(const ASN1_TIME* time) noexcept {
  constexpr std::int64_t second_ns = 1'000'000'000;
  constexpr std::int64_t seconds_max = INT64_MAX / second_ns;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {0};
  return {std::clamp<std::int64_t>(::timegm(&parts), 0, seconds_max) * second_ns};
}

}  // namespace sluice::dataplane
