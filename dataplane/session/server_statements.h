// The statements that one connection to a PostgreSQL target holds for the gateway.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fingerprint.h"

namespace sluice::dataplane {

/// What clients prepare under names of their own is prepared here under names of the
/// gateway's, once per text and parameter types. Bounded: what was not used for longest
/// goes. A number is never used twice, so that a statement of this name is the one that
/// was sent, whatever SQL made of names in between.
class ServerStatements {
 public:
  static constexpr std::size_t known_max = 200;
  static constexpr std::string_view name_prefix = "sluice_";

  using Id = std::uint64_t;  ///< 0: none.
  /// key   secret: who could guess a name could prepare something else under it.
  /// seed  differs between connections.
  ServerStatements(const FingerprintKey& key, std::uint64_t seed) noexcept
      : key_(key), seed_(seed) {}

  struct Known {
    Fingerprint print;  ///< Of the text and its parameter types.
    Id id = 0;
    std::uint64_t pipeline = 0;  ///< That used it last.
    bool is_confirmed = false;
  };
  /// Null: it is to be sent. Found, it is used by the current pipeline from now on.
  [[nodiscard]] const Known* use(const Fingerprint& print);
  /// The unnamed statement: each Parse replaces it, and so does each Query.
  [[nodiscard]] bool has_unnamed(const Fingerprint& print) const noexcept;
  Id set_unnamed(const Fingerprint& print);
  void forget_unnamed() noexcept { unnamed_ = {}; }
  /// Sent for an earlier pipeline, and the target has not said yet whether it has it.
  [[nodiscard]] bool is_undecided(const Fingerprint& print) const noexcept;
  /// It is sent now.
  Id add(const Fingerprint& print);
  void confirm(Id id) noexcept;
  /// The target does not have it: it refused it, or skipped it.
  void forget(Id id) noexcept;
  /// One that is to be closed for good, if there is one.
  [[nodiscard]] Id take_unclosed() noexcept;
  /// False: another may be added only when one was evicted.
  [[nodiscard]] bool has_room() const noexcept { return known_.size() < known_max; }
  /// Which is to be closed now; 0 when the current pipeline uses all there are.
  [[nodiscard]] Id evict() noexcept;
  /// The target skipped its Close: it is closed again later.
  void keep_closing(Id id) { unclosed_.push_back(id); }
  /// SQL may have dropped any of them, or put another in its place: none is used again.
  void distrust();
  /// The target dropped all of them.
  void clear() noexcept;

  /// Another pipeline begins: the next Sync decides about what it sends.
  void begin_pipeline() noexcept { ++pipeline_; }

  /// Of no allocation; empty for 0, the unnamed one.
  class Name {
   public:
    Name() noexcept = default;
    explicit Name(Id id) noexcept;
    [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

   private:
    std::array<char, 24> text_{};
    std::size_t size_ = 0;
  };

 private:
  struct Hash {
    std::size_t operator()(const Fingerprint& print) const noexcept { return print[0]; }
  };
  using ByUse = std::list<Known>;

  FingerprintKey key_;
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
  std::uint64_t pipeline_ = 0;
  Id next_id();

  ByUse known_;  ///< Last used, first.
  Known unnamed_;
  std::unordered_map<Fingerprint, ByUse::iterator, Hash> by_print_;
  std::vector<Id> unclosed_;
};

}  // namespace sluice::dataplane
