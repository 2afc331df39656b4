#include "config/load/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sluice::config {

void merge(YamlNode& whole, YamlNode part, std::vector<Problem>& problems) {
  for (YamlEntry& entry : part.entries) {
    const auto known =
        std::find_if(whole.entries.begin(), whole.entries.end(),
                     [&](const YamlEntry& candidate) { return candidate.key == entry.key; });
    if (known == whole.entries.end()) {
      whole.entries.push_back(std::move(entry));
      continue;
    }
    using Kind = YamlNode::Kind;
    const bool are_alike = known->value.kind == entry.value.kind;
    if (are_alike && entry.value.kind == Kind::sequence) {
      std::move(entry.value.items.begin(), entry.value.items.end(),
                std::back_inserter(known->value.items));
    } else if (are_alike && entry.value.kind == Kind::mapping) {
      merge(known->value, std::move(entry.value), problems);
    } else if (are_alike && entry.key == "version" && known->value.text == entry.value.text) {
      continue;  // every file may say which format it is written in
    } else {
      problems.push_back({entry.key_place,
                          fmt::format("'{}' is set twice; first at {}:{}", entry.key,
                                      known->key_place.file, known->key_place.line),
                          {}});
    }
  }
}

}  // namespace sluice::config
