#include "audit/cosignature.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/sha256.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

constexpr char cosignature_type = 0x04;
constexpr char log_type = 0x01;
constexpr std::size_t time_bytes = 8;
constexpr std::string_view line_prefix = "\u2014 ";  // em dash, space

KeyId id_of(std::string_view name, ByteView public_key) {
  std::string input(name);
  input += '\n';
  input += cosignature_type;
  input += as_text(public_key);
  const Hash hash = sha256(as_bytes(input));
  KeyId id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::string signed_bytes(std::string_view checkpoint_text, std::uint64_t seconds) {
  return fmt::format("cosignature/v1\ntime {}\n{}", seconds, checkpoint_text);
}

std::string big_endian(std::uint64_t value) {
  std::string out;
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    out += static_cast<char>((value >> (shift - 8)) & 0xffU);
  }
  return out;
}

}  // namespace

WitnessVerifier WitnessVerifier::of(const Verifier& key) {
  // A verifier is parsed anew: it holds an OpenSSL context of its own.
  WitnessVerifier out(std::move(*Verifier::parse(key.line())));
  out.name_ = key.origin();
  out.id_ = id_of(out.name_, key.public_key());
  std::string tagged(1, cosignature_type);
  tagged += as_text(key.public_key());
  out.line_ = fmt::format("{}+{}+{}", out.name_, to_hex(out.id_), to_base64(as_bytes(tagged)));
  return out;
}

Result<WitnessVerifier> WitnessVerifier::parse(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto bad = [](std::string_view why) {
    return fail(fmt::format("bad witness key: {}", why));
  };
  const std::size_t name_end = line.find('+');
  const std::size_t id_end = name_end == line.npos ? line.npos : line.find('+', name_end + 1);
  if (id_end == line.npos) return bad("expected NAME+ID+KEY");
  const auto tagged = from_base64(line.substr(id_end + 1));
  if (!tagged || tagged->size() != 33 || (*tagged)[0] != cosignature_type) {
    return bad("it is no Ed25519 key for cosignatures");
  }
  // The same key as a log's has another type and another id.
  const std::string name(line.substr(0, name_end));
  std::string as_log(1, log_type);
  as_log += as_text(ByteView(*tagged).subspan(1));
  const Hash hash = sha256(as_bytes(name + '\n' + as_log));
  auto key = Verifier::parse(
      fmt::format("{}+{}+{}", name, to_hex(ByteView(hash).first(4)), to_base64(as_bytes(as_log))));
  if (!key) return bad(key.error().message);
  auto out = of(*key);
  if (out.line_ != line) return bad("its id does not belong to its name and key");
  return out;
}

std::optional<std::uint64_t> WitnessVerifier::check(std::string_view checkpoint_text,
                                                    std::string_view line) const {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::string begin = fmt::format("{}{} ", line_prefix, name_);
  if (!line.starts_with(begin)) return std::nullopt;
  const auto tagged = from_base64(line.substr(begin.size()));
  Signature signature{};
  if (!tagged || tagged->size() != id_.size() + time_bytes + signature.size() ||
      !std::equal(id_.begin(), id_.end(), tagged->begin())) {
    return std::nullopt;
  }
  std::uint64_t seconds = 0;
  for (std::size_t i = 0; i < time_bytes; ++i) seconds = seconds << 8U | (*tagged)[id_.size() + i];
  std::copy(tagged->end() - static_cast<std::ptrdiff_t>(signature.size()), tagged->end(),
            signature.begin());
  if (!key_.verify(as_bytes(signed_bytes(checkpoint_text, seconds)), signature)) {
    return std::nullopt;
  }
  return seconds;
}

Result<std::string> cosign(Signer& witness, std::string_view checkpoint_text,
                           std::uint64_t seconds) {
  const auto signature = witness.sign(as_bytes(signed_bytes(checkpoint_text, seconds)));
  if (!signature) return tl::unexpected(signature.error());
  const Verifier& key = witness.verifier();
  std::string tagged(as_text(id_of(key.origin(), key.public_key())));
  tagged += big_endian(seconds);
  tagged += as_text(*signature);
  return fmt::format("{}{} {}\n", line_prefix, key.origin(), to_base64(as_bytes(tagged)));
}

std::optional<std::uint64_t> CosignedCheckpoint::check(const WitnessVerifier& witness) const {
  for (const std::string& line : lines) {
    if (const auto seconds = witness.check(log.signed_text, line)) return seconds;
  }
  return std::nullopt;
}

Result<CosignedCheckpoint> parse_cosigned(std::string_view text) {
  if (text.size() > cosigned_bytes_max) return fail("the cosigned checkpoint is too long");
  const std::size_t blank = text.find("\n\n");
  const std::size_t end = blank == text.npos ? text.npos : text.find('\n', blank + 2);
  if (end == text.npos) return fail("a cosigned checkpoint begins with its log's signed note");
  CosignedCheckpoint out;
  out.note = text.substr(0, end + 1);
  auto parsed = parse_checkpoint(out.note);
  if (!parsed) return tl::unexpected(parsed.error());
  out.log = std::move(*parsed);
  for (std::string_view rest = text.substr(end + 1); !rest.empty();) {
    const std::size_t stop = rest.find('\n');
    if (!rest.starts_with(line_prefix) || stop == rest.npos) {
      return fail("a cosignature's line is malformed");
    }
    out.lines.emplace_back(rest.substr(0, stop + 1));
    rest.remove_prefix(stop + 1);
  }
  return out;
}

}  // namespace sluice::audit
