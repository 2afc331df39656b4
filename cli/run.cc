// sluice run: the gateway, until a signal drains it.
#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/signer.h"
#include "cli/verbs.h"
#include "control/signals.h"

namespace sluice::cli {
namespace {

/// How often the keys file is looked at, a drain's progress, and whether a heartbeat is due.
constexpr Duration look_every = milliseconds(250);

void reload(Service& service) {
  const auto generation = service.reload();
  if (generation) {
    fmt::print(stderr, "sluice: reloaded; configuration {} is in force\n", *generation);
  } else {
    fmt::print(stderr, "sluice: reload refused; the configuration in force stays\n{}\n",
               generation.error().message);
  }
}

}  // namespace

ExitCode perform(const RunOptions& options) {
  const control::Signals signals;  // before any thread is started
  const auto settings = read_settings(options.configuration);
  if (!settings) return complain("run", settings.error().message, ExitCode::bad_configuration);
  // Before there is anything that it could share.
  auto signer = start_signer(*settings);
  if (!signer) return complain("run", signer.error().message, ExitCode::failed);
  const auto snapshot = make_snapshot(*settings, (*signer)->derived_keys().mocks, 1);
  if (!snapshot) return complain("run", snapshot.error().message, ExitCode::bad_configuration);
  auto started = Service::start(options.configuration, *snapshot, **signer);
  if (!started) return complain("run", started.error().message, ExitCode::failed);
  Service& service = **started;
  for (std::size_t i = 0; i < service.addresses().size(); ++i) {
    fmt::print(stderr, "sluice: listener {} on {}\n", (*snapshot)->listeners[i].settings.name,
               service.addresses()[i]);
  }

  // A second SIGTERM does not wait for what is under way.
  bool impatient = false;
  while (!(service.is_draining() && (impatient || service.is_drained()))) {
    service.beat();
    service.watch_log();
    switch (signals.wait(look_every)) {
      case control::Wish::reload:
        reload(service);
        break;
      case control::Wish::stop:
        impatient = service.is_draining();
        service.drain();
        fmt::print(stderr, "sluice: {}\n", impatient ? "stopping now" : "draining");
        break;
      case control::Wish::nothing:
        service.watch_files();
        break;
    }
  }
  started->reset();
  fmt::print(stderr, "sluice: stopped\n");
  return ExitCode::ok;
}

}  // namespace sluice::cli
