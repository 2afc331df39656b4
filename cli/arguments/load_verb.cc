// The verb of the load generator.
#include "cli/arguments/tree.h"

namespace sluice::cli {
void add_load_verb(Tree& tree) {
  auto [made, load] = add_verb<LoadOptions>(
      tree, tree.app, "load", "Send requests by a schedule or as fast as they are answered",
      "  sluice load http://127.0.0.1:8080/ -c 64 -d 10s\n"
      "  sluice load http://127.0.0.1:8080/ --rate 20k -d 60s --warmup 5s\n"
      "  sluice load http://127.0.0.1:8080/ --rate-steps 5k:50k:5k/10s --html load.html\n"
      "  sluice load http://127.0.0.1:8080/ --find-rate 'p99<2ms'\n"
      "  sluice load http://127.0.0.1:8080/v1/payments -m POST -b @body.json \\\n"
      "      -H 'Authorization: Bearer sk_…' -n 100000 --json");
  made.add_option("url", load.url, "http://HOST:PORT/PATH")->required();
  made.add_option("-c,--connections", load.connections, "Connections kept open")
      ->capture_default_str()
      ->check(CLI::Range(1, 16384));
  made.add_option("-t,--threads", load.threads, "Threads")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  auto* duration =
      made.add_option("-d,--duration", load.duration, "How long")->capture_default_str();
  auto* requests =
      made.add_option("-n,--requests", load.requests, "How many requests, instead of how long")
          ->excludes(duration)
          ->check(CLI::PositiveNumber);
  auto* rate = made.add_option("--rate", load.rate,
                               "Open loop: requests per second over all connections, e.g. 20k;\n"
                               "latency counts from when a request was due")
                   ->excludes(requests);
  auto* steps = made.add_option("--rate-steps", load.rate_steps,
                                "Open loop: FROM:TO:STEP/DURATION, e.g. 5k:50k:5k/10s")
                    ->excludes(requests)
                    ->excludes(duration)
                    ->excludes(rate);
  made.add_option("--find-rate", load.find_rate,
                  "Find the highest rate with e.g. 'p99<2ms', from --rate on")
      ->excludes(requests)
      ->excludes(steps);
  made.add_option("--warmup", load.warmup, "Load before counting begins")
      ->capture_default_str()
      ->excludes(requests);
  made.add_option("--churn", load.churn, "A new connection after so many requests");
  auto* method = made.add_option("-m,--method", load.method, "Method")->capture_default_str();
  auto* header =
      made.add_option("-H,--header", load.headers, "'Name: value'; may be repeated")->take_all();
  auto* body = made.add_option("-b,--body", load.body, "Body: text, or @FILE");
  made.add_option("--mix", load.mix, "Requests, checks and identities from a file (docs/load.md)")
      ->type_name(file_value)
      ->excludes(method)
      ->excludes(header)
      ->excludes(body);
  made.add_option("--seed", load.seed, "For what the mix leaves to chance")->capture_default_str();
  made.add_option("--hdr", load.hdr, "Write the percentile distribution (.hgrm) to this file")
      ->type_name(file_value);
  made.add_option("--hdr-log", load.hdr_log, "Write HdrHistogram's interval log to this file")
      ->type_name(file_value);
  made.add_option("--html", load.html, "Write a page with plots to this file")
      ->type_name(file_value);
  made.add_flag("--quiet", load.quiet, "No live line on the terminal");
  add_json(made, load.json);
}

}  // namespace sluice::cli
