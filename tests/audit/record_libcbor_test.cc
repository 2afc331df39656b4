// The encoding, read by a decoder that we did not write.
#include <cbor.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "audit/record.h"
#include "audit/record_key.h"
#include "audit/utf8.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

struct ItemFree {
  void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using Item = std::unique_ptr<cbor_item_t, ItemFree>;

std::string text_of(const cbor_item_t* item) {
  if (cbor_isa_string(item)) {
    return {reinterpret_cast<const char*>(cbor_string_handle(item)), cbor_string_length(item)};
  }
  return {reinterpret_cast<const char*>(cbor_bytestring_handle(item)),
          cbor_bytestring_length(item)};
}

std::string random_text(std::mt19937_64& random) {
  std::string out(random() % 40, ' ');
  const bool is_ascii = random() % 3 != 0;
  for (char& c : out) c = static_cast<char>(is_ascii ? 0x20 + random() % 0x5f : random());
  return out;
}

}  // namespace

TEST_CASE("libcbor reads every member of random records as it was given") {
  std::mt19937_64 random(20261121);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::string> texts(17);
    for (auto& text : texts) text = random_text(random);
    std::vector<std::string> names(random() % 5);
    for (auto& name : names) name = random_text(random) + "x";
    const std::vector<std::string_view> groups(names.begin(), names.end());
    std::vector<MaskCount> masks;
    std::vector<Actor> actors;
    for (const auto& name : names) actors.push_back({name, texts[0]});
    for (const auto& name : names) masks.push_back({name, static_cast<std::uint32_t>(random())});

    Record r;
    r.phase = static_cast<Phase>(1 + random() % 4);
    r.time = {{static_cast<std::int64_t>(random() >> (1 + random() % 63))},
              {static_cast<std::int64_t>(random() >> (1 + random() % 63))}};
    r.session = random() >> (random() % 64);
    r.bytes_in = random() % 3 == 0 ? 0 : random() >> (random() % 64);
    r.groups = groups;
    r.masks = masks;
    r.delegation = actors;
    const std::vector<std::pair<Key, std::string_view*>> members{
        {Key::subject, &r.subject},   {Key::issuer, &r.issuer},
        {Key::proof, &r.proof},       {Key::credential, &r.credential_id},
        {Key::peer, &r.peer},         {Key::listener, &r.listener},
        {Key::target, &r.target},     {Key::protocol, &r.protocol},
        {Key::verb, &r.verb},         {Key::resource, &r.resource},
        {Key::host, &r.host},         {Key::rule, &r.rule},
        {Key::reason, &r.reason},     {Key::result, &r.result},
        {Key::upstream, &r.upstream}, {Key::event, &r.event},
        {Key::detail, &r.detail}};
    for (std::size_t i = 0; i < members.size(); ++i) *members[i].second = texts[i];

    std::vector<std::uint8_t> bytes(encoded_bytes_max(r));
    const Stamp stamp{{1, 2, 3}, random(), random() >> 20U, static_cast<std::uint32_t>(random())};
    bytes.resize(encode(r, stamp, bytes));

    cbor_load_result result{};
    const Item map(cbor_load(bytes.data(), bytes.size(), &result));
    REQUIRE(map);
    CHECK(result.read == bytes.size());
    REQUIRE(cbor_isa_map(map.get()));
    CHECK(cbor_map_is_definite(map.get()));

    std::uint64_t previous = 0;
    std::size_t texts_seen = 0;
    for (std::size_t i = 0; i < cbor_map_size(map.get()); ++i) {
      const cbor_pair& pair = cbor_map_handle(map.get())[i];
      REQUIRE(cbor_isa_uint(pair.key));
      const std::uint64_t key = cbor_get_int(pair.key);
      CHECK(key > previous);
      previous = key;
      if (key == static_cast<std::uint64_t>(Key::epoch))
        CHECK(cbor_get_int(pair.value) == stamp.epoch);
      if (key == static_cast<std::uint64_t>(Key::session))
        CHECK(cbor_get_int(pair.value) == r.session);
      if (key == static_cast<std::uint64_t>(Key::bytes_in))
        CHECK(cbor_get_int(pair.value) == r.bytes_in);
      if (key == static_cast<std::uint64_t>(Key::time)) {
        CHECK(cbor_get_int(pair.value) == static_cast<std::uint64_t>(r.time.wall.ns));
      }
      if (key == static_cast<std::uint64_t>(Key::masks)) {
        REQUIRE(cbor_array_size(pair.value) == masks.size());
        for (std::size_t m = 0; m < masks.size(); ++m) {
          cbor_item_t** mask = cbor_array_handle(cbor_array_handle(pair.value)[m]);
          CHECK(text_of(mask[0]) == masks[m].rule);
          CHECK(cbor_get_int(mask[1]) == masks[m].count);
        }
      }
      if (key == static_cast<std::uint64_t>(Key::delegation)) {
        REQUIRE(cbor_array_size(pair.value) == actors.size());
        for (std::size_t a = 0; a < actors.size(); ++a) {
          cbor_item_t** actor = cbor_array_handle(cbor_array_handle(pair.value)[a]);
          CHECK(text_of(actor[0]) == actors[a].subject);
          CHECK(text_of(actor[1]) == actors[a].issuer);
        }
      }
      for (const auto& [member, text] : members) {
        if (key != static_cast<std::uint64_t>(member)) continue;
        CHECK(text_of(pair.value) == *text);
        CHECK(cbor_isa_string(pair.value) == is_utf8(*text));
        ++texts_seen;
      }
    }
    const auto given =
        std::count_if(texts.begin(), texts.end(), [](const auto& t) { return !t.empty(); });
    CHECK(texts_seen == static_cast<std::size_t>(given));
  }
}

}  // namespace sluice::audit
