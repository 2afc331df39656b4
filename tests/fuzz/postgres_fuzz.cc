// PostgreSQL's messages, from bytes of anyone's choosing.
//
// The first byte picks what the rest is, the second seeds the splits. Oracles:
// steps do not depend on splits; what the writer can write it writes as it was; a
// row cut in pieces is the row read whole; what the writer wrote decodes to what
// it was given, and it writes nothing else.
#include <algorithm>
#include <array>
#include <optional>

#include "codec_fuzz.h"
#include "parsers/postgres/encryption.h"
#include "postgres_adapters.h"

namespace {

using namespace sluice;
using namespace sluice::testing;
using namespace sluice::postgres;

bool never(const Transcript& /*again*/) {
  return false;
}

void check_side(const PostgresAdapter::Options& options, ByteView input, unsigned seed) {
  check_stream([&] { return PostgresAdapter(options); }, input, seed, never);
}

/// How a connection begins is decided once, and as the packet itself says it.
void check_opening(ByteView input) {
  static GuardedBytes room(fuzz_input_bytes_max);
  Opening decided = Opening::needs_more;
  for (std::size_t size = 0; size <= std::min<std::size_t>(input.size(), 16); ++size) {
    const Opening one = decode_opening(room.hold(input.first(size)));
    if (decided != Opening::needs_more && one != decided) fail_fuzz("another opening");
    decided = one;
  }
  const StartupStep::Kind kind = decode_startup(room.hold(input)).kind;
  if ((decided == Opening::ssl_request) != (kind == StartupStep::Kind::ssl_request) ||
      (decided == Opening::gssenc_request) != (kind == StartupStep::Kind::gssenc_request)) {
    fail_fuzz("the packet is another one");
  }
  if (input.empty()) return;
  const bool is_consent = decode_encryption_answer(input) == EncryptionAnswer::accepted;
  if (is_consent != (as_text(input) == "S")) fail_fuzz("a wrong consent");
}

/// The values of a row that comes in pieces of seeded sizes.
std::string cut_row(ByteView body, unsigned seed) {
  static GuardedBytes room(fuzz_input_bytes_max);
  std::minstd_rand random(seed + 1);
  DataRowCutter cutter;
  cutter.start(static_cast<std::uint32_t>(body.size()));
  std::vector<std::optional<std::string>> values;
  std::size_t arrived = 0;
  for (std::size_t used = 0;;) {
    const RowStep step = cutter.decode(room.hold(body.subspan(used, arrived - used)));
    used += step.size_bytes;
    if (used > arrived) fail_fuzz("used bytes that are not there");
    switch (step.kind) {
      case RowStep::Kind::needs_more:
        if (arrived == body.size()) fail_fuzz("waits for more than the row");
        arrived = std::min(body.size(), used + 1 + random() % 9);
        break;
      case RowStep::Kind::malformed:
        return "malformed " + std::string(text(step.fault));
      case RowStep::Kind::value:
        if (step.is_first) values.emplace_back();
        if (values.size() != step.column + 1U) fail_fuzz("a column out of turn");
        if (!step.value_bytes) break;
        if (step.is_first) values.back().emplace();
        *values.back() += as_text(step.piece);
        if (step.is_last != (values.back()->size() == *step.value_bytes)) fail_fuzz("wrong end");
        break;
      case RowStep::Kind::end: {
        if (used != body.size() || values.size() != cutter.columns()) fail_fuzz("an early end");
        return "DataRow " + describe_list(values, [](const std::optional<std::string>& value) {
                 return value ? quoted(*value) : std::string("null");
               });
      }
    }
  }
}

void check_row(ByteView body, unsigned seed) {
  static GuardedBytes room(fuzz_input_bytes_max);
  const std::string whole = describe(BackendType::data_row, room.hold(body));
  const std::string cut = cut_row(body, seed);
  if (cut != whole) fail_fuzz("a row differs\n" + whole + "\n--" + cut);
}

/// Up to eight texts of the fuzzer's choosing; zero bytes may stand in them.
class Pieces {
 public:
  explicit Pieces(ByteView input) {
    std::string_view rest = as_text(input);
    for (std::string_view& piece : pieces_) {
      const std::size_t end = std::min(rest.find('\xFF'), rest.size());
      piece = rest.substr(0, end);
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
  }
  std::string_view operator[](std::size_t index) const { return pieces_[index]; }
  [[nodiscard]] bool has_zero(std::size_t count) const {
    return std::any_of(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(count),
                       [](std::string_view piece) { return piece.find('\0') != piece.npos; });
  }

 private:
  std::array<std::string_view, 8> pieces_;
};

/// What `write` wrote, as `read` describes it: `wanted`, or nothing at all where
/// there was no room or `is_allowed` says that there must not be anything.
template <class Write, class Read>
void check_written(Write write, Read read, const std::string& wanted, bool is_allowed,
                   std::size_t room_bytes) {
  static GuardedBytes room(2 * fuzz_input_bytes_max);
  static const std::vector<std::uint8_t> blank(2 * fuzz_input_bytes_max);
  const auto attempt = [&](std::size_t bytes) {
    Writer writer(room.hold(ByteView(blank).first(bytes)));
    write(writer);
    if (writer.failed() && !writer.written().empty()) fail_fuzz("half written");
    return writer;
  };
  const Writer roomy = attempt(blank.size());
  if (roomy.failed() == is_allowed) fail_fuzz("wrongly written or refused: " + wanted);
  if (roomy.failed()) return;
  const std::string what = read(roomy.written());
  if (what != wanted) fail_fuzz("written\n" + wanted + "\n--" + what);
  const std::size_t size = roomy.written().size();
  const bool fits = size <= room_bytes;
  if (attempt(room_bytes).failed() == fits) fail_fuzz("no regard for the room");
}

std::string read_message(Side side, ByteView message, Proof proof = Proof::password) {
  const HeaderStep step = decode_header(side, message);
  if (step.kind != HeaderStep::Kind::header) return "no header";
  if (step.header.message_bytes() != message.size()) return "another length";
  const ByteView body = message.subspan(header_bytes);
  return side == Side::frontend ? describe(step.header.frontend(), body, proof)
                                : describe(step.header.backend(), body);
}

void check_report(const Pieces& pieces, std::size_t room_bytes) {
  const ReportText report{pieces[0], pieces[1], pieces[2], pieces[3], pieces[4]};
  std::string wanted = "error report [S" + quoted(pieces[0]) + " V" + quoted(pieces[0]) + " C" +
                       quoted(pieces[1]) + " M" + quoted(pieces[2]);
  if (!pieces[3].empty()) wanted += " D" + quoted(pieces[3]);
  if (!pieces[4].empty()) wanted += " H" + quoted(pieces[4]);
  check_written([&](Writer& writer) { writer.error_response(report); },
                [](ByteView written) { return read_message(Side::backend, written); }, wanted + ']',
                !pieces.has_zero(5), room_bytes);
}

void check_startup(const Pieces& pieces, std::size_t room_bytes) {
  const std::array parameters = {Parameter{"user", pieces[0]}, Parameter{pieces[1], pieces[2]},
                                 Parameter{pieces[3], pieces[4]}};
  const bool is_allowed = !pieces.has_zero(5) && !pieces[0].empty() && !pieces[1].empty() &&
                          !pieces[3].empty() && pieces[1] != "user" && pieces[3] != "user" &&
                          pieces[1] != pieces[3];
  std::string_view database;
  for (const Parameter& parameter : parameters) {
    if (parameter.name == "database") database = parameter.value;
  }
  const std::string wanted = "StartupMessage 3.2 user " + quoted(pieces[0]) + " database " +
                             quoted(database) + ' ' + describe_list(parameters, describe_parameter);
  check_written(
      [&](Writer& writer) {
        writer.startup_message({3, 2}, parameters);
      },
      [](ByteView written) { return describe(decode_startup(written)); }, wanted, is_allowed,
      room_bytes);
}

void check_proofs(const Pieces& pieces, std::size_t room_bytes) {
  const Value data = pieces[1].empty() ? Value{} : Value{as_bytes(pieces[1])};
  check_written(
      [&](Writer& writer) { writer.sasl_initial_response(pieces[0], data); },
      [](ByteView written) { return read_message(Side::frontend, written, Proof::sasl_initial); },
      "SASLInitialResponse " + quoted(pieces[0]) + ' ' + describe(data), !pieces.has_zero(1),
      room_bytes);
  check_written([&](Writer& writer) { writer.query(pieces[0]); },
                [](ByteView written) { return read_message(Side::frontend, written); },
                "Query " + quoted(pieces[0]), !pieces.has_zero(1), room_bytes);
  check_written([&](Writer& writer) { writer.parameter_status(pieces[0], pieces[1]); },
                [](ByteView written) { return read_message(Side::backend, written); },
                "ParameterStatus " + quoted(pieces[0]) + ' ' + quoted(pieces[1]),
                !pieces.has_zero(2), room_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > fuzz_input_bytes_max) return 0;
  const ByteView input(data + 2, size - 2);
  const unsigned seed = data[1];
  PostgresAdapter::Options options;
  options.proof = static_cast<Proof>(data[0] / 8U % 3U);
  switch (data[0] % 8) {
    case 0:
      check_side(options, input, seed);
      break;
    case 1:
      options.begins_with_startup = true;
      check_side(options, input, seed);
      check_opening(input);
      break;
    case 2:
      options.side = Side::backend;
      check_side(options, input, seed);
      break;
    case 3:
      options.side = Side::backend;
      options.cuts_rows = true;
      check_side(options, input, seed);
      break;
    case 4:
      check_row(input, seed);
      break;
    case 5:
      check_report(Pieces(input), seed);
      break;
    case 6:
      check_startup(Pieces(input), seed);
      break;
    default:
      check_proofs(Pieces(input), seed);
      break;
  }
  return 0;
}
