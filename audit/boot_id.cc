#include "audit/boot_id.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "base/text_codec.h"

namespace sluice::audit {
namespace {

BootId read() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  file >> text;
  std::erase(text, '-');
  const auto bytes = from_hex(text);
  BootId id{};
  if (bytes && bytes->size() == id.size()) std::ranges::copy(*bytes, id.begin());
  return id;
}

}  // namespace

const BootId& boot_id() noexcept {
  static const BootId id = read();
  return id;
}

}  // namespace sluice::audit
