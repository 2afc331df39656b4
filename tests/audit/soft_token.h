// A token of SoftHSM in a folder of its own, with one Ed25519 key.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "audit/token_key.h"
#include "temporary_folder.h"

namespace sluice::audit {

/// Needs the package softhsm2.
class SoftToken {
 public:
  /// parent   an existing folder that the signer's user may enter.
  explicit SoftToken(const std::filesystem::path& parent) : folder_(parent / "token") {
    std::filesystem::create_directories(folder_ / "tokens");
    std::FILE* file = std::fopen((folder_ / "softhsm2.conf").c_str(), "w");
    std::fprintf(file, "directories.tokendir = %s\nobjectstore.backend = file\n",
                 (folder_ / "tokens").c_str());
    std::fclose(file);
    settings.uri = "pkcs11:token=sluice;object=audit";
    settings.origin = "gateway.test/audit";
    settings.module = "/usr/lib/softhsm/libsofthsm2.so";
    settings.pin = folder_ / "pin";
    settings.environment = {"SOFTHSM2_CONF=" + (folder_ / "softhsm2.conf").string()};
    run("softhsm2-util --init-token --free --label sluice --pin 1234 --so-pin 5678");
    write_pin("1234\n");
    add_key("audit", "01");
  }

  void write_pin(const std::string& pin) const {
    std::FILE* file = std::fopen(settings.pin.c_str(), "w");
    std::fputs(pin.c_str(), file);
    std::fclose(file);
    ::chmod(settings.pin.c_str(), S_IRUSR | S_IWUSR);
  }
  /// Another key; returns its public half. For everybody who is this process's user, or nobody.
  std::array<std::uint8_t, 32> add_key(const std::string& label, const std::string& id) const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
    const auto path = folder_ / "key.pem";
    std::FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_PKCS8PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    run("softhsm2-util --import " + path.string() + " --token sluice --label " + label + " --id " +
        id + " --pin 1234");
    std::filesystem::remove(path);
    give_away();
    std::array<std::uint8_t, 32> out{};
    std::size_t size = out.size();
    EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size);
    return out;
  }
  /// As a token that was pulled out.
  void remove() const { std::filesystem::remove_all(folder_ / "tokens"); }

  TokenSettings settings;

 private:
  void run(const std::string& command) const {
    const std::string whole = settings.environment.front() + " " + command + " >/dev/null 2>&1";
    if (std::system(whole.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  /// To whom the signer becomes: the module works as that user.
  void give_away() const {
    const ::passwd* nobody = ::getpwnam("nobody");
    if (::geteuid() != 0 || nobody == nullptr) return;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.path() == settings.pin) continue;
      if (::chown(entry.path().c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
        throw std::runtime_error("cannot give the token away");
      }
    }
  }

  std::filesystem::path folder_;
};

}  // namespace sluice::audit
