#include "recordings/item.h"

#include <array>

#include "audit/cbor.h"

namespace sluice::recordings {
namespace {

using audit::cbor::Major;
using audit::cbor::Reader;
using audit::cbor::Writer;

constexpr std::uint64_t item_members = 4;
constexpr std::string_view format = "sluice-recording1";
constexpr auto last_kind = static_cast<std::uint64_t>(ItemKind::response_body);

}  // namespace

std::size_t encode(const Item& item, ByteSpan out) noexcept {
  Writer writer(out.data());
  writer.array(item_members);
  writer.unsigned_integer(static_cast<std::uint64_t>(item.kind));
  writer.unsigned_integer(static_cast<std::uint64_t>(item.time_ns));
  writer.unsigned_integer(item.operation);
  writer.bytes(item.content);
  return static_cast<std::size_t>(writer.at() - out.data());
}

std::optional<Item> take_item(ByteView& in) noexcept {
  Reader reader(in);
  if (reader.expect(Major::array) != item_members) return std::nullopt;
  const auto kind = reader.unsigned_integer();
  const auto time = reader.unsigned_integer();
  const auto operation = reader.unsigned_integer();
  const auto content = reader.string(Major::bytes);
  if (!kind || *kind == 0 || *kind > last_kind || !time || *time > INT64_MAX || !operation ||
      !content) {
    return std::nullopt;
  }
  in = in.last(reader.left());
  return Item{static_cast<ItemKind>(*kind), static_cast<std::int64_t>(*time), *operation, *content};
}

std::string encode_head(const Subject& subject, std::uint64_t chunk) {
  const std::array<std::string_view, 6> texts{format,           subject.recording,
                                              subject.protocol, subject.listener,
                                              subject.target,   subject.principal};
  std::size_t size = 1 + 2 * audit::cbor::head_bytes_max;
  for (const std::string_view text : texts) size += audit::cbor::head_bytes_max + text.size();
  std::string out(size, '\0');
  auto* const begin = reinterpret_cast<std::uint8_t*>(out.data());
  Writer writer(begin);
  writer.array(texts.size() + 2);
  for (const std::string_view text : texts) writer.bytes(as_bytes(text));
  writer.unsigned_integer(subject.session);
  writer.unsigned_integer(chunk);
  out.resize(static_cast<std::size_t>(writer.at() - begin));
  return out;
}

std::optional<ChunkHead> parse_head(ByteView content) {
  Reader reader(content);
  ChunkHead head;
  Subject& subject = head.subject;
  if (reader.expect(Major::array) != 8) return std::nullopt;
  const auto named = reader.string(Major::bytes);
  if (!named || as_text(*named) != format) return std::nullopt;
  for (std::string* const text : {&subject.recording, &subject.protocol, &subject.listener,
                                  &subject.target, &subject.principal}) {
    const auto found = reader.string(Major::bytes);
    if (!found) return std::nullopt;
    text->assign(as_text(*found));
  }
  const auto session = reader.unsigned_integer();
  const auto chunk = reader.unsigned_integer();
  if (!session || !chunk || !reader.at_end()) return std::nullopt;
  subject.session = *session;
  head.chunk = *chunk;
  return head;
}

}  // namespace sluice::recordings
