// What a simulated client does, decided by the seed: like psql, like a driver, in
// pipelines, or any message after any other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/instant.h"
#include "dataplane/transport/sim_random.h"

namespace sluice::dataplane::postgres_sim {

struct Step {
  enum class Deed : std::uint8_t { send, cancel, cancel_wrongly, vanish, hang_up };
  enum class Awaits : std::uint8_t { nothing, readies, any, copy };

  Deed deed = Deed::send;
  std::string bytes{};
  // Before it: waits for this, or until patience ends.
  Awaits awaits = Awaits::nothing;
  std::size_t readies = 0;
  Duration patience{};
  bool marks = false;         ///< What is awaited from here on, comes after this.
  bool only_in_copy = false;  ///< Left out when the server takes no COPY.
};

enum class Manner : std::uint8_t { simple, extended, pipelined, soup };

struct ScriptOptions {
  Manner manner = Manner::simple;
  std::size_t groups = 10;
  bool cancels = false;
  bool dies = false;
  bool meets_limits = false;       ///< Of rules: rows, bytes and rates.
  bool meets_people = false;       ///< What it asks for may have to wait for them.
  bool keeps_state = true;         ///< What must last longer than a transaction.
  Duration patience = seconds(5);  ///< With answers.
  Duration silence = seconds(20);  ///< After which nothing more is expected.
};

/// `client` makes the tags of its statements its own.
std::vector<Step> random_script(SimRandom& random, std::size_t client,
                                const ScriptOptions& options);

}  // namespace sluice::dataplane::postgres_sim
