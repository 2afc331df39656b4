#include "audit/package_statement.h"

#include "base/bytes.h"

namespace sluice::audit {

std::string ssh_string(std::string_view text) {
  std::string out;
  for (unsigned shift = 32; shift != 0; shift -= 8) {
    out += static_cast<char>(text.size() >> (shift - 8));
  }
  out += text;
  return out;
}

std::string package_statement(const Hash& manifest) {
  std::string out(ssh_magic);
  out += ssh_string(package_namespace);
  out += ssh_string("");
  out += ssh_string(ssh_hash_name);
  out += ssh_string(as_text(manifest));
  return out;
}

}  // namespace sluice::audit
