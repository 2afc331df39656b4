// Seals: what keeps the hours before from whoever has all keys of the present.
//
// A seal says, as a checkpoint with one more line, what the log was when a sealing key
// began, and is signed by the log's key and by the sealing key before, which signs nothing
// else and is then erased. So the chain of seals can be continued, and never be begun
// anew at an hour that is past. Pure but for the randomness of a new key.
//
// source   docs/audit_log.md, "Seals"; https://c2sp.org/tlog-checkpoint for the text
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "audit/consistency.h"
#include "audit/keys.h"
#include "audit/record_fields.h"
#include "base/instant.h"
#include "base/result.h"

namespace sluice::audit {

/// Of the control record whose detail is a seal.
inline constexpr std::string_view seal_event = "sealed";
inline constexpr std::size_t seal_bytes_max = 1536;
/// A seal's tree is that of one of so many commits before it.
inline constexpr std::size_t seal_reach_commits = 65'536;
/// For so long after its end there may be records before the next seal is among them.
inline constexpr Duration seal_grace = seconds(600);

struct Seal {
  std::uint64_t number = 0;            ///< 1, 2, 3 … in a chain; 0: none.
  TreeHead head;                       ///< What the log was.
  std::uint64_t from = 0;              ///< Seconds since 1970.
  std::uint64_t until = 0;             ///< The next one is due.
  std::array<std::uint8_t, 32> key{};  ///< Public: signs the next seal.

  bool operator==(const Seal&) const = default;
};

/// What the log's key, and of all but the first the sealing key before, sign.
std::string seal_text(std::string_view origin, const Seal& seal);
/// Under which the lines of sealing keys stand.
std::string sealing_name(std::string_view origin);

/// 32 secret bytes in locked memory, erased when they go.
class Seed {
 public:
  static constexpr std::size_t size = 32;
  Seed();
  [[nodiscard]] ByteSpan bytes() noexcept { return {bytes_.get(), size}; }
  [[nodiscard]] ByteView bytes() const noexcept { return {bytes_.get(), size}; }

 private:
  struct Erase {
    void operator()(std::uint8_t* bytes) const noexcept;
  };
  std::unique_ptr<std::uint8_t[], Erase> bytes_;
};

/// The seal in force and the secret half of its key.
struct Sealing {
  Seal seal;
  std::string note;  ///< As the log has it, or is to have it.
  Seed seed;
};

/// The next seal, with a new key; or a chain's first when `previous` is null.
/// head   what the log is known to have kept.
/// now    seconds since 1970; the chain's times never go back when the clock does.
Result<Sealing> next_seal(Signer& log, const Sealing* previous, const TreeHead& head,
                          std::uint64_t now, Duration lasts);

/// The seals of a log or a part of one, as they are read in it.
class SealChain {
 public:
  enum class Begins : std::uint8_t {
    at_the_first,  ///< The log from its first record.
    anywhere,      ///< A range of it: the seal before its first one is elsewhere.
  };
  explicit SealChain(const Verifier& log, Begins begins) : log_(log), begins_(begins) {}

  /// A record's time; of a seal's own record, after `add`.
  /// errors   the seal in force had ended long before, and none followed.
  [[nodiscard]] Result<void> see(std::uint64_t time_ns);
  /// Returns the seal whose tree the log must have had; nothing when it only says again
  /// which one is in force.
  /// errors   not a seal of this log; not the next one; not signed by the key that the one
  ///          before names.
  [[nodiscard]] Result<std::optional<Seal>> add(std::string_view note);
  /// After records that were not shown: what follows need not follow what was seen.
  void skip() noexcept { is_certain_ = false; }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// How often a chain began; each time but the first, somebody took the signer's memory.
  [[nodiscard]] std::uint64_t chains() const noexcept { return chains_; }

 private:
  const Verifier& log_;
  Begins begins_;
  bool is_certain_ = true;
  Seal last_;
  std::string last_note_;
  std::uint64_t first_late_ns_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t chains_ = 0;
};

/// The trees that a seal may be of: the last commits'.
class RecentHeads {
 public:
  void add(const TreeHead& head) {
    heads_.push_back(head);
    if (heads_.size() > seal_reach_commits) heads_.pop_front();
  }
  /// Of an empty log it is known without looking.
  [[nodiscard]] bool has(const TreeHead& head) const;

 private:
  std::deque<TreeHead> heads_;
};

/// The note of a record that is about a seal; empty for all others.
std::string_view seal_in(const RecordFields& record) noexcept;

/// The seal that a note holds, whoever signed it.
std::optional<Seal> parse_seal(std::string_view note);

}  // namespace sluice::audit
