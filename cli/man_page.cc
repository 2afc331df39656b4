#include "cli/man_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/ascii.h"
#include "cli/exit_code.h"

namespace sluice::cli {
namespace {

/// One line of text, of which roff changes nothing; what is between backquotes is bold.
std::string plain(std::string_view text) {
  std::string out;
  bool is_bold = false;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";  // A hyphen would be another character, which nobody can paste.
        break;
      case '\n':
        out += ' ';
        break;
      case '`':
        out += is_bold ? "\\fP" : "\\fB";
        is_bold = !is_bold;
        break;
      default:
        out += c;
    }
  }
  // At the beginning of a line these are requests.
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

/// As it is, line by line.
std::string literal(std::string_view lines) {
  std::string out = ".EX\n";
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    out += plain(lines.substr(0, end));
    out += '\n';
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  out += ".EE\n";
  return out;
}

std::string bold(std::string_view text) {
  return fmt::format("\\fB{}\\fP", plain(text));
}
std::string italic(std::string_view text) {
  return fmt::format("\\fI{}\\fP", plain(text));
}

/// "-c, --config FILE"; of a positional its name.
std::string heading(const VerbOption& option) {
  std::vector<std::string> names;
  for (const auto& name : option.names) {
    names.push_back(name.starts_with('-') ? bold(name) : italic(name));
  }
  const bool shows_value = !option.value.empty() && option.names.front().starts_with('-');
  std::string out = fmt::format("{}", fmt::join(names, ", "));
  if (shows_value) out += fmt::format(" {}", italic(option.value));
  return out;
}

std::string paragraph(const VerbOption& option) {
  std::string out = fmt::format(".TP\n{}\n{}.", heading(option), plain(option.what));
  if (!option.choices.empty()) {
    out += plain(fmt::format(" One of: {}.", fmt::join(option.choices, ", ")));
  }
  if (!option.preset.empty()) out += plain(fmt::format(" Default: {}.", option.preset));
  if (option.is_required) out += " Required.";
  if (option.may_repeat) out += " May be given more than once.";
  out += '\n';
  return out;
}

std::string paragraphs(std::string_view title, const std::vector<VerbOption>& options) {
  std::string out;
  for (const VerbOption& option : options) out += paragraph(option);
  return out.empty() ? out : fmt::format(".SH {}\n{}", title, out);
}

std::string synopsis(const Verb& verb) {
  std::string out = fmt::format(".SH SYNOPSIS\n{}", bold(verb.path));
  if (!verb.verbs.empty()) out += verb.stands_alone ? " [\\fIVERB\\fP]" : " \\fIVERB\\fP";
  for (const VerbOption& option : verb.options) {
    if (option.is_required) out += fmt::format(" {}", heading(option));
  }
  out += " [\\fIOPTION\\fP...]";
  for (const VerbOption& positional : verb.positionals) {
    const std::string name =
        fmt::format("{}{}", heading(positional), positional.may_repeat ? "..." : "");
    out += positional.is_required ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
  }
  out += '\n';
  return out;
}

std::string verbs(const Verb& verb) {
  if (verb.verbs.empty()) return {};
  std::string out = ".SH VERBS\n";
  for (const Verb& below : verb.verbs) {
    out += fmt::format(".TP\n{}(1)\n{}.\n", bold(man_page_name(below)), plain(below.what));
  }
  return out;
}

std::string exit_status() {
  std::string out = ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : exit_code_meanings) {
    out += fmt::format(".TP\n.B {}\n{}.\n", static_cast<int>(code), plain(meaning));
  }
  return out;
}

constexpr std::string_view files =
    ".SH FILES\n"
    ".TP\n.I /etc/sluice/sluice.yaml\n"
    "The configuration, with the files of\n.I /etc/sluice/conf.d\nbeside it.\n"
    ".TP\n.I /var/lib/sluice\n"
    "The audit log and what else is kept.\n"
    ".TP\n.I /run/sluice/admin.sock\n"
    "Where the verbs that steer a gateway find it.\n";

/// Without the name before a colon, and without a capital: "sluice-run - run the gateway".
std::string name_line(const Verb& verb) {
  std::string what = verb.what;
  if (const auto colon = what.find(": "); colon != what.npos) what.erase(0, colon + 2);
  what.front() = lower_of(what.front());
  return fmt::format(".SH NAME\n{} \\- {}\n", plain(man_page_name(verb)), plain(what));
}

}  // namespace

std::string man_page_name(const Verb& verb) {
  std::string name = verb.path;
  for (char& c : name) c = c == ' ' ? '-' : c;
  return name;
}

std::string man_page(const Verb& verb, const Verb* above) {
  std::string upper = man_page_name(verb);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string out =
      fmt::format(".TH {} 1 \"\" \"Sluice " SLUICE_VERSION "\" \"Sluice\"\n", plain(upper));
  out += name_line(verb) + synopsis(verb);
  out += fmt::format(".SH DESCRIPTION\n{}.\n", plain(verb.what));
  out +=
      verbs(verb) + paragraphs("ARGUMENTS", verb.positionals) + paragraphs("OPTIONS", verb.options);
  if (!verb.examples.empty()) out += ".SH EXAMPLES\n" + literal(verb.examples);
  out += exit_status();
  if (above == nullptr) return out + std::string(files);
  return out + fmt::format(".SH SEE ALSO\n.BR {} (1)\n", plain(man_page_name(*above)));
}

}  // namespace sluice::cli
