// A proof of consistency is accepted for what it proves, and for nothing else.
#include "audit/consistency.h"

#include <catch2/catch.hpp>

#include "audit/compact_range.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

/// A log of several small segments, and its root at each size.
struct Grown : LogFolder {
  Grown() {
    options.segment_bytes = std::size_t{4} << 10;
    {
      const auto log = open();
      for (std::uint64_t i = 1; i <= 40; ++i) {
        const auto sequence = log->worker(0).append_single(sample_intent(i));
        log->worker(0).request_flush();
        while (log->worker(0).durable_through() < *sequence) {
        }
      }
    }
    CompactRange tree(0);
    roots.push_back(tree.root());
    REQUIRE(read_records(options.directory, 0, [&](std::uint64_t, ByteView record) {
      tree.append_leaf(leaf_hash(record));
      roots.push_back(tree.root());
      return true;
    }));
  }
  [[nodiscard]] TreeHead head(std::uint64_t size) const { return {size, roots[size]}; }
  [[nodiscard]] std::uint64_t size() const { return roots.size() - 1; }

  std::vector<Hash> roots;
};

}  // namespace

TEST_CASE_METHOD(Grown, "Each size of a log is proved to continue each smaller one") {
  for (std::uint64_t now = 0; now <= size(); ++now) {
    for (std::uint64_t before = 0; before <= now; ++before) {
      const auto proof = prove_consistency(options.directory, before, now);
      REQUIRE(proof);
      REQUIRE(proof->root_before == roots[before]);
      REQUIRE(is_consistent(head(before), head(now), proof->hashes));
    }
  }
}

TEST_CASE_METHOD(Grown, "What a proof does not prove is refused") {
  for (std::uint64_t now = 2; now <= size(); now += 3) {
    for (std::uint64_t before = 1; before < now; ++before) {
      const auto good = prove_consistency(options.directory, before, now)->hashes;
      INFO(before << " to " << now);
      TreeHead other = head(before);
      other.root[7] ^= 1U;
      REQUIRE_FALSE(is_consistent(other, head(now), good));
      other = head(now);
      other.root[31] ^= 1U;
      REQUIRE_FALSE(is_consistent(head(before), other, good));
      REQUIRE_FALSE(is_consistent(head(before - 1), head(now), good));
      REQUIRE_FALSE(is_consistent(head(now), head(before), good));
      for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i][0] ^= 1U;
        REQUIRE_FALSE(is_consistent(head(before), head(now), bad));
        bad = good;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
        REQUIRE_FALSE(is_consistent(head(before), head(now), bad));
      }
      auto longer = good;
      longer.push_back(roots[1]);
      REQUIRE_FALSE(is_consistent(head(before), head(now), longer));
      REQUIRE_FALSE(is_consistent(head(before), head(now), {}));
    }
  }
}

TEST_CASE_METHOD(Grown, "A log that is shorter than asked for proves nothing") {
  CHECK_FALSE(prove_consistency(options.directory, 3, size() + 1));
  CHECK_FALSE(prove_consistency(options.directory, size() + 1, size() + 2));
}

TEST_CASE_METHOD(Grown, "Equal sizes need equal roots and no proof") {
  CHECK(is_consistent(head(5), head(5), {}));
  CHECK_FALSE(is_consistent(head(5), {5, roots[6]}, {}));
  const std::vector<Hash> one{roots[1]};
  CHECK_FALSE(is_consistent(head(5), head(5), one));
  CHECK(is_consistent(head(0), head(9), {}));
  CHECK_FALSE(is_consistent(head(0), head(9), one));
  CHECK_FALSE(is_consistent({0, roots[1]}, head(9), {}));
}

TEST_CASE_METHOD(Grown, "What a tree grew by proves the same as the log") {
  std::vector<std::vector<std::uint8_t>> leaves;
  REQUIRE(read_records(options.directory, 0, [&](std::uint64_t, ByteView record) {
    leaves.emplace_back(1, std::uint8_t{0})
        .insert(leaves.back().end(), record.begin(), record.end());
    return true;
  }));
  Tree before;
  for (std::uint64_t from = 0; from <= size(); ++from) {
    Tree tree = before;
    TreeGrowth growth(tree);
    for (std::uint64_t now = from;; ++now) {
      REQUIRE(TreeHead::of(tree) == head(now));
      REQUIRE(growth.before() == head(from));
      REQUIRE(growth.proof(tree) == prove_consistency(options.directory, from, now)->hashes);
      if (now == size()) break;
      growth.append(tree, leaves[now]);
    }
    if (from < size()) before.append(leaves[from]);
  }
}

TEST_CASE("A proof over many leaves is as short as its tree is high") {
  Tree tree;
  std::vector<std::uint8_t> leaf(9);
  const auto append = [&leaf](auto&& to, std::uint64_t i) {
    std::memcpy(leaf.data() + 1, &i, sizeof i);
    to(leaf);
  };
  for (std::uint64_t i = 0; i < 1'000'001; ++i) append([&](ByteView l) { tree.append(l); }, i);
  TreeGrowth growth(tree);
  const TreeHead before = TreeHead::of(tree);
  for (std::uint64_t i = 0; i < 777'777; ++i)
    append([&](ByteView l) { growth.append(tree, l); }, i);
  const auto proof = growth.proof(tree);
  CHECK(proof.size() <= 22);
  CHECK(is_consistent(before, TreeHead::of(tree), proof));
}

}  // namespace sluice::audit
