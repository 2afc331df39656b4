#include "audit/merkle.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <vector>

#include "base/text_codec.h"

namespace sluice::audit {
namespace {

std::vector<std::uint8_t> leaf_input(std::string_view data) {
  std::vector<std::uint8_t> out(1 + data.size());
  std::copy(data.begin(), data.end(), out.begin() + 1);
  return out;
}

/// RFC 6962 §2.1 word for word: split at the largest power of two below n.
Hash naive_root(std::span<const Hash> leaves) {
  if (leaves.empty()) return sha256({});
  if (leaves.size() == 1) return leaves[0];
  const std::size_t split = std::bit_floor(leaves.size() - 1);
  return sha256_node(1, naive_root(leaves.first(split)), naive_root(leaves.subspan(split)));
}

}  // namespace

TEST_CASE("SHA-256 gives the known answers of FIPS 180-4") {
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("The tree head matches the well-known Certificate Transparency test tree") {
  // The eight leaves and heads that implementations of RFC 6962 share.
  const std::vector<std::string> leaves{"",
                                        "00",
                                        "10",
                                        "2021",
                                        "3031",
                                        "40414243",
                                        "5051525354555657",
                                        "606162636465666768696a6b6c6d6e6f"};
  const std::vector<std::string> heads{
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const auto data = from_hex(leaves[i]);
    REQUIRE(data);
    tree.append(leaf_input(as_text(*data)));
    CHECK(to_hex(tree.root()) == heads[i]);
  }
}

TEST_CASE("The incremental head equals the recursive one, and a frontier restores the tree") {
  std::vector<Hash> leaves;
  Tree tree;
  CHECK(tree.root() == naive_root(leaves));
  for (int i = 0; i < 300; ++i) {
    const auto input = leaf_input("record " + std::to_string(i));
    tree.append(input);
    leaves.push_back(sha256(input));
    REQUIRE(tree.root() == naive_root(leaves));

    Tree restored;
    REQUIRE(Tree::from_frontier(tree.size(), tree.frontier(), restored));
    CHECK(restored.root() == tree.root());
    restored.append_hash(leaves[0]);
    Tree longer = tree;
    longer.append_hash(leaves[0]);
    CHECK(restored.root() == longer.root());
    auto shorter = tree.frontier();
    shorter.pop_back();
    CHECK_FALSE(Tree::from_frontier(tree.size(), shorter, restored));
  }
}

}  // namespace sluice::audit
