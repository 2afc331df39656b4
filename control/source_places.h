// Places for what takes long, of which no source may have all.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace sluice::control {

/// Thread-safe.
class SourcePlaces {
 public:
  SourcePlaces(std::size_t places_max, std::size_t per_source_max) noexcept
      : places_max_(places_max), per_source_max_(per_source_max) {}

  /// Taken while it lives; not, where there was none.
  class Place {
   public:
    Place(SourcePlaces& places, const std::string& source)
        : places_(places), source_(source), is_taken_(places.enter(source)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (is_taken_) places_.leave(source_);
    }
    [[nodiscard]] explicit operator bool() const noexcept { return is_taken_; }

   private:
    SourcePlaces& places_;
    std::string source_;
    bool is_taken_;
  };

 private:
  bool enter(const std::string& source) {
    const std::lock_guard lock(mutex_);
    if (taken_ == places_max_) return false;
    std::size_t& own = by_source_[source];
    if (own == per_source_max_) return false;
    ++own;
    ++taken_;
    return true;
  }
  void leave(const std::string& source) {
    const std::lock_guard lock(mutex_);
    --taken_;
    const auto own = by_source_.find(source);
    if (--own->second == 0) by_source_.erase(own);
  }

  const std::size_t places_max_;
  const std::size_t per_source_max_;
  std::mutex mutex_;
  std::size_t taken_ = 0;
  std::map<std::string, std::size_t> by_source_;
};

}  // namespace sluice::control
