#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "audit/cbor.h"
#include "audit/checkpoint.h"
#include "audit/compact_range.h"
#include "audit/record_fields.h"
#include "audit/record_filter.h"
#include "audit/seal.h"
#include "audit/timestamps.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "evidence/archive.h"
#include "evidence/manifest.h"
#include "evidence/package.h"
#include "evidence/recorded_chunks.h"
#include "evidence/ssh_signature.h"
#include "evidence/witnesses.h"

namespace sluice::evidence {
namespace {

constexpr std::size_t small_member_bytes_max = std::size_t{64} << 20;
constexpr std::string_view kept_name = "the checkpoint that was seen";
/// A record and its frame in the log; a withheld one is shorter.
constexpr std::size_t item_bytes_max = 64 * 1024;

/// Length of the CBOR item that `in` begins with; nothing when it does not begin with one.
std::optional<std::size_t> item_bytes(ByteView in) {
  audit::cbor::Reader reader(in);
  if (!reader.skip()) return std::nullopt;
  return in.size() - reader.left();
}

class Walk {
 public:
  /// witness  whose word is wanted; empty: nobody's.
  Walk(const Archive& archive, PackageReport& report, std::string witness)
      : archive_(archive), report_(report), witness_(std::move(witness)) {}

  void run(const std::string& wanted_key, const std::optional<audit::SignedCheckpoint>& kept) {
    if (!read_manifest(wanted_key) || !expect(kept)) return;
    if (!check_files() || !check_checkpoint() || !check_records() || !check_recordings() ||
        !is_kept_met()) {
      return;
    }
    report_.ok = true;
  }

 private:
  bool fault(std::string_view where, std::string what) {
    report_.where = where;
    report_.fault = std::move(what);
    return false;
  }

  bool read_manifest(const std::string& wanted_key) {
    const auto text = archive_.read(std::string(manifest_name), small_member_bytes_max);
    if (!text) return fault(manifest_name, text.error().message);
    auto manifest = parse_manifest(*text);
    if (!manifest) return fault(manifest_name, manifest.error().message);
    manifest_ = std::move(*manifest);
    report_.key = manifest_.key;
    report_.is_filtered = manifest_.is_filtered();
    report_.from = manifest_.from;
    report_.until = manifest_.until;
    report_.records = {manifest_.first_record, manifest_.end_record, manifest_.records_shown,
                       manifest_.log_records};
    report_.root_hex = to_hex(manifest_.log_root);
    if (!wanted_key.empty() && wanted_key != manifest_.key) {
      return fault(manifest_name,
                   fmt::format("the package was made with another key: {}, expected {}",
                               manifest_.key, wanted_key));
    }
    auto verifier = audit::Verifier::parse(manifest_.key);
    if (!verifier) return fault(manifest_name, verifier.error().message);
    if (verifier->origin() != manifest_.origin) {
      return fault(manifest_name, "the key is of another log than the manifest says");
    }
    verifier_.emplace(std::move(*verifier));
    seals_.emplace(*verifier_, manifest_.first_record == 0 ? audit::SealChain::Begins::at_the_first
                                                           : audit::SealChain::Begins::anywhere);
    const auto signature = archive_.read(std::string(signature_name), small_member_bytes_max);
    if (!signature) return fault(signature_name, signature.error().message);
    if (auto genuine = ssh_check(*verifier_, *text, *signature); !genuine) {
      return fault(signature_name, genuine.error().message);
    }
    return true;
  }

  bool expect(const std::optional<audit::SignedCheckpoint>& kept) {
    if (!kept) return true;
    if (auto genuine = kept->check(*verifier_); !genuine) {
      return fault(kept_name, genuine.error().message);
    }
    kept_ = kept->checkpoint;
    report_.seen_records = kept_->size;
    return true;
  }

  /// Wherever the tree has its size, it must have its root.
  bool check_kept() {
    if (!kept_ || kept_->size != tree_.end()) return true;
    is_kept_met_ = tree_.root() == kept_->root;
    return is_kept_met_ || fault(kept_name, "you saw another root for these records");
  }

