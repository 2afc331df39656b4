// Verbs of recordings.
#include "cli/arguments/tree.h"

namespace sluice::cli {
namespace {

void add_replay(Tree& tree) {
  auto [made, replay] = add_verb<ReplayOptions>(
      tree, tree.app, "replay", "Show what a recorded session did, to who can decrypt it",
      "  sluice replay 4be3f0c1d2a59687-3-1 --identity file:auditor.key\n"
      "  sluice replay 4be3f0c1d2a59687-3-1 --identity auditor.key --at 10m --speed 4\n"
      "  sluice replay 4be3f0c1d2a59687-3-1 --identity auditor.key --directory ./recordings "
      "\\\n      --search customers --json\n"
      "  sluice replay 4be3f0c1d2a59687-3-1 --identity auditor.key "
      "\\\n      --gateway https://gw1.example.com:9443 --at 10m\n"
      "  sluice replay 4be3f0c1d2a59687-3-1 --identity auditor.key --asciicast > session.cast");
  made.add_option("recording", replay.recording, "The recording, as audit records name it")
      ->required();
  made.add_option("--identity", replay.identity,
                  "A file with the secret key, as age-keygen makes it")
      ->type_name(file_value)
      ->required();
  add_gateway(made, replay.gateway);
  made.add_option("--directory", replay.directory,
                  "Folder of recordings, instead of the configuration's")
      ->type_name(folder_value)
      ->excludes("--socket")
      ->excludes("--gateway");
  made.add_option("--at", replay.at,
                  "From this time on: RFC 3339, or how long after the beginning, e.g. 10m");
  made.add_option("--speed", replay.speed, "So many times as fast as it was; 0: at once")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  made.add_option("--search", replay.search, "Only what holds this text, and what it belongs to");
  add_json(made, replay.json);
  made.add_flag("--asciicast", replay.asciicast, "Print an asciicast v2, for asciinema's players")
      ->excludes("--speed")
      ->excludes("--json");
}

void add_delete_recording(Tree& tree) {
  auto [made, delete_recording] = add_verb<DeleteRecordingOptions>(
      tree, tree.app, "delete-recording", "Remove a recording; the log says who, and why",
      "  sluice delete-recording 4be3f0c1d2a59687-3-1 --reason 'request 88'\n"
      "  sluice delete-recording 4be3f0c1d2a59687-3-1 --reason 'request 88' --json");
  add_gateway(made, delete_recording.gateway);
  made.add_option("recording", delete_recording.recording,
                  "Its name, as `recording` in records of the log")
      ->required();
  made.add_option("--reason", delete_recording.reason, "Why, for the log; one line")->required();
  add_json(made, delete_recording.json);
}

}  // namespace

void add_recording_verbs(Tree& tree) {
  add_replay(tree);
  add_delete_recording(tree);
}

}  // namespace sluice::cli
