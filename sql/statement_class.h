// What kinds of statements there are, as policy names them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::sql {

enum class StatementClass : std::uint8_t {
  select,
  insert,
  update,
  delete_,
  merge,
  truncate,
  copy_in,   ///< COPY … FROM
  copy_out,  ///< COPY … TO
  create,    ///< CREATE TABLE AS and SELECT INTO too.
  alter,     ///< Also RENAME, OWNER TO and the like.
  drop,
  comment,
  grant,
  revoke,
  set,
  reset,
  show,
  begin,
  commit,
  rollback,
  savepoint,  ///< RELEASE and ROLLBACK TO too.
  two_phase,  ///< PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
  prepare,
  execute,
  deallocate,
  declare,
  fetch,  ///< MOVE too.
  close,
  explain,
  call,
  do_,
  listen,
  notify,
  unlisten,
  lock,
  vacuum,
  analyze,
  cluster,
  reindex,
  refresh,
  checkpoint,
  discard,
  load,
  other,
};
inline constexpr std::size_t statement_classes =
    static_cast<std::size_t>(StatementClass::other) + 1;

/// As policy writes it: lower case, underscores.
std::string_view text(StatementClass statement_class) noexcept;
std::optional<StatementClass> statement_class_of(std::string_view text) noexcept;

/// Some of the classes.
class ClassSet {
 public:
  constexpr ClassSet() noexcept = default;
  constexpr void add(StatementClass one) noexcept { bits_ |= bit(one); }
  constexpr void add(ClassSet others) noexcept { bits_ |= others.bits_; }
  [[nodiscard]] constexpr bool has(StatementClass one) const noexcept {
    return (bits_ & bit(one)) != 0;
  }
  [[nodiscard]] constexpr bool has_any(ClassSet of) const noexcept {
    return (bits_ & of.bits_) != 0;
  }
  friend constexpr bool operator==(ClassSet, ClassSet) noexcept = default;

 private:
  static_assert(statement_classes <= 64);
  static constexpr std::uint64_t bit(StatementClass one) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(one);
  }
  std::uint64_t bits_ = 0;
};

}  // namespace sluice::sql