  bool is_kept_met() {
    if (!kept_ || is_kept_met_) return true;
    if (kept_->size > manifest_.log_records) {
      return fault(kept_name, fmt::format("you saw {} records, the package is of a log of {}",
                                          kept_->size, manifest_.log_records));
    }
    return fault(kept_name,
                 fmt::format("the package does not show the log at {} records", kept_->size));
  }

  /// Each file is in the manifest, and each of the manifest's is as it says.
  bool check_files() {
    std::vector<std::string> known{std::string(manifest_name), std::string(signature_name)};
    for (const FileDigest& file : manifest_.files) {
      known.push_back(file.name);
      audit::Sha256 hash;
      std::uint64_t bytes = 0;
      const auto read = archive_.stream(file.name, [&](ByteView piece) {
        hash.add(piece);
        bytes += piece.size();
        return bytes <= file.bytes;
      });
      if (!read) return fault(file.name, read.error().message);
      if (bytes != file.bytes || hash.finish() != file.sha256) {
        return fault(file.name, "the file is not the one that the manifest signs");
      }
    }
    std::vector<std::string> names = archive_.names();
    std::ranges::sort(names);
    std::ranges::sort(known);
    if (names != known) return fault("", "the package holds other files than its manifest says");
    return true;
  }

  bool check_checkpoint() {
    const auto note = archive_.read(std::string(checkpoint_name), audit::note_bytes_max);
    if (!note) return fault(checkpoint_name, note.error().message);
    const auto parsed = audit::parse_checkpoint(*note);
    if (!parsed) return fault(checkpoint_name, parsed.error().message);
    if (auto genuine = parsed->check(*verifier_); !genuine) {
      return fault(checkpoint_name, genuine.error().message);
    }
    if (parsed->checkpoint.size != manifest_.log_records ||
        parsed->checkpoint.root != manifest_.log_root) {
      return fault(checkpoint_name, "it signs another state of the log than the manifest says");
    }
    return true;
  }

  bool check_records() {
    if (!tree_.append_range(manifest_.first_record, manifest_.left)) {
      return fault(manifest_name, "the hashes left of the range do not fit it");
    }
    if (!check_kept()) return false;
    next_timestamp_ = manifest_.timestamps.begin();
    // Once to know of which trees there are seals, and once for all else.
    if (!read_items(&Walk::note_sealed) || !note_tree() || !read_items(&Walk::add)) return false;
    if (tree_.end() != manifest_.end_record) {
      return fault(records_name, fmt::format("records end at {} instead of {}", tree_.end(),
                                             manifest_.end_record));
    }
    if (shown_ != manifest_.records_shown) {
      return fault(records_name, "it shows another number of records than the manifest says");
    }
    if (!check_covering_timestamp() || !check_covering_cosigned()) return false;
    if (!tree_.append_range(manifest_.log_records, manifest_.right)) {
      return fault(manifest_name, "the hashes right of the range do not fit it");
    }
    if (tree_.root() != manifest_.log_root) {
      return fault(records_name, "the records are not those that the checkpoint signs");
    }
    if (!check_kept()) return false;
    return manifest_.is_filtered() || check_bounds();
  }

