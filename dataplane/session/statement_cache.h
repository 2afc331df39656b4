// What a worker remembers of SQL texts, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fingerprint.h"
#include "config/model/policy.h"

namespace sluice::dataplane {

class SnapshotView;
struct StatementInfo;

/// One text, or all texts of one shape.
struct KnownStatement {
  std::shared_ptr<const StatementInfo> info;
  // The last ruling on it, and for whom.
  const SnapshotView* view = nullptr;
  std::size_t listener = 0;
  /// Held, so that no other principal's view comes to lie where it lay.
  std::shared_ptr<const config::PrincipalView> principal = {};
  std::uint64_t search_path = 0;
  config::Ruling ruling = {};
  // For records, by the last snapshot that asked.
  const SnapshotView* recorded_view = nullptr;
  std::string record_text = {};
  // Of the cache.
  Fingerprint print{};
  std::size_t bytes = 0;
  std::uint8_t uses = 0;  ///< Some of those since the hand came by.
};

/// Texts that come again outlast those that came once, so that nobody displaces them by
/// sending ever new ones. Fingerprints are keyed: nobody can aim at an entry.
class StatementCache {
 public:
  static constexpr std::size_t statements_max = 8192;
  static constexpr std::size_t texts_max = 1024;
  /// Of what is known of all statements together, and of one.
  static constexpr std::size_t bytes_max = std::size_t{32} << 20;
  static constexpr std::size_t statement_bytes_max = std::size_t{1} << 20;

  /// A text that came lately, byte by byte as it was: it needs no lexer.
  struct Text {
    Fingerprint exact{};
    KnownStatement* known = nullptr;
    Fingerprint print{};  ///< Its; another one: it has made room.
    bool was_used = false;
    // Where no pattern was found in it: the last ones that looked.
    const SnapshotView* plain_view = nullptr;
    std::size_t plain_listener = 0;
  };

  StatementCache() : texts_(texts_max) {}

  /// Null: not remembered. Lives until the next put().
  [[nodiscard]] Text* find_text(const Fingerprint& exact) noexcept;
  /// Null: not remembered. Lives until the next put().
  [[nodiscard]] KnownStatement* find(const Fingerprint& print) noexcept;
  /// What is too large to be remembered lives until the next put() all the same.
  KnownStatement& put(const Fingerprint& print, std::shared_ptr<const StatementInfo> info);
  /// Not where a text is that came again.
  void put_text(const Fingerprint& exact, KnownStatement& known) noexcept;

  void forget(const SnapshotView& view) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Hash {
    std::size_t operator()(const Fingerprint& print) const noexcept { return print[0]; }
  };
  static constexpr std::uint8_t uses_max = 3;

  static void note_use(KnownStatement& known) noexcept {
    if (known.uses < uses_max) ++known.uses;
  }
  [[nodiscard]] Text& place_of(const Fingerprint& exact) noexcept {
    return texts_[exact[0] % texts_max];
  }
  void make_room(std::size_t bytes);
  void drop(KnownStatement& known);

  std::deque<KnownStatement> statements_;  ///< Never moved.
  std::vector<KnownStatement*> free_;
  std::unordered_map<Fingerprint, KnownStatement*, Hash> index_;
  std::vector<Text> texts_;
  KnownStatement too_large_;
  std::size_t hand_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sluice::dataplane
