// Lists inside a message: checked once as a whole, read again as they are walked over.
#pragma once

#include <cstddef>
#include <iterator>

#include "parsers/postgres/reader.h"

namespace sluice::postgres {

/// `Item`s that lie behind one another, each cut by `read`. For range-for.
///
/// item_bytes_min   what the shortest takes: a count that cannot fit is refused
///                  before anything walks that far.
template <class Item, Item (*read)(Reader&) noexcept, std::size_t item_bytes_min>
class Sequence {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = const Item*;
    using reference = const Item&;

    Iterator(ByteView bytes, std::size_t left) noexcept : reader_(bytes), left_(left) {
      if (left_ > 0) item_ = read(reader_);
    }
    const Item& operator*() const noexcept { return item_; }
    const Item* operator->() const noexcept { return &item_; }
    Iterator& operator++() noexcept {
      if (--left_ > 0) item_ = read(reader_);
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.left_ == b.left_;
    }

   private:
    Reader reader_;
    std::size_t left_;
    Item item_{};
  };

  Sequence() = default;

  /// `count` items from `reader`, all of them checked.
  static Sequence take(Reader& reader, std::size_t count) noexcept {
    if (count > reader.left() / item_bytes_min) reader.refuse(Fault::bad_count);
    return take_while(reader, [&count](Reader&) { return count-- > 0; });
  }

  /// Items from `reader` up to a zero byte, which is taken off too.
  static Sequence take_until_zero(Reader& reader) noexcept {
    return take_while(reader, [](Reader& at) {
      Reader ahead = at;
      if (ahead.u8() != 0) return true;
      at = ahead;
      return false;
    });
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// The items as they stand in the message: without their count, with the zero byte
  /// that ends those of take_until_zero.
  [[nodiscard]] ByteView bytes() const noexcept { return items_; }
  [[nodiscard]] Iterator begin() const noexcept { return {items_, size_}; }
  [[nodiscard]] Iterator end() const noexcept { return {{}, 0}; }

 private:
  template <class GoesOn>
  static Sequence take_while(Reader& reader, GoesOn goes_on) noexcept {
    Sequence out;
    Reader walk = reader;
    while (goes_on(walk) && walk.fault() == Fault::none) {
      read(walk);
      ++out.size_;
    }
    out.items_ = reader.bytes(reader.left() - walk.left());
    if (walk.fault() != Fault::none) reader.refuse(walk.fault());
    return out;
  }

  ByteView items_;
  std::size_t size_ = 0;
};

inline std::string_view read_text(Reader& reader) noexcept {
  return reader.text();
}
inline Oid read_oid(Reader& reader) noexcept {
  return reader.u32();
}
inline Value read_value(Reader& reader) noexcept {
  return reader.value();
}
inline Format read_format(Reader& reader) noexcept {
  return reader.format();
}

using Texts = Sequence<std::string_view, read_text, 1>;
using Oids = Sequence<Oid, read_oid, 4>;
using Values = Sequence<Value, read_value, 4>;

/// Format codes as Bind has them: none (all text), one for all, or one for each.
class Formats {
 public:
  static Formats take(Reader& reader) noexcept;

  /// How many codes the message holds.
  [[nodiscard]] std::size_t size() const noexcept { return codes_.size() / 2; }
  /// The codes as they stand in the message, without their count.
  [[nodiscard]] ByteView bytes() const noexcept { return codes_; }
  /// What goes for item `index`; text beyond the last of several codes.
  [[nodiscard]] Format of(std::size_t index) const noexcept;

 private:
  ByteView codes_;
};

}  // namespace sluice::postgres
