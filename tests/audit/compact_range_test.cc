// Whatever is left out on both sides, the tree stays the same.
#include "audit/compact_range.h"

#include <catch2/catch.hpp>

#include "audit/merkle.h"

namespace sluice::audit {
namespace {

Hash leaf(std::uint64_t index) {
  return leaf_hash(as_bytes(std::to_string(index)));
}

CompactRange range(std::uint64_t begin, std::uint64_t end) {
  CompactRange out(begin);
  for (std::uint64_t i = begin; i < end; ++i) out.append_leaf(leaf(i));
  return out;
}

TEST_CASE("A range and what stands for both of its sides make the tree's root") {
  audit::Tree tree;
  for (std::uint64_t size = 0; size <= 40; ++size) {
    CHECK(range(0, size).root() == tree.root());
    for (std::uint64_t begin = 0; begin <= size; ++begin) {
      for (std::uint64_t end = begin; end <= size; ++end) {
        CompactRange all(0);
        bool fits = all.append_range(begin, range(0, begin).hashes());
        for (std::uint64_t i = begin; i < end; ++i) all.append_leaf(leaf(i));
        fits = fits && all.append_range(size, range(end, size).hashes());
        if (!fits || all.root() != tree.root()) FAIL(begin << ", " << end << ", " << size);
      }
    }
    tree.append_hash(leaf(size));
  }
}

TEST_CASE("Hashes that do not fit a range are refused") {
  auto hashes = range(5, 40).hashes();
  CompactRange all(5);
  SECTION("one too many") {
    hashes.push_back(hashes.front());
    CHECK_FALSE(all.append_range(40, hashes));
  }
  SECTION("one too few") {
    hashes.pop_back();
    CHECK_FALSE(all.append_range(40, hashes));
  }
  SECTION("a range that ends before it begins") {
    CHECK_FALSE(all.append_range(4, {}));
  }
  SECTION("all of them fit") {
    CHECK(all.append_range(40, hashes));
  }
}

TEST_CASE("A range of 2^63 leaves and more is no trouble") {
  const std::uint64_t end = ~std::uint64_t{0};
  const std::vector<Hash> hashes(64, leaf(0));
  CompactRange all(0);
  CHECK(all.append_range(end, hashes));
  CHECK(all.end() == end);
}

}  // namespace
}  // namespace sluice::audit
