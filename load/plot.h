// A line plot as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice::load {

struct Plot {
  struct Line {
    std::string name;
    std::vector<std::pair<double, double>> points;  ///< In order of x.
  };
  struct Tick {
    double at;
    std::string label;
  };
  std::string title;
  std::string unit;  ///< Of y.
  std::vector<Line> lines;
  std::vector<Tick> x_ticks;  ///< The first and the last are the plot's ends.
};

/// Text in it is escaped. Colours are the classes line0, line1, …
std::string plot_svg(const Plot& plot);

/// & < > and quotes as XML wants them.
std::string escaped(std::string_view text);

}  // namespace sluice::load
