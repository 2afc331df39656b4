#include "cli/exposition_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace sluice::cli {
namespace {

/// `name="value"`, of which backslash, quote and line feed are escaped; from `line` it goes.
std::optional<std::pair<std::string, std::string>> take_label(std::string_view& line) {
  const std::size_t equals = line.find("=\"");
  if (equals == line.npos) return std::nullopt;
  std::pair<std::string, std::string> label{std::string(line.substr(0, equals)), {}};
  for (std::size_t i = equals + 2; i < line.size(); ++i) {
    if (line[i] == '"') {
      line.remove_prefix(i + 1);
      return label;
    }
    if (line[i] != '\\') {
      label.second += line[i];
    } else if (++i < line.size()) {
      label.second += line[i] == 'n' ? '\n' : line[i];
    }
  }
  return std::nullopt;
}

std::optional<Sample> sample_of(std::string_view line) {
  Sample sample;
  const std::size_t name_end = line.find_first_of("{ ");
  if (name_end == 0 || name_end == line.npos) return std::nullopt;
  sample.name = line.substr(0, name_end);
  line.remove_prefix(name_end);
  if (line.starts_with('{')) {
    do {
      line.remove_prefix(1);
      auto label = take_label(line);
      if (!label) return std::nullopt;
      sample.labels.insert(std::move(*label));
    } while (line.starts_with(','));
    if (!line.starts_with('}')) return std::nullopt;
    line.remove_prefix(1);
  }
  if (!line.starts_with(' ')) return std::nullopt;
  const auto value = sample_value(line.substr(1));
  if (!value) return std::nullopt;
  sample.value = *value;
  return sample;
}

}  // namespace

std::string_view Sample::label(std::string_view wanted) const {
  const auto found = labels.find(wanted);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<double> sample_value(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::vector<Sample>> read_exposition(std::string_view text) {
  std::vector<Sample> samples;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    auto sample = sample_of(line);
    if (!sample) return fail(fmt::format("line {} of the metrics is no sample", number));
    samples.push_back(std::move(*sample));
  }
  return samples;
}

}  // namespace sluice::cli
