#include <catch2/catch.hpp>

#include "recordings/chunk_note.h"
#include "recordings/folder.h"

namespace sluice::recordings {

TEST_CASE("What the log says of a chunk reads back, and only that") {
  ChunkNote note{2, 1'048'576, {}, {}, {1'790'000'000'000'000'001}, {1'790'000'001'000'000'000}};
  note.sha256.fill(0xab);
  note.before.fill(0x01);
  const std::string text = text_of(note);
  CHECK(text.starts_with("chunk 2, 1048576 bytes, SHA-256 abab"));
  CHECK(parse_chunk_note(text) == note);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(parse_chunk_note(text.substr(0, size)));
  }
  CHECK_FALSE(parse_chunk_note(text + " "));
  CHECK_FALSE(parse_chunk_note("chunk 02" + text.substr(7)));
}

TEST_CASE("An end says how many chunks there are, and perhaps why") {
  EndNote note{3, {}};
  note.last.fill(0xcd);
  for (const std::string why : {"", "the gateway was killed"}) {
    const auto back = parse_end_note(text_of(note, why));
    REQUIRE(back);
    CHECK(back->chunks == 3);
    CHECK(back->last == note.last);
  }
  CHECK_FALSE(parse_end_note("3 chunks"));
  CHECK_FALSE(parse_end_note(text_of(note) + "."));
}

TEST_CASE("A removal says what there was, and why") {
  const RemovalNote note{3, 4'096, {1'790'000'000'000'000'001}, {1'790'000'001'000'000'000}};
  const std::string text = text_of(note, "by user 7: request 88; urgent");
  CHECK(text.starts_with("3 chunks, 4096 bytes, from 20"));
  CHECK(parse_removal_note(text) == note);
  for (std::size_t size = 0; size < text.find("; ") + 2; ++size) {
    CHECK_FALSE(parse_removal_note(text.substr(0, size)));
  }
  CHECK_FALSE(parse_removal_note("03" + text.substr(1)));
}

TEST_CASE("Names of recordings and chunks are what they are made as, and never a path") {
  const std::string name = recording_name(0x4be3f0c1d2a59687, 281474976710659, 1);
  CHECK(name == "4be3f0c1d2a59687-281474976710659-1");
  CHECK(is_recording_name(name));
  CHECK(session_of(name) == 281474976710659);
  for (const char* bad :
       {"", "..", "4be3f0c1d2a59687", "4be3f0c1d2a59687-1", "4BE3F0C1D2A59687-1-1",
        "4be3f0c1d2a59687-1-1/..", "4be3f0c1d2a59687-1-1.open", "../x-1-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_recording_name(bad));
  }
  const ChunkFile chunk{1, {1'790'000'000'000'000'001}, {1'790'000'001'000'000'000}};
  CHECK(chunk_name(chunk) == "00000001-1790000000000000001-1790000001000000000.age");
  const auto back = parse_chunk_name(chunk_name(chunk));
  REQUIRE(back);
  CHECK(back->chunk == 1);
  CHECK(back->first == chunk.first);
  CHECK(back->last == chunk.last);
  CHECK_FALSE(parse_chunk_name("1-1790000000000000001-1790000001000000000.age"));
  CHECK_FALSE(parse_chunk_name(chunk_name(chunk) + ".part"));
}

}  // namespace sluice::recordings
