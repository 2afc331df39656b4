// What checks of the configuration have in common: what they look at, and how they complain.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load/load.h"
#include "config/load/reader.h"

namespace sluice::config {

class Complaints {
 public:
  Complaints(const Settings& settings, const Places& places, std::vector<Problem>& problems)
      : settings_(settings), places_(places), problems_(problems) {}

 protected:
  void report(const Place& place, std::string message, std::string suggestion = {}) {
    problems_.push_back({place, std::move(message), std::move(suggestion)});
  }

  template <class Item>
  void check_names(const std::vector<Item>& items, std::string_view what) {
    std::map<std::string_view, const Item*> known;
    for (const Item& item : items) {
      if (item.name.empty()) continue;  // reported where it was read
      const auto [first, is_new] = known.try_emplace(item.name, &item);
      if (is_new) continue;
      const Place& place = first->second->place;
      report(places_.of(&item.name, item.place),
             fmt::format("{} '{}' is there twice; first at {}:{}", what, item.name, place.file,
                         place.line));
    }
  }

  const Settings& settings_;
  const Places& places_;

 private:
  std::vector<Problem>& problems_;
};

}  // namespace sluice::config
