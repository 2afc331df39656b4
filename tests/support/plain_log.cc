#include "plain_log.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace sluice::test {
namespace {

/// What is not as it must be.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const std::string& what) {
  if (!holds) throw Fault(what);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string out(std::filesystem::file_size(path), '\0');
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  expect(file.good(), "cannot read " + path.filename().string());
  return out;
}

std::string sha256(const std::string& bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::uint32_t crc32c(const std::string& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0);
  }
  return ~crc;
}

std::uint64_t little_endian(const std::string& bytes, std::size_t at, std::size_t width) {
  expect(at + width <= bytes.size(), "a number is cut off");
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- != 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::string from_base64(const std::string& text) {
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  expect(size >= 0, "not base64");
  std::size_t padding = 0;
  while (padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

/// RFC 6962 §2.1, as it defines the tree.
std::string merkle_root(const std::vector<std::string>& leaves, std::size_t begin,
                        std::size_t end) {
  if (begin == end) return sha256({});
  if (end - begin == 1) return leaves[begin];
  std::size_t split = 1;
  while (2 * split < end - begin) split *= 2;
  return sha256('\x01' + merkle_root(leaves, begin, begin + split) +
                merkle_root(leaves, begin + split, end));
}

class Cbor {
 public:
  explicit Cbor(const std::string& bytes) : bytes_(bytes) {}

  std::pair<unsigned, std::uint64_t> head() {
    const auto first = static_cast<unsigned>(byte());
    const unsigned info = first & 0x1fU;
    if (info < 24) return {first >> 5, info};
    expect(info <= 27, "an odd CBOR head");
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 1U << (info - 24); ++i) value = value << 8 | byte();
    return {first >> 5, value};
  }
  std::string take(std::uint64_t size) {
    expect(at_ + size <= bytes_.size(), "CBOR is cut off");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  void skip(unsigned major, std::uint64_t value) {
    if (major == 2 || major == 3) static_cast<void>(take(value));
    const std::uint64_t items = major == 4 ? value : major == 5 ? 2 * value : 0;
    for (std::uint64_t i = 0; i < items; ++i) {
      const auto [inner, size] = head();
      skip(inner, size);
    }
  }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

 private:
  unsigned char byte() {
    expect(at_ < bytes_.size(), "CBOR is cut off");
    return static_cast<unsigned char>(bytes_[at_++]);
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

PlainRecord parse_record(const std::string& bytes) {
  PlainRecord out;
  Cbor in(bytes);
  const auto [major, members] = in.head();
  expect(major == 5, "a record is no map");
  std::uint64_t last_key = 0;
  for (std::uint64_t i = 0; i < members; ++i) {
    const auto [key_major, key] = in.head();
    expect(key_major == 0 && key > last_key, "a record's keys do not ascend");
    last_key = key;
    const auto [value_major, value] = in.head();
    if (value_major == 0) {
      out.numbers[key] = value;
    } else if (value_major == 2 || value_major == 3) {
      out.texts[key] = in.take(value);
    } else {
      in.skip(value_major, value);
    }
  }
  expect(in.at_end(), "bytes follow a record");
  return out;
}

struct Note {
  std::uint64_t size = 0;
  std::string root;
};

class Reader {
 public:
  Reader(std::filesystem::path directory, const std::string& verifier)
      : directory_(std::move(directory)) {
    origin_ = verifier.substr(0, verifier.find('+'));
    id_ = verifier.substr(origin_.size() + 1, 8);
    const std::string key = from_base64(verifier.substr(origin_.size() + 10, 44));
    expect(key.size() == 33 && key[0] == 1, "no Ed25519 key");
    key_.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                           reinterpret_cast<const unsigned char*>(&key[1]), 32));
    expect(key_ != nullptr, "no Ed25519 key");
  }

  PlainLog read() {
    const Note newest = parse_note(content_of(directory_ / "checkpoint"));
    is_newest_seen_ = newest.size == 0;
    std::uint64_t segments = 0;
    while (std::filesystem::exists(path_of(segments + 1))) ++segments;
    for (std::uint64_t number = 1; number <= segments; ++number) {
      read_segment(number, number == segments, newest);
    }
    expect(is_newest_seen_, "no commit is what the checkpoint file says");
    log_.records.resize(committed_);
    return std::move(log_);
  }

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const {
    std::string digits = std::to_string(number);
    digits.insert(0, 8 - digits.size(), '0');
    return directory_ / ("segment-" + digits + ".log");
  }

  Note parse_note(const std::string& note) const {
    const std::size_t blank = note.find("\n\n");
    expect(blank != note.npos, "a checkpoint without a signature");
    const std::string text = note.substr(0, blank + 1);
    const std::size_t size_at = text.find('\n') + 1;
    const std::size_t root_at = text.find('\n', size_at) + 1;
    expect(text.substr(0, size_at - 1) == origin_, "a checkpoint of another log");
    const std::string before = "\n\u2014 " + origin_ + ' ';
    expect(note.compare(blank + 1, before.size(), before) == 0, "an odd signature line");
    const std::string tagged = from_base64(
        note.substr(blank + 1 + before.size(), note.size() - blank - 2 - before.size()));
    expect(tagged.size() == 68, "an odd signature");
    std::string id;
    for (int i = 0; i < 4; ++i) {
      constexpr const char* digits = "0123456789abcdef";
      id += digits[static_cast<unsigned char>(tagged[static_cast<std::size_t>(i)]) >> 4];
      id += digits[static_cast<unsigned char>(tagged[static_cast<std::size_t>(i)]) & 15U];
    }
    expect(id == id_, "another key's signature");
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    expect(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
               EVP_DigestVerify(
                   context.get(), reinterpret_cast<const unsigned char*>(tagged.data() + 4), 64,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1,
           "a wrong signature");
    return {std::stoull(text.substr(size_at)),
            from_base64(text.substr(root_at, text.find('\n', root_at) - root_at))};
  }

  /// The next frame's body; nothing where no whole frame begins.
  static std::optional<std::string> frame_at(const std::string& bytes, std::size_t at) {
    if (bytes.size() - at < 8) return std::nullopt;
    const std::uint64_t size = little_endian(bytes, at, 4);
    if (size == 0 || size > 65536 || bytes.size() - at - 8 < size) return std::nullopt;
    std::string body = bytes.substr(at + 8, size);
    if (crc32c(bytes.substr(at, 4) + body) != little_endian(bytes, at + 4, 4)) return std::nullopt;
    return body;
  }

  void read_segment(std::uint64_t number, bool is_last, const Note& newest) {
    const std::string bytes = content_of(path_of(number));
    const std::string magic = "sluice-segment1\n";
    expect(is_last || bytes.starts_with(magic), "a segment without its magic");
    std::size_t committed_end = 0;
    bool is_first = true;
    std::size_t at = magic.size();
    while (at < bytes.size()) {
      const auto body = frame_at(bytes, at);
      if (!body) break;
      at += 8 + body->size();
      expect(((*body)[0] == 'H') == is_first, "a header out of its place");
      is_first = false;
      if ((*body)[0] == 'C') {
        add_commit(body->substr(1), newest);
        committed_end = at;
      } else if ((*body)[0] == 0) {
        add_record(*body);
      }
    }
    expect(is_last || committed_end == bytes.size(), "a sealed segment ends without a commit");
    // What is not under a commit of the last segment is not part of the log.
    log_.records.resize(committed_);
    leaves_.resize(committed_);
  }

  void add_record(const std::string& body) {
    leaves_.push_back(sha256(body));
    log_.records.push_back(parse_record(body.substr(1)));
    const PlainRecord& record = log_.records.back();
    std::uint64_t& last = sequences_[{record.number(2), record.number(3)}];
    expect(record.number(4) == last + 1, "a sequence with a gap");
    last = record.number(4);
  }

  void add_commit(const std::string& payload, const Note& newest) {
    expect(little_endian(payload, 0, 8) == ++log_.commits, "a commit out of order");
    const Note note = parse_note(payload.substr(8));
    expect(note.size == leaves_.size(), "a commit signs another number of records");
    expect(note.root == merkle_root(leaves_, 0, leaves_.size()), "a commit signs another root");
    committed_ = leaves_.size();
    if (note.size == newest.size) is_newest_seen_ = note.root == newest.root;
  }

  std::filesystem::path directory_;
  std::string origin_;
  std::string id_;
  std::unique_ptr<EVP_PKEY, FreeKey> key_;
  PlainLog log_;
  std::vector<std::string> leaves_;
  std::size_t committed_ = 0;
  bool is_newest_seen_ = false;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> sequences_;
};

}  // namespace

PlainLog read_plain_log(const std::filesystem::path& directory, const std::string& verifier) {
  try {
    return Reader(directory, verifier).read();
  } catch (const Fault& fault) {
    PlainLog out;
    out.fault = fault.what();
    return out;
  }
}

}  // namespace sluice::test
