// What names stand for, where most clients use the empty name again and again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::dataplane {

/// The empty name has a place of its own, so that setting it allocates nothing.
template <class Meaning>
class NameTable {
 public:
  /// Null: the name stands for nothing. Holds until the name is set or erased.
  [[nodiscard]] Meaning* find(std::string_view name) {
    if (name.empty()) return unnamed_ ? &*unnamed_ : nullptr;
    const auto found = named_.find(name);
    return found == named_.end() ? nullptr : &found->second;
  }
  void set(std::string name, Meaning meaning) {
    if (name.empty()) {
      unnamed_ = std::move(meaning);
    } else {
      named_.insert_or_assign(std::move(name), std::move(meaning));
    }
  }
  void erase(std::string_view name) {
    if (name.empty()) return unnamed_.reset();
    if (const auto found = named_.find(name); found != named_.end()) named_.erase(found);
  }
  void clear() {
    unnamed_.reset();
    named_.clear();
  }
  [[nodiscard]] std::size_t size() const noexcept { return named_.size() + (unnamed_ ? 1 : 0); }

 private:
  std::optional<Meaning> unnamed_;
  std::map<std::string, Meaning, std::less<>> named_;
};

}  // namespace sluice::dataplane
