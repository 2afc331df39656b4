#include "load/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

namespace sluice::load {
namespace {

constexpr double width = 860;
constexpr double height = 300;
constexpr double left = 70;
constexpr double right = 20;
constexpr double top = 34;
constexpr double bottom = 34;
constexpr int y_lines = 5;

/// The least of 1, 2, 2.5, 5 × 10ⁿ that is not below.
double round_up(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (value <= step * power) return step * power;
  }
  return 10 * power;
}

class Scale {
 public:
  explicit Scale(const Plot& plot) {
    if (!plot.x_ticks.empty()) {
      x_min_ = plot.x_ticks.front().at;
      x_span_ = std::max(plot.x_ticks.back().at - x_min_, 1e-9);
    }
    double most = 0;
    for (const auto& line : plot.lines) {
      for (const auto& [x, y] : line.points) most = std::max(most, y);
    }
    y_step_ = round_up(most / y_lines);
  }
  [[nodiscard]] double x(double value) const {
    return left + (value - x_min_) / x_span_ * (width - left - right);
  }
  [[nodiscard]] double y(double value) const {
    return height - bottom - value / (y_step_ * y_lines) * (height - top - bottom);
  }
  [[nodiscard]] double y_step() const { return y_step_; }

 private:
  double x_min_ = 0;
  double x_span_ = 1;
  double y_step_ = 1;
};

using Out = std::back_insert_iterator<std::string>;

void draw_axes(Out out, const Plot& plot, const Scale& scale) {
  for (int i = 0; i <= y_lines; ++i) {
    const double value = scale.y_step() * i;
    const double y = scale.y(value);
    fmt::format_to(out,
                   "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
                   "<text class=\"y\" x=\"{}\" y=\"{:.1f}\">{:g}</text>\n",
                   left, width - right, y, y, left - 8, y + 4, value);
  }
  for (const auto& tick : plot.x_ticks) {
    fmt::format_to(out, "<text class=\"x\" x=\"{:.1f}\" y=\"{}\">{}</text>\n", scale.x(tick.at),
                   height - bottom + 18, escaped(tick.label));
  }
}

void draw_lines(Out out, const Plot& plot, const Scale& scale) {
  double legend_x = width - right;
  for (std::size_t i = plot.lines.size(); i-- > 0;) {
    const auto& line = plot.lines[i];
    fmt::format_to(out, "<polyline class=\"line{}\" points=\"", i);
    for (const auto& [x, y] : line.points) {
      fmt::format_to(out, "{:.1f},{:.1f} ", scale.x(x), scale.y(y));
    }
    fmt::format_to(out, "\"/><text class=\"legend text{}\" x=\"{:.0f}\" y=\"18\">{}</text>\n", i,
                   legend_x, escaped(line.name));
    legend_x -= 9 * static_cast<double>(line.name.size()) + 14;
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string plot_svg(const Plot& plot) {
  const Scale scale(plot);
  std::string svg;
  const auto out = std::back_inserter(svg);
  fmt::format_to(out, "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width, height,
                 escaped(plot.title));
  fmt::format_to(out, "<text class=\"title\" x=\"{}\" y=\"18\">{}, {}</text>\n", left,
                 escaped(plot.title), escaped(plot.unit));
  draw_axes(out, plot, scale);
  draw_lines(out, plot, scale);
  return svg + "</svg>\n";
}

}  // namespace sluice::load
