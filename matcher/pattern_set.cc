#include "matcher/pattern_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "matcher/compiled_program.h"
#include "matcher/encoding.h"
#include "matcher/scratch_state.h"

namespace sluice::matcher {

struct PatternSet::Compiled {
  Database database;
  std::size_t size = 0;
};

namespace {

/// How often a body is decoded: once, and again what that brings forth, as JSON may
/// lie within a form or a JSON string.
constexpr std::size_t decodings_max = 4;

struct CompileErrorDeleter {
  void operator()(hs_compile_error_t* error) const noexcept { hs_free_compile_error(error); }
};

int on_hit(unsigned pattern, unsigned long long, unsigned long long, unsigned,
           void* context) noexcept {
  // Each pattern reports once a scan, so what prepare reserved is enough.
  static_cast<std::vector<std::uint32_t>*>(context)->push_back(pattern);
  return 0;
}

void scan_into(const hs_database_t* database, ByteView subject, Scratch::State& state) noexcept {
  // An empty subject may have no address, which the scanner refuses.
  static constexpr std::array<char, readable_tail_bytes> nothing{};
  const char* bytes =
      subject.empty() ? nothing.data() : reinterpret_cast<const char*>(subject.data());
  const auto status = hs_scan(database, bytes, static_cast<unsigned>(subject.size()), 0,
                              state.scanner.get(), &on_hit, &state.pattern_hits);
  ASSERT(status == HS_SUCCESS);
}

Hits ascending_hits(Scratch::State& state) noexcept {
  auto& hits = state.pattern_hits;
  std::sort(hits.begin(), hits.end());
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
  return hits;
}

/// What may be decoded next in a body of this kind: a form's own escapes, then those
/// of JSON within it. Nothing when there are none.
std::optional<Encoding> escapes_of(ByteView body, BodyKind kind, bool is_first) noexcept {
  const auto has = [body](std::string_view escapes) {
    return as_text(body).find_first_of(escapes) != std::string_view::npos;
  };
  if (kind == BodyKind::form && is_first && has("%+")) return Encoding::form_value;
  if (kind != BodyKind::text && has("\\")) return Encoding::json_string;
  return std::nullopt;
}

}  // namespace

PatternSet::PatternSet(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
PatternSet::~PatternSet() = default;

Result<std::shared_ptr<const PatternSet>> PatternSet::compile(std::span<const Pattern> patterns) {
  auto compiled = std::make_unique<Compiled>();
  compiled->size = patterns.size();
  std::vector<const char*> expressions;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
  for (const Pattern& pattern : patterns) {
    expressions.push_back(pattern.expression.c_str());
    flags.push_back(HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY |
                    (pattern.ignores_case ? unsigned{HS_FLAG_CASELESS} : 0U));
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  if (!patterns.empty()) {
    hs_database_t* database = nullptr;
    hs_compile_error_t* raw_error = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                         static_cast<unsigned>(ids.size()), HS_MODE_BLOCK, nullptr, &database,
                         &raw_error) != HS_SUCCESS) {
      const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> error(raw_error);
      if (error->expression < 0) return fail(fmt::format("the patterns: {}", error->message));
      const Pattern& pattern = patterns[static_cast<std::size_t>(error->expression)];
      return fail(fmt::format("pattern of \"{}\", \"{}\": {}", pattern.name, pattern.expression,
                              error->message));
    }
    compiled->database.reset(database);
  }
  return std::shared_ptr<const PatternSet>(new PatternSet(std::move(compiled)));
}

std::size_t PatternSet::size() const noexcept {
  return compiled_->size;
}

Hits PatternSet::scan(ByteView subject, Scratch& scratch) const noexcept {
  Scratch::State& state = scratch.state();
  state.pattern_hits.clear();
  if (compiled_->database == nullptr) return {};
  scan_into(compiled_->database.get(), subject, state);
  return ascending_hits(state);
}

Hits PatternSet::scan_body(std::span<const ByteView> pieces, BodyKind kind,
                           Scratch& scratch) const noexcept {
  Scratch::State& state = scratch.state();
  state.pattern_hits.clear();
  if (compiled_->database == nullptr) return {};
  ByteView body;
  if (pieces.size() == 1) {
    body = pieces.front();
  } else {
    std::size_t size = 0;
    for (const ByteView piece : pieces) {
      ASSERT(piece.size() <= inspected_body_bytes_max - size);
      std::copy(piece.begin(), piece.end(), state.body.get() + size);
      size += piece.size();
    }
    body = {state.body.get(), size};
  }
  scan_into(compiled_->database.get(), body, state);
  ASSERT(body.size() <= inspected_body_bytes_max);
  for (std::size_t n = 0; n < decodings_max; ++n) {
    const auto encoding = escapes_of(body, kind, n == 0);
    if (!encoding) break;
    // Decoding never grows a text, so it may overwrite what it reads.
    const std::size_t size = decode_loosely(*encoding, body, state.body.get());
    const bool is_done = *encoding == Encoding::json_string && size == body.size();
    if (is_done) break;  // No backslash began an escape.
    body = {state.body.get(), size};
    scan_into(compiled_->database.get(), body, state);
  }
  return ascending_hits(state);
}

Result<void> Scratch::prepare(const PatternSet& patterns) {
  if (patterns.size() == 0) return {};
  if (auto ready = state_->prepare_for(patterns.compiled().database.get()); !ready) return ready;
  // A body is scanned again after each decoding, and each pattern may report each time.
  state_->pattern_hits.reserve((1 + decodings_max) * patterns.size());
  // Not cleared, so that only bodies that come touch it.
  if (state_->body == nullptr) {
    state_->body = std::make_unique_for_overwrite<std::uint8_t[]>(inspected_body_bytes_max +
                                                                  readable_tail_bytes);
  }
  return {};
}

}  // namespace sluice::matcher