  /// A package with recordings has each chunk that a shown record tells of, but for those of
  /// recordings that a record says are removed: one that is shown, or one behind the range,
  /// whose place the manifest signs.
  bool check_recordings() {
    const recordings::ChunkSource source = chunks_of(manifest_);
    if (source.recordings.empty() && manifest_.removed_recordings.empty()) return true;
    for (const auto& [name, record] : manifest_.removed_recordings) {
      const bool is_in_range = manifest_.first_record <= record && record < manifest_.end_record;
      const auto shown = removals_.find(name);
      const bool is_shown = shown != removals_.end() && shown->second == record;
      if (record >= manifest_.log_records ||
          (is_in_range && !manifest_.is_filtered() && !is_shown)) {
        return fault(manifest_name, fmt::format("record {} does not say that recording {} was "
                                                "removed",
                                                record, name));
      }
      recordings_.note_removed(name);
    }
    recordings_.allow_missing_before();
    recordings_.allow_missing_behind();
    const recordings::CheckReport found = recordings_.compare(source);
    if (!found.fault.empty()) return fault(found.where, found.fault);
    for (const auto& [name, chunks] : source.recordings) {
      for (const recordings::ChunkFile& chunk : chunks) {
        if (recordings_.knows(name, chunk.chunk)) continue;
        return fault(chunk_member(name, chunk), "no record that is shown tells of the chunk");
      }
      report_.chunks += chunks.size();
    }
    report_.recordings = found.recordings;
    report_.removed_recordings = found.removed;
    return true;
  }

  using Take = bool (Walk::*)(ByteView item);

  bool read_items(Take take) {
    buffer_.clear();
    const auto read = archive_.stream(std::string(records_name), [this, take](ByteView piece) {
      buffer_.insert(buffer_.end(), piece.begin(), piece.end());
      return take_items(take, item_bytes_max);
    });
    if (!read) return fault(records_name, read.error().message);
    return report_.fault.empty() && take_items(take, 0);
  }

