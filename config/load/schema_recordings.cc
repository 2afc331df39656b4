#include "config/load/schema_recordings.h"

#include <array>

#include "config/load/schema_builder.h"

namespace sluice::config {
namespace {

using namespace schema;

constexpr std::array on_full_words{
    word_for("refuse", OnFull::refuse, "they are refused"),
    word_for("stop", OnFull::stop, "they go on, and the log says that nothing is recorded")};

constexpr Field retention_keep = [] {
  Field field =
      duration<&Retention::keep>("keep", seconds(1), seconds(std::int64_t{100} * 366 * 86'400),
                                 "A recording is removed when its session is over and its last "
                                 "item is older, unless a legal hold needs it.");
  field.is_required = required;
  return field;
}();
constexpr std::array retention_fields{retention_keep};
constexpr Table retention_table{.title = "Retention of recordings",
                                .path = "recordings.retention",
                                .sentence = "Whole recordings go, and the log says which.",
                                .fields = retention_fields,
                                .make = make_owner<Retention>};

constexpr std::array recordings_fields{
    text<&Recordings::directory>("directory", Word::file_path, not_required,
                                 "Where they are kept; not in the log's directory."),
    needed(texts<&Recordings::recipients>(
        "recipients", Word::subject, 16,
        "Who can read them: lines `age1…` that `age-keygen` prints. The gateway cannot.")),
    size<&Recordings::bytes_max>("max_bytes", 1 << 20, std::uint64_t{1} << 50,
                                 "What all of them may take; see `on_full`."),
    choice<&Recordings::on_full>("on_full", on_full_words, not_required,
                                 "What happens to operations that are to be recorded when no "
                                 "more can be."),
    size<&Recordings::chunk_bytes>("chunk", 4 << 10, 64 << 20,
                                   "A chunk is closed and encrypted at about this size."),
    duration<&Recordings::chunk_time>("chunk_time", seconds(1), seconds(3'600),
                                      "And when it was being filled for so long."),
    size<&Recordings::memory_bytes>("memory", 1 << 20, std::uint64_t{64} << 30,
                                    "Chunks being filled, all together; beyond, the longest is "
                                    "closed."),
    size<&Recordings::backlog_bytes>("backlog", 1 << 20, std::uint64_t{1} << 30,
                                     "What is on its way there, per worker; beyond, sessions that "
                                     "are recorded wait."),
    section<&Recordings::retention>("retention", retention_table, not_required,
                                    "How long they are kept; without it until somebody deletes "
                                    "them.")};

}  // namespace

constexpr Table recordings_table{.title = "Recordings",
                                 .path = "recordings",
                                 .sentence =
                                     "What sessions did, for rules with `record: full`. See "
                                     "docs/recordings.md.",
                                 .fields = recordings_fields,
                                 .make = make_owner<Recordings>,
                                 .place = place_in<Recordings>};

}  // namespace sluice::config
