// The keys file: reading it, and writing new entries.
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "config/load/reader.h"
#include "config/load/schema_builder.h"
#include "identity/api_keys_entry.h"

namespace sluice::identity {
namespace {

using config::Place;
using config::Problem;
using config::Word;

constexpr config::YamlLimits file_limits{
    .bytes_max = std::size_t{64} << 20, .nodes_max = 4'000'000, .keys_max = 64, .depth_max = 4};

/// An entry as the file has it.
struct Written {
  std::string id;
  std::string subject;
  std::vector<std::string> groups;
  std::string expires;
  std::string owner;
  std::string note;
  std::string sha256;
  std::string scrypt;
  std::string scram;
  Place place;
};

using config::schema::not_required;
using config::schema::required;
using config::schema::text;
using config::schema::texts;

constexpr std::array written_fields{
    text<&Written::id>("id", Word::name, required, "Names the key in records; part of the key."),
    text<&Written::subject>("subject", Word::subject, required, "Who the key stands for."),
    texts<&Written::groups>("groups", Word::subject, 256, "Groups of the subject."),
    text<&Written::expires>("expires", Word::sentence, required,
                            "2027-01-31, 2027-01-31T12:00:00Z or never."),
    text<&Written::owner>("owner", Word::sentence, not_required, "Whom to ask about the key."),
    text<&Written::note>("note", Word::sentence, not_required, "Anything worth knowing."),
    text<&Written::sha256>("sha256", Word::sentence, not_required,
                           "Of a machine-made key, in hex."),
    text<&Written::scrypt>("scrypt", Word::sentence, not_required, "Of a chosen secret."),
    text<&Written::scram>("scram", Word::sentence, not_required,
                          "A verifier of the same secret, for logins by SCRAM-SHA-256.")};
constexpr config::Table written_table{.title = "A key",
                                      .path = "[]",
                                      .sentence = "A credential and who it stands for.",
                                      .fields = written_fields,
                                      .make = config::schema::make_owner<Written>,
                                      .place = config::schema::place_in<Written>};

/// The keys file refers to nothing outside of itself.
config::World no_world() {
  return {.read_file = [](const std::string&) { return std::nullopt; },
          .environment = [](const std::string&) { return std::nullopt; }};
}

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.text();
  }
  return text;
}

/// In double quotes and with "${" doubled, so that no text is taken for anything else.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (text.substr(i).starts_with("${")) result += '$';
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02X}", byte);
    } else {
      result += c;
    }
  }
  result += '"';
  return result;
}

/// A point in time, the first instant of a day, or "never".
std::optional<WallTime> parse_expiry(const std::string& text) {
  if (text == "never") return never;
  constexpr std::size_t day_size = std::string_view("2027-01-31").size();
  return parse_timestamp(text.size() == day_size ? text + "T00:00:00Z" : text);
}

std::string expiry_text(WallTime time) {
  return time == never ? "never" : timestamp_text(time);
}

std::string entry_text(std::string_view id, std::string_view subject,
                       const std::vector<std::string>& groups, WallTime expires,
                       std::string_view hash_key, std::string_view hash,
                       std::string_view scram = {}) {
  std::string text = fmt::format("- id: {}\n  subject: {}\n", in_quotes(id), in_quotes(subject));
  if (!groups.empty()) {
    std::vector<std::string> names;
    names.reserve(groups.size());
    for (const std::string& group : groups) names.push_back(in_quotes(group));
    text += fmt::format("  groups: [{}]\n", fmt::join(names, ", "));
  }
  text += fmt::format("  expires: {}\n  {}: {}\n", expiry_text(expires), hash_key, hash);
  if (!scram.empty()) text += fmt::format("  scram: {}\n", in_quotes(scram));
  return text;
}

}  // namespace

class ApiKeys::Builder {
 public:
  Builder(std::string_view yaml, const std::string& name, const Digest& mock_key)
      : keys_(new ApiKeys(mock_key)) {
    const auto tree = config::parse_yaml(yaml, name, file_limits, problems_);
    if (!tree || tree->is_null()) return;
    if (tree->kind != config::YamlNode::Kind::sequence) {
      report(tree->place, "expected a list of keys");
      return;
    }
    written_.resize(tree->items.size());  // places are kept by address
    const config::World world = no_world();
    config::Reader reader(world, {}, problems_);
    for (std::size_t i = 0; i < written_.size(); ++i) {
      const std::size_t problems_before = problems_.size();
      reader.read_section(tree->items[i], written_table, &written_[i]);
      if (problems_.size() == problems_before) add(written_[i], reader.places());
    }
  }