  /// Takes items from the buffer while more than `keep` bytes are in it.
  bool take_items(Take take, std::size_t keep) {
    std::size_t at = 0;
    while (buffer_.size() - at > keep) {
      const ByteView rest = ByteView(buffer_).subspan(at);
      const auto size = item_bytes(rest);
      if (!size || !(this->*take)(rest.first(*size))) {
        if (report_.fault.empty()) fault(place(), "bytes that are neither a record nor a hash");
        return false;
      }
      at += *size;
    }
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  bool note_sealed(ByteView item) {
    const auto fields = audit::fields_of(item);
    const auto seal = fields ? audit::parse_seal(audit::seal_in(*fields)) : std::nullopt;
    if (seal) sealed_.emplace(seal->head.size, std::nullopt);
    return true;
  }

  /// A tree that there is a seal of.
  bool note_tree() {
    const auto found = sealed_.find(tree_.end());
    if (found != sealed_.end()) found->second = tree_.root();
    return true;
  }

  /// Seals follow one another, and the log was what those of the range's trees say.
  bool check_seal(const audit::RecordFields& record) {
    if (const std::string_view note = audit::seal_in(record); !note.empty()) {
      const auto seal = seals_->add(note);
      if (!seal) return fault(place(), seal.error().message);
      if (*seal && (*seal)->head.size >= manifest_.first_record &&
          sealed_.at((*seal)->head.size) != (*seal)->head.root) {
        return fault(place(), fmt::format("seal {} is of another log: of {} records it was not "
                                          "this one",
                                          (*seal)->number, (*seal)->head.size));
      }
      report_.seals = seals_->count();
    }
    const auto seen = seals_->see(record.time_ns);
    return seen || fault(place(), seen.error().message);
  }

  bool add(ByteView item) {
    audit::cbor::Reader reader(item);
    const auto head = reader.head();
    if (head && head->major == audit::cbor::Major::bytes) {
      audit::Hash leaf{};
      const auto content = reader.content(head->value);
      if (!manifest_.is_filtered() || !content || content->size() != leaf.size()) return false;
      std::ranges::copy(*content, leaf.begin());
      tree_.append_leaf(leaf);
      seals_->skip();
      return note_tree() && check_seen();
    }
    const auto origin = audit::fields_of(item);
    if (!origin) return false;
    if (!origin->policy.empty() && !has_policy(origin->policy)) {
      return fault(place(), "the policy that this record names is not in the package");
    }
    tree_.append_leaf(audit::leaf_hash(item));
    recordings_.add(*origin);
    if (origin->event == recordings::removed_event) {
      removals_[std::string(origin->recording)] = tree_.end() - 1;
    }
    ++shown_;
    if (audit::is_phase(*origin, audit::Phase::gap)) ++report_.gaps;
    times_.first = shown_ == 1 ? origin->time_ns : times_.first;
    times_.second = origin->time_ns;
    std::uint64_t& last = sequences_[{origin->epoch, origin->worker}];
    const bool follows = manifest_.is_filtered() ? origin->sequence > last
                                                 : last == 0 || origin->sequence == last + 1;
    if (!follows) return fault(place(), "a record does not follow its worker's last one");
    last = origin->sequence;
    return check_seal(*origin) && note_tree() && check_seen();
  }

  /// Where the tree is now: what an authority, witnesses or whoever verifies saw was it.
  bool check_seen() {
    if (!check_kept() || !check_timestamp()) return false;
    if (!manifest_.cosigned || manifest_.cosigned->log_records != tree_.end()) return true;
    return check_cosigned(tree_);
  }

  bool check_timestamp() {
    if (next_timestamp_ == manifest_.timestamps.end() ||
        next_timestamp_->log_records != tree_.end()) {
      return true;
    }
    return check_timestamp(*next_timestamp_++, tree_);
  }

  /// One behind the range is of a tree that continues it.
  bool check_covering_timestamp() {
    if (next_timestamp_ == manifest_.timestamps.end()) return true;
    const SeenCheckpoint& stamped = *next_timestamp_++;
    audit::CompactRange tree = tree_;
    if (next_timestamp_ != manifest_.timestamps.end() ||
        !tree.append_range(stamped.log_records, stamped.after)) {
      return fault(manifest_name, "its timestamps do not fit the range");
    }
    return check_timestamp(stamped, tree);
  }

  /// The checkpoint is of this key, and signs this tree.
  bool check_note(const std::string& name, const audit::SignedCheckpoint& seen,
                  const audit::CompactRange& tree) {
    if (auto genuine = seen.check(*verifier_); !genuine) {
      return fault(name, genuine.error().message);
    }
    if (seen.checkpoint.size == tree.end() && seen.checkpoint.root == tree.root()) return true;
    return fault(name, "what was seen is another log");
  }

  /// Witnesses saw the range's log: a tree within the range, or one that continues it.
  bool check_covering_cosigned() {
    if (!manifest_.cosigned) {
      return witness_.empty() || fault(manifest_name, "no witness saw any of the range");
    }
    if (!report_.witnesses.empty()) return true;
    audit::CompactRange tree = tree_;
    if (!tree.append_range(manifest_.cosigned->log_records, manifest_.cosigned->after)) {
      return fault(manifest_name, "what witnesses saw does not fit the range");
    }
    return check_cosigned(tree);
  }

  bool check_cosigned(const audit::CompactRange& tree) {
    const std::string name(cosigned_member);
    const auto text = archive_.read(name, audit::cosigned_bytes_max);
    if (!text) return fault(name, text.error().message);
    const auto cosigned = audit::parse_cosigned(*text);
    if (!cosigned) return fault(name, cosigned.error().message);
    if (!check_note(name, cosigned->log, tree)) return false;
    const auto policy_text =
        archive_.read(std::string(witness_policy_member), small_member_bytes_max);
    const auto policy = policy_text ? audit::WitnessPolicy::parse(*policy_text)
                                    : tl::unexpected(policy_text.error());
    if (!policy) return fault(witness_policy_member, policy.error().message);
    auto witnesses = evidence::check_cosigned(*policy, *cosigned);
    if (!witnesses) return fault(name, witnesses.error().message);
    if (!witness_.empty() && std::ranges::count(*witnesses, witness_, &SeenBy::key) == 0) {
      return fault(name, "the witness did not sign this checkpoint");
    }
    report_.witnesses = std::move(*witnesses);
    report_.witnessed_records = tree.end();
    return true;
  }

  bool check_timestamp(const SeenCheckpoint& stamped, const audit::CompactRange& tree) {
    const std::string name = timestamp_note_member(stamped.log_records);
    const auto note = archive_.read(name, audit::note_bytes_max);
    if (!note) return fault(name, note.error().message);
    const auto parsed = audit::parse_checkpoint(*note);
    if (!parsed) return fault(name, parsed.error().message);
    if (!check_note(name, *parsed, tree)) return false;
    const std::string answer = timestamp_response_member(stamped.log_records);
    const auto response = archive_.read(answer, small_member_bytes_max);
    if (!response) return fault(answer, response.error().message);
    const auto time = audit::read_timestamp(*response, *note);
    if (!time) return fault(answer, time.error().message);
    report_.timestamps.push_back(*time);
    return true;
  }

  /// The package holds the policy, and its digest is its name.
  bool has_policy(ByteView digest) {
    audit::Hash wanted{};
    std::ranges::copy(digest, wanted.begin());
    if (policies_.contains(wanted)) return true;
    const std::string name = policy_member(wanted);
    const auto file = std::ranges::find(manifest_.files, name, &FileDigest::name);
    if (file == manifest_.files.end() || file->sha256 != wanted) return false;
    policies_.insert(wanted);
    return true;
  }

  /// The records at both ends lie outside of the times, or are the log's own ends.
  bool check_bounds() {
    const auto text = [](std::uint64_t ns) {
      return timestamp_text({static_cast<std::int64_t>(ns)}, 9);
    };
    const bool begins = manifest_.first_record == 0 || text(times_.first) < manifest_.from;
    const bool ends = manifest_.end_record == manifest_.log_records ||
                      (!manifest_.until.empty() && text(times_.second) >= manifest_.until);
    if (begins && ends) return true;
    return fault(records_name, "the range does not reach to both of its times");
  }

  [[nodiscard]] std::string place() const {
    return fmt::format("{}, record {}", records_name, tree_.end());
  }

  const Archive& archive_;
  PackageReport& report_;
  std::string witness_;  ///< Verifier line.
  Manifest manifest_;
  std::optional<audit::Verifier> verifier_;
  audit::CompactRange tree_{0};
  std::optional<audit::SealChain> seals_;
  /// Of each size that a seal is of, the root that the tree had.
  std::map<std::uint64_t, std::optional<audit::Hash>> sealed_;
  std::vector<std::uint8_t> buffer_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> sequences_;
  std::set<audit::Hash> policies_;
  std::vector<SeenCheckpoint>::const_iterator next_timestamp_;
  std::pair<std::uint64_t, std::uint64_t> times_;
  std::uint64_t shown_ = 0;
  recordings::RecordingCheck recordings_;
  std::map<std::string, std::uint64_t> removals_;  ///< Of recordings, by the last record of it.
  std::optional<audit::Checkpoint> kept_;
  bool is_kept_met_ = false;
};

}  // namespace

Result<PackageReport> verify_package(const std::filesystem::path& path, const std::string& key,
                                     const std::string& witness, const std::string& kept) {
  std::string wanted;
  if (!key.empty()) {
    const auto parsed = audit::Verifier::parse(key);
    if (!parsed) return tl::unexpected(parsed.error());
    wanted = parsed->line();
  }
  std::string wanted_witness;
  if (!witness.empty()) {
    const auto parsed = audit::WitnessVerifier::parse(witness);
    if (!parsed) return tl::unexpected(parsed.error());
    wanted_witness = parsed->line();
  }
  std::optional<audit::SignedCheckpoint> checkpoint;
  if (!kept.empty()) {
    auto parsed = audit::parse_checkpoint(kept);
    if (!parsed) return tl::unexpected(parsed.error());
    checkpoint = std::move(*parsed);
  }
  const auto archive = Archive::open(path);
  if (!archive) return tl::unexpected(archive.error());
  PackageReport report;
  Walk(*archive, report, std::move(wanted_witness)).run(wanted, checkpoint);
  return report;
}

}  // namespace sluice::evidence
