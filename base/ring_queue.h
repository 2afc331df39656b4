// A queue that allocates only to grow: what is popped leaves its place to what comes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace sluice {

/// First in, first out. References hold until the next push.
/// T  may be made of nothing, and moved. What is popped gives back what it holds.
template <class T>
class RingQueue {
  template <class Queue, class Element>
  class Position {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = Element*;
    using reference = Element&;

    Position() = default;
    Position(Queue* queue, std::size_t index) : queue_(queue), index_(index) {}

    reference operator*() const { return (*queue_)[index_]; }
    pointer operator->() const { return &(*queue_)[index_]; }
    Position& operator++() {
      ++index_;
      return *this;
    }
    Position operator++(int) { return std::exchange(*this, {queue_, index_ + 1}); }
    Position& operator--() {
      --index_;
      return *this;
    }
    Position operator--(int) { return std::exchange(*this, {queue_, index_ - 1}); }
    bool operator==(const Position& other) const { return index_ == other.index_; }

   private:
    Queue* queue_ = nullptr;
    std::size_t index_ = 0;
  };

 public:
  using iterator = Position<RingQueue, T>;
  using const_iterator = Position<const RingQueue, const T>;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// index  from the front.
  [[nodiscard]] T& operator[](std::size_t index) { return places_[place_of(index)]; }
  [[nodiscard]] const T& operator[](std::size_t index) const { return places_[place_of(index)]; }
  [[nodiscard]] T& front() { return (*this)[0]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }
  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }

  T& push_back(T element) {
    if (size_ == places_.size()) grow();
    ++size_;
    return back() = std::move(element);
  }
  void pop_front() {
    front() = T();
    first_ = (first_ + 1) & (places_.size() - 1);
    --size_;
    if (size_ == 0 && places_.size() > places_kept) places_.clear(), places_.shrink_to_fit();
  }
  void clear() {
    while (!empty()) pop_front();
  }

  [[nodiscard]] iterator begin() { return {this, 0}; }
  [[nodiscard]] iterator end() { return {this, size_}; }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, size_}; }
  [[nodiscard]] auto rbegin() { return std::reverse_iterator(end()); }
  [[nodiscard]] auto rend() { return std::reverse_iterator(begin()); }

 private:
  static constexpr std::size_t places_at_first = 8;  ///< A power of two, as all that follow.
  static constexpr std::size_t places_kept = 64;     ///< While it is empty.

  [[nodiscard]] std::size_t place_of(std::size_t index) const noexcept {
    ASSERT(index < size_);
    return (first_ + index) & (places_.size() - 1);
  }
  void grow() {
    std::vector<T> wider(std::max(places_at_first, 2 * size_));
    std::move(begin(), end(), wider.begin());
    places_ = std::move(wider);
    first_ = 0;
  }

  std::vector<T> places_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace sluice