  Result<std::shared_ptr<const ApiKeys>> finish() && {
    index_keys();
    if (!problems_.empty()) {
      std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
        return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
      });
      return fail(joined(problems_));
    }
    return std::shared_ptr<const ApiKeys>(std::move(keys_));
  }

 private:
  void report(const Place& place, std::string message) {
    Problem& problem = problems_.emplace_back();
    problem.place = place;
    problem.message = std::move(message);
  }

  void add(const Written& written, const config::Places& places) {
    Entry entry;
    entry.principal.subject = written.subject;
    entry.principal.issuer = "api_keys";
    entry.principal.groups = written.groups;
    entry.principal.proof = config::Proof::api_key;
    entry.principal.credential_id = written.id;
    const auto expires = parse_expiry(written.expires);
    if (!expires) {
      report(places.of(&written.expires, written.place),
             fmt::format("'{}' is not a time; write 2027-01-31, 2027-01-31T12:00:00Z or never",
                         written.expires));
    }
    entry.principal.expires = expires.value_or(WallTime{});
    if (written.subject == "*") {
      report(places.of(&written.subject, written.place),
             "'*' means everyone and can't be a subject");
    }
    if (written.sha256.empty() == written.scrypt.empty()) {
      return report(written.place, "a key has either 'sha256' or 'scrypt'");
    }
    if (!written.sha256.empty()) {
      const auto bytes = from_hex(written.sha256);
      if (!bytes || bytes->size() != Digest{}.size()) {
        return report(places.of(&written.sha256, written.place), "'sha256' takes 64 hex digits");
      }
      std::copy(bytes->begin(), bytes->end(), entry.digest.emplace().begin());
    } else {
      auto hash = ScryptHash::parse(written.scrypt);
      if (!hash) return report(places.of(&written.scrypt, written.place), hash.error().message);
      entry.scrypt = std::move(*hash);
    }
    if (!written.scram.empty()) {
      auto verifier = ScramVerifier::parse(written.scram);
      if (!verifier) {
        return report(places.of(&written.scram, written.place), verifier.error().message);
      }
      entry.scram = std::move(*verifier);
    }
    keys_->entries_.push_back(std::move(entry));
    places_.push_back(places.of(&written.id, written.place));
  }

  void index_keys() {
    std::unordered_map<std::string_view, std::size_t> logins_of_subject;
    for (std::size_t i = 0; i < keys_->entries_.size(); ++i) {
      const Entry& entry = keys_->entries_[i];
      const auto [first, is_new] = keys_->by_id_.try_emplace(entry.principal.credential_id, i);
      if (!is_new) {
        report(places_[i], fmt::format("id '{}' is there twice; first at line {}",
                                       entry.principal.credential_id, places_[first->second].line));
      }
      if (entry.scram) {
        keys_->by_scram_subject_[entry.principal.subject].push_back(i);
        keys_->mock_iterations_ = entry.scram->iterations;
      }
      if (!entry.scrypt) continue;
      keys_->by_login_.try_emplace(entry.principal.credential_id, i);
      ++logins_of_subject[entry.principal.subject];
    }
    // A subject with one chosen secret may log in by its own name, too.
    for (std::size_t i = 0; i < keys_->entries_.size(); ++i) {
      const Entry& entry = keys_->entries_[i];
      if (!entry.scrypt || logins_of_subject[entry.principal.subject] != 1) continue;
      const auto [first, is_new] = keys_->by_login_.try_emplace(entry.principal.subject, i);
      if (!is_new && first->second != i) {
        report(places_[i], fmt::format("subject '{}' is also the id of the login at line {}",
                                       entry.principal.subject, places_[first->second].line));
      }
    }
  }

  std::vector<Problem> problems_;
  std::vector<Written> written_;
  std::vector<Place> places_;  // of the id of each entry
  std::unique_ptr<ApiKeys> keys_;
};

Result<std::shared_ptr<const ApiKeys>> ApiKeys::parse(std::string_view yaml,
                                                      const std::string& name,
                                                      const Digest& mock_key,
                                                      const RevokedKeys& revoked) {
  auto keys = Builder(yaml, name, mock_key).finish();
  if (!keys || revoked.empty()) return keys;
  return (*keys)->without(revoked);
}

NewKey make_key(std::string_view subject, const std::vector<std::string>& groups, WallTime expires,
                ByteView random, ByteView scram_salt) {
  constexpr std::size_t random_bytes = 32;
  ASSERT(random.size() >= random_bytes);
  const std::string secret = to_base64url(random.first(random_bytes));
  // The id tells nothing of the secret: 48 bits of a digest over all of it.
  const auto seed = sha256("sluice key id " + secret);
  ASSERT(seed.has_value());
  const std::string id = to_hex(ByteView(*seed).first(6));
  const std::string key = fmt::format("sk_{}_{}", id, secret);
  const auto digest = sha256(key);
  ASSERT(digest.has_value());
  std::string scram;
  if (!scram_salt.empty()) {
    ASSERT(scram_salt.size() == scram_salt_bytes);
    const auto verifier = make_scram_verifier(key, scram_salt, scram_iterations_min);
    ASSERT(verifier.has_value());
    scram = verifier->text();
  }
  return {key, entry_text(id, subject, groups, expires, "sha256", to_hex(*digest), scram)};
}

Result<std::string> make_login_entry(std::string_view id, std::string_view subject,
                                     const std::vector<std::string>& groups, WallTime expires,
                                     std::string_view secret, ByteView salt) {
  ASSERT(salt.size() >= 16);
  ScryptHash hash;
  hash.salt.assign(salt.begin(), salt.end());
  const auto digest = scrypt(secret, hash);
  if (!digest) return fail("no memory for scrypt");
  hash.hash = *digest;
  return entry_text(id, subject, groups, expires, "scrypt", in_quotes(hash.text()));
}

}  // namespace sluice::identity
