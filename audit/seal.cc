#include "audit/seal.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/record.h"
#include "audit/record_filter.h"
#include "base/assert.h"
#include "base/text_codec.h"

namespace sluice::audit {
namespace {

constexpr std::string_view seal_word = "seal ";
constexpr std::uint64_t second_ns = 1'000'000'000;

std::string signed_line(const Verifier& key, const Signature& signature) {
  return signature_line(key.origin(), key.id(), signature);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    out.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t end = line.find(' ');
    out.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return out;
    line.remove_prefix(end + 1);
  }
}

/// What is written otherwise than `seal_text` writes it is found by comparing.
std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

template <std::size_t Size>
bool read_base64(std::string_view text, std::array<std::uint8_t, Size>& out) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != Size) return false;
  std::ranges::copy(*bytes, out.begin());
  return true;
}

struct SignedSeal {
  Seal seal;
  std::string text;
  std::vector<std::string> lines;  ///< Of signatures.
};

std::optional<SignedSeal> parse(std::string_view note) {
  if (note.size() > seal_bytes_max) return std::nullopt;
  const std::vector<std::string_view> lines = lines_of(note);
  if (lines.size() < 6 || !is_origin(lines[0])) return std::nullopt;
  const std::vector<std::string_view> words = words_of(lines[3]);
  if (words.size() != 5) return std::nullopt;
  SignedSeal out;
  out.seal.head.size = number_of(lines[1]);
  out.seal.number = number_of(words[1]);
  out.seal.from = number_of(words[2]);
  out.seal.until = number_of(words[3]);
  if (!read_base64(lines[2], out.seal.head.root) || !read_base64(words[4], out.seal.key)) {
    return std::nullopt;
  }
  out.text = seal_text(lines[0], out.seal);
  if (!note.starts_with(out.text + "\n") || out.seal.number == 0) return std::nullopt;
  for (std::size_t i = 5; i < lines.size(); ++i) out.lines.emplace_back(lines[i]);
  if (out.lines.size() != (out.seal.number == 1 ? 1 : 2)) return std::nullopt;
  return out;
}

bool is_signed(const Verifier& key, const std::string& text, const std::string& line) {
  const auto signature = read_signature_line(line, key.origin(), key.id());
  return signature && key.verify(as_bytes(text), *signature);
}

}  // namespace

std::string seal_text(std::string_view origin, const Seal& seal) {
  return fmt::format("{}{}{} {} {} {}\n", checkpoint_text(origin, seal.head.size, seal.head.root),
                     seal_word, seal.number, seal.from, seal.until, to_base64(seal.key));
}

std::string sealing_name(std::string_view origin) {
  return std::string(origin) + "/seal";
}

Seed::Seed() : bytes_(static_cast<std::uint8_t*>(OPENSSL_secure_zalloc(size))) {
  ASSERT(bytes_ != nullptr);
}

void Seed::Erase::operator()(std::uint8_t* bytes) const noexcept {
  OPENSSL_secure_clear_free(bytes, size);
}

Result<Sealing> next_seal(Signer& log, const Sealing* previous, const TreeHead& head,
                          std::uint64_t now, Duration lasts) {
  const std::string& origin = log.verifier().origin();
  const std::string name = sealing_name(origin);
  Sealing next;
  // From the kernel at once: OpenSSL's own generator makes calls that a sandbox refuses.
  if (::getrandom(next.seed.bytes().data(), Seed::size, 0) != Seed::size) {
    return fail("the system gives no randomness for a sealing key");
  }
  const auto key = Signer::of_seed(name, next.seed.bytes());
  if (!key) return tl::unexpected(key.error());
  next.seal.number = previous == nullptr ? 1 : previous->seal.number + 1;
  next.seal.head = head;
  next.seal.from = previous == nullptr ? now : std::max(now, previous->seal.from);
  next.seal.until = next.seal.from + static_cast<std::uint64_t>(lasts.ns) / second_ns;
  std::ranges::copy(key->verifier().public_key(), next.seal.key.begin());
  const std::string text = seal_text(origin, next.seal);
  const auto signature = log.sign(as_bytes(text));
  if (!signature) return tl::unexpected(signature.error());
  next.note = text + "\n" + signed_line(log.verifier(), *signature);
  if (previous == nullptr) return next;
  auto before = Signer::of_seed(name, previous->seed.bytes());
  if (!before) return tl::unexpected(before.error());
  const auto handover = before->sign(as_bytes(text));
  if (!handover) return tl::unexpected(handover.error());
  next.note += signed_line(before->verifier(), *handover);
  return next;
}

std::optional<Seal> parse_seal(std::string_view note) {
  auto parsed = parse(note);
  if (!parsed) return std::nullopt;
  return parsed->seal;
}

Result<void> SealChain::see(std::uint64_t time_ns) {
  if (last_.number == 0 || time_ns / second_ns <= last_.until) return {};
  if (first_late_ns_ == 0) first_late_ns_ = time_ns;
  if (time_ns <= first_late_ns_ + static_cast<std::uint64_t>(seal_grace.ns)) return {};
  if (!is_certain_) return {};
  return fail(fmt::format("seal {} had ended, and the log went on without another", last_.number));
}

Result<std::optional<Seal>> SealChain::add(std::string_view note) {
  if (note == last_note_) return std::optional<Seal>();
  auto parsed = parse(note);
  if (!parsed) return fail("the seal is malformed");
  if (parsed->text != seal_text(log_.origin(), parsed->seal) ||
      !is_signed(log_, parsed->text, parsed->lines[0])) {
    return fail("the seal is not signed by the log's key");
  }
  const Seal& next = parsed->seal;
  const bool is_unseen = last_.number == 0 && begins_ == Begins::anywhere;
  const bool is_first = next.number == 1;
  if (!is_first && !is_unseen && (is_certain_ || next.number == last_.number + 1)) {
    if (next.number != last_.number + 1) {
      return fail(fmt::format("seal {} follows seal {}", next.number, last_.number));
    }
    const auto before = Verifier::make(sealing_name(log_.origin()), last_.key);
    if (!before || !is_signed(*before, parsed->text, parsed->lines[1])) {
      return fail(fmt::format("seal {} is not signed by the key that seal {} names", next.number,
                              last_.number));
    }
    if (next.from < last_.from || next.head.size < last_.head.size) {
      return fail(fmt::format("seal {} is older than seal {}", next.number, last_.number));
    }
  }
  if (is_first) ++chains_;
  ++count_;
  last_ = next;
  last_note_ = note;
  first_late_ns_ = 0;
  return std::optional(next);
}

std::string_view seal_in(const RecordFields& record) noexcept {
  return is_phase(record, Phase::control) && record.event == seal_event ? record.detail
                                                                        : std::string_view();
}

bool RecentHeads::has(const TreeHead& head) const {
  if (head == TreeHead::of(Tree{})) return true;
  const auto found = std::ranges::lower_bound(heads_, head.size, {}, &TreeHead::size);
  return found != heads_.end() && *found == head;
}

}  // namespace sluice::audit
