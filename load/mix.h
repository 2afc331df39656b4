// What is asked for: requests with weights, identities, think time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "config/load/load.h"
#include "load/answer_check.h"
#include "load/template.h"

namespace sluice::load {

/// Protocol-neutral where it can be; `method`, `path` and `headers` are HTTP's.
struct MixRequest {
  std::string name = {};
  std::uint64_t weight = 1;
  std::string method = "GET";
  std::string path = {};  ///< Empty: the URL's.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  bool has_templates = true;  ///< Placeholders in path, headers and body are filled in.
  Expectation expect = {};
};

struct Mix {
  std::vector<MixRequest> requests;
  std::vector<std::string> identities = {};  ///< Each connection takes the next one.
  Duration think_min = {};
  Duration think_max = {};
};

struct LoadedMix {
  Mix mix;
  std::vector<config::Problem> problems;  ///< Empty: good to use.
};

/// A mix file, YAML or JSON; docs/load.md describes it. `name` stands for the file in places.
LoadedMix read_mix(std::string_view text, const std::string& name);

}  // namespace sluice::load
