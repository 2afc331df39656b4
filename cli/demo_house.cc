#include "cli/demo_house.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "audit/log.h"
#include "base/text_codec.h"
#include "cli/times.h"
#include "control/socket.h"
#include "identity/api_keys.h"

namespace sluice::cli {
namespace {

constexpr std::string_view configuration_text = R"(version: 1
listeners:
  - name: payments
    address: 127.0.0.1:{gateway_port}
    protocol: http
    target: payments-api
targets:
  - name: payments-api
    addresses: [127.0.0.1:{api_port}]
    credential: {{header: Authorization, value: "file:{folder}/api_credential"}}
identity:
  api_keys: file:{folder}/api_keys.yaml
  revoked_keys: {folder}/revoked_keys
policies:
  - name: everyone reads payments
    principals: {{groups: [support, settlement, fraud]}}
    operations: {{http: {{methods: [GET], paths: ["/v1/payments/**"]}}}}
    ruling: allow
  - name: settlement makes payments
    principals: {{groups: [settlement]}}
    operations: {{http: {{methods: [POST], paths: ["/v1/payments"]}}}}
    ruling: allow
  - name: no refunds from scripts
    operations: {{http: {{body: ["\"kind\"\\s*:\\s*\"refund\""]}}}}
    ruling: deny
    reason: Refunds are made in the back office.
masks:
  - {{name: pan, find: builtin:payment-card, show: {{partial: {{first: 6, last: 4}}}}, except_groups: [fraud]}}
  - {{name: cvc, find: {{json: ["$..cvc"]}}, show: redact}}
  - {{name: email, find: builtin:email, show: hash}}
  - {{name: iban, find: builtin:iban, show: {{partial: {{first: 4, last: 2}}}}}}
mask_key: file:{folder}/mask_key
audit:
  directory: {folder}/audit
  signing_key: file:{folder}/audit.key
admin: {{socket: {folder}/admin.sock}}
workers: {{count: 1, pin: false, connections: 256, buffers: 8MiB}}
)";

constexpr Duration key_lifetime = seconds(24 * 3600);

Result<std::array<std::uint8_t, 32>> random_bytes() {
  std::array<std::uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(control::system_error("getrandom", errno));
  }
  return bytes;
}

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) return fail(fmt::format("cannot write '{}'", path.string()));
  return {};
}

/// Makes a key, adds its entry to `entries` and returns the secret.
Result<std::string> add_key(std::string_view subject, const std::string& group,
                            std::string& entries) {
  const auto random = random_bytes();
  if (!random) return tl::unexpected(random.error());
  const auto key = identity::make_key(subject, {group}, wall_now() + key_lifetime, *random);
  entries += key.yaml_entry;
  return key.secret;
}

}  // namespace

Result<DemoHouse> DemoHouse::build(std::uint16_t api_port, std::uint16_t gateway_port,
                                   const std::string& api_credential) {
  DemoHouse house;
  std::string pattern = std::filesystem::temp_directory_path() / "sluice-demo-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) return fail(control::system_error("mkdtemp", errno));
  house.folder_ = pattern;

  std::string entries;
  auto clerk = add_key("carla.clerk", "support", entries);
  auto settlement = add_key("settlement-batch", "settlement", entries);
  auto fraud = add_key("frank.fraud", "fraud", entries);
  auto mask_key = random_bytes();
  for (const auto* key : {&clerk, &settlement, &fraud}) {
    if (!*key) return tl::unexpected(key->error());
  }
  if (!mask_key) return tl::unexpected(mask_key.error());
  house.clerk_key = *clerk;
  house.settlement_key = *settlement;
  house.fraud_key = *fraud;

  auto verifier = audit::create_signing_key(house.folder_ / "audit.key", "demo.sluice");
  if (!verifier) return tl::unexpected(verifier.error());
  house.verifier = *verifier;

  const std::string text =
      fmt::format(configuration_text, fmt::arg("gateway_port", gateway_port),
                  fmt::arg("api_port", api_port), fmt::arg("folder", house.folder_.string()));
  const std::array<std::pair<const char*, std::string>, 4> files{
      {{"sluice.yaml", text},
       {"api_keys.yaml", entries},
       {"api_credential", api_credential},
       {"mask_key", to_hex(*mask_key)}}};
  for (const auto& [name, content] : files) {
    if (auto written = write_file(house.folder_ / name, content); !written) {
      return tl::unexpected(written.error());
    }
  }
  return house;
}

DemoHouse::DemoHouse(DemoHouse&& other) noexcept
    : clerk_key(std::move(other.clerk_key)),
      settlement_key(std::move(other.settlement_key)),
      fraud_key(std::move(other.fraud_key)),
      verifier(std::move(other.verifier)),
      folder_(std::exchange(other.folder_, {})) {}

DemoHouse::~DemoHouse() {
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace sluice::cli
