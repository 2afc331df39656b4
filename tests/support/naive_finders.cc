// The built-in finders as questions about pieces of text; slow on purpose.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>

#include "naive_masker.h"

namespace sluice::testing {
namespace {

using Text = std::string_view;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_letter(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
}
bool is_high(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_any(char c, Text set) {
  return set.find(c) != Text::npos;
}
bool is_base64url(char c) {
  return is_alnum(c) || is_any(c, "-_");
}

/// The byte at `at`, or a NUL before the start and behind the end.
char byte_at(Text text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}

std::string only(Text text, const std::function<bool(char)>& wanted) {
  std::string kept;
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept), wanted);
  return kept;
}

bool luhn(const std::string& digits) {
  int sum = 0;
  bool twice = false;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it, twice = !twice) {
    const int value = (*it - '0') * (twice ? 2 : 1);
    sum += value / 10 + value % 10;
  }
  return sum % 10 == 0;
}

bool is_issued(const std::string& digits) {
  const auto n = digits.size();
  const auto prefix = [&](std::size_t count) { return std::stoi(digits.substr(0, count)); };
  const auto in = [](int value, int low, int high) { return value >= low && value <= high; };
  const auto size = [n](std::size_t low, std::size_t high) { return n >= low && n <= high; };
  return (prefix(1) == 1 && n == 15) ||                                   // UATP
         (in(prefix(4), 2200, 2204) && size(16, 19)) ||                   // Mir
         (in(prefix(4), 2221, 2720) && n == 16) ||                        // Mastercard
         (in(prefix(3), 300, 305) && size(14, 19)) ||                     // Diners Club
         (prefix(4) == 3095 && size(14, 19)) ||                           // Diners Club
         ((prefix(2) == 34 || prefix(2) == 37) && n == 15) ||             // American Express
         (in(prefix(4), 3528, 3589) && size(16, 19)) ||                   // JCB
         ((prefix(2) == 36 || in(prefix(2), 38, 39)) && size(14, 19)) ||  // Diners Club
         (prefix(1) == 4 && (n == 13 || n == 16 || n == 19)) ||           // Visa
         (prefix(2) == 50 && size(13, 19)) ||                             // Maestro and others
         (in(prefix(2), 51, 55) && n == 16) ||                            // Mastercard
         (in(prefix(2), 56, 58) && size(13, 19)) ||                       // Maestro
         (prefix(1) == 6 && size(13, 19)) ||                              // Discover and others
         (in(prefix(2), 81, 82) && size(16, 19)) ||                       // UnionPay, RuPay
         (prefix(4) == 9792 && n == 16);                                  // Troy
}

/// Digit groups joined by single spaces or hyphens.
bool is_grouped_number(Text text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) continue;
    const bool joins =
        is_any(text[i], " -") && i > 0 && is_digit(text[i - 1]) && is_digit(byte_at(text, i + 1));
    if (!joins) return false;
  }
  return !text.empty();
}

bool is_payment_card(Text value, std::size_t start, std::size_t end) {
  const Text text = value.substr(start, end - start);
  if (!is_grouped_number(text)) return false;
  if (is_digit(byte_at(value, start - 1)) || is_digit(byte_at(value, end))) return false;
  if (byte_at(value, start - 1) == '.' && is_digit(byte_at(value, start - 2))) return false;
  const std::string digits = only(text, is_digit);
  return digits.size() >= 13 && digits.size() <= 19 && is_issued(digits) && luhn(digits);
}

/// One digit, a point, nine digits or more, and an exponent that makes it a whole number.
bool is_scientific_card(Text value, std::size_t start, std::size_t end) {
  const Text text = value.substr(start, end - start);
  if (is_digit(byte_at(value, start - 1)) || is_digit(byte_at(value, end))) return false;
  if (byte_at(value, start - 1) == '.' && is_digit(byte_at(value, start - 2))) return false;
  const std::size_t e = text.find_first_of("eE");
  if (e == Text::npos || e < 11 || text[1] != '.') return false;
  std::string digits = only(text.substr(0, e), is_digit);
  if (digits.size() != e - 1) return false;
  Text power = text.substr(e + 1);
  if (power.substr(0, 1) == "+") power.remove_prefix(1);
  if (power.empty() || power.size() > 3 || only(power, is_digit) != power) return false;
  const std::size_t size = std::stoul(std::string(power)) + 1;
  if (size < digits.size() || size < 13 || size > 19) return false;
  digits.resize(size, '0');
  return is_issued(digits) && luhn(digits);
}

bool is_iban(Text value, std::size_t start, std::size_t end) {
  static const std::map<std::string, std::size_t> lengths = [] {
    std::map<std::string, std::size_t> table;
    const Text registry =
        "AD24AE23AL28AO25AT20AZ28BA20BE16BF28BG22BH22BI27BJ28BR29BY28CF27CG27CH21CI28CM27CR22CV25"
        "CY28CZ24DE22DJ27DK18DO28DZ26EE20EG29ES24FI18FK18FO18FR27GA27GB22GE22GI23GL18GQ27GR27GT28"
        "GW25HN28HR21HU28IE22IL23IQ23IR26IS26IT27JO30KM27KW30KZ20LB28LC32LI21LT20LU20LV21LY25MA28"
        "MC27MD24ME22MG27MK19ML28MN20MR27MT31MU30MZ25NE28NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24"
        "RS22RU33SA24SC31SD18SE24SI19SK24SM27SN28SO23ST25SV28TD27TG28TL23TN24TR26UA29VA22VG24XK20"
        "YE30";
    for (std::size_t i = 0; i < registry.size(); i += 4) {
      table[std::string(registry.substr(i, 2))] =
          static_cast<std::size_t>((registry[i + 2] - '0') * 10 + registry[i + 3] - '0');
    }
    return table;
  }();
  if (is_alnum(byte_at(value, start - 1)) || is_alnum(byte_at(value, end))) return false;
  const Text text = value.substr(start, end - start);
  std::string plain(text);
  if (byte_at(text, 4) == ' ') {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if ((i % 5 == 4) != (text[i] == ' ')) return false;
    }
    if (text.back() == ' ') return false;
    plain = only(text, [](char c) { return c != ' '; });
  }
  if (!std::all_of(plain.begin(), plain.end(), is_alnum)) return false;
  if (plain.size() < 15 || !is_letter(plain[0]) || !is_letter(plain[1]) || !is_digit(plain[2]) ||
      !is_digit(plain[3])) {
    return false;
  }
  std::transform(plain.begin(), plain.end(), plain.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto found = lengths.find(plain.substr(0, 2));
  if (found == lengths.end() || found->second != plain.size()) return false;
  std::string number;
  for (const char c : plain.substr(4) + plain.substr(0, 4)) {
    number += is_digit(c) ? std::string(1, c) : std::to_string(c - 'A' + 10);
  }
  int rest = 0;
  for (const char c : number) rest = (rest * 10 + c - '0') % 97;
  return rest == 1;
}

/// The text with 'd' for each digit, and no other letters.
std::string shape_of(Text text) {
  std::string shape(text);
  std::replace_if(shape.begin(), shape.end(), is_letter, '?');
  std::replace_if(shape.begin(), shape.end(), is_digit, 'd');
  return shape;
}

bool is_us_ssn(Text value, std::size_t start, std::size_t end) {
  if (is_digit(byte_at(value, start - 1)) || is_digit(byte_at(value, end))) return false;
  const Text text = value.substr(start, end - start);
  const std::string shape = shape_of(text);
  if (shape != "ddd-dd-dddd" && shape != "ddd dd dddd") return false;
  const Text area = text.substr(0, 3);
  return area != "000" && area != "666" && area[0] != '9' && text.substr(4, 2) != "00" &&
         text.substr(7) != "0000";
}

bool is_domain(Text text) {
  std::vector<Text> labels;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t dot = std::min(text.find('.', begin), text.size());
    labels.push_back(text.substr(begin, dot - begin));
    begin = dot + 1;
  }
  for (const Text label : labels) {
    if (label.empty() || label.size() > 63) return false;
    for (const char c : label) {
      if (!is_alnum(c) && !is_high(c) && c != '-') return false;
    }
  }
  const Text last = labels.back();
  return labels.size() >= 2 && last.size() >= 2 && (is_letter(last[0]) || is_high(last[0]));
}

void find_emails(Text value, std::vector<NaiveMatch>& found) {
  for (std::size_t sign = 0; sign < value.size(); ++sign) {
    if (value[sign] != '@') continue;
    std::size_t start = sign;
    while (start > 0 && sign - start < 64 &&
           (is_alnum(value[start - 1]) || is_high(value[start - 1]) ||
            is_any(value[start - 1], "._%+-'"))) {
      --start;
    }
    while (start < sign && (is_any(value[start], "'.") ||
                            (static_cast<unsigned char>(value[start]) & 0xC0) == 0x80)) {
      ++start;
    }
    if (start == sign) continue;
    for (std::size_t end = std::min(value.size(), sign + 1 + 253); end > sign + 1; --end) {
      const char next = byte_at(value, end);
      if (end < value.size() && (is_alnum(next) || is_high(next) || next == '-')) continue;
      if (!is_domain(value.substr(sign + 1, end - sign - 1))) continue;
      found.push_back({start, end, 0});
      break;
    }
  }
}

bool is_international_phone(Text value, std::size_t start, std::size_t end) {
  const Text text = value.substr(start, end - start);
  if (text[0] != '+' || is_alnum(byte_at(value, start - 1)) || is_digit(byte_at(value, end))) {
    return false;
  }
  if (byte_at(text, 1) == '0' || !is_digit(byte_at(text, 1)) || !is_digit(text.back()))
    return false;
  std::string joint;
  for (const char c : text.substr(1)) {
    if (!is_digit(c)) {
      if (!is_any(c, " -./()")) return false;
      joint += c;
      continue;
    }
    std::string form = joint;
    std::replace_if(
        form.begin(), form.end(), [](char s) { return is_any(s, " -./"); }, 's');
    for (const Text allowed : {"", "s", "(", "s(", ")", "s)", ")s", "s)s"}) {
      if (form == allowed) form = "ok";
    }
    if (form != "ok") return false;
    joint.clear();
  }
  const std::size_t digits = only(text, is_digit).size();
  return digits >= 8 && digits <= 15;
}

bool is_national_phone(Text value, std::size_t start, std::size_t end) {
  const Text text = value.substr(start, end - start);
  const char before = byte_at(value, start - 1);
  const char next = byte_at(value, end);
  if (is_alnum(before) || is_digit(next)) return false;
  const std::string shape = shape_of(text);
  if (text[0] == '(') {
    bool fits = false;
    for (const char s : Text(" -./")) {
      fits = fits || shape == std::string("(ddd) ddd") + s + "dddd" ||
             shape == std::string("(ddd)ddd") + s + "dddd";
    }
    const std::size_t exchange = byte_at(text, 5) == ' ' ? 6 : 5;
    return fits && text[1] >= '2' && text[exchange] >= '2';
  }
  if (is_any(before, " -./") && start >= 2 && is_digit(value[start - 2])) return false;
  if (end < value.size() && is_any(next, " -./") && is_digit(byte_at(value, end + 1))) return false;
  for (const char s : Text(" -./")) {
    std::string uniform = shape;
    std::replace(uniform.begin(), uniform.end(), s, '_');
    if (uniform == "ddd_ddd_dddd" && text[0] >= '2' && text[4] >= '2') return true;
    if (uniform == "d_ddd_ddd_dddd" && text[0] == '1' && text[2] >= '2' && text[6] >= '2')
      return true;
    if (text[0] != '0' || byte_at(text, 1) == '0') continue;
    for (const Text form :
         {"dd_dd_dd_dd_dd", "ddd_dddd_dddd", "dddd_ddd_dddd", "dddd_ddd_ddd", "ddddd_dddddd",
          "ddd_ddddddd", "ddd_dddddddd", "dddd_dddddd", "dddd_ddddddd", "dddd_dddddddd"}) {
      if (uniform == form) return true;
    }
  }
  return false;
}

void find_jwts(Text value, std::vector<NaiveMatch>& found) {
  for (std::size_t start = 0; start < value.size(); ++start) {
    if (value.substr(start, 3) != "eyJ" || is_base64url(byte_at(value, start - 1))) continue;
    std::size_t end = start;
    while (end < value.size() && (is_base64url(value[end]) || value[end] == '.')) ++end;
    const Text run = value.substr(start, end - start);
    const std::size_t first = run.find('.');
    const std::size_t second = first == Text::npos ? first : run.find('.', first + 1);
    const bool has_parts = second != Text::npos && second > first + 1;
    if (has_parts || run.size() > 320) found.push_back({start, end, 0});
  }
}

bool is_aws_key(Text value, std::size_t start, std::size_t end) {
  const Text text = value.substr(start, end - start);
  return text.size() == 20 && (text.starts_with("AKIA") || text.starts_with("ASIA")) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_upper(c) || is_digit(c); }) &&
         !is_alnum(byte_at(value, start - 1)) && !is_alnum(byte_at(value, end));
}

void find_bearer_tokens(Text value, std::vector<NaiveMatch>& found) {
  std::string lower(value);
  for (char& c : lower) {
    if (is_upper(c)) c = static_cast<char>(c + 32);
  }
  for (std::size_t at = lower.find("bearer "); at != std::string::npos;
       at = lower.find("bearer ", at + 1)) {
    if (is_alnum(byte_at(value, at - 1))) continue;
    const std::size_t start = at + 7;
    std::size_t end = start;
    while (end < value.size() && (is_alnum(value[end]) || is_any(value[end], "-._~+/="))) ++end;
    const Text token = value.substr(start, end - start);
    const std::string marks = only(token, [](char c) { return !is_letter(c) && c != '.'; });
    if (token.size() > 15 || !marks.empty()) found.push_back({start, end, 0});
  }
}

std::string without_leading_zeros(Text octet) {
  while (octet.size() > 1 && octet[0] == '0') octet.remove_prefix(1);
  return std::string(octet);
}

/// Four octets of one to three digits.
bool is_dotted(Text text, std::string& canonical) {
  canonical.clear();
  int octets = 0;
  for (std::size_t begin = 0; begin <= text.size(); ++octets) {
    const std::size_t dot = std::min(text.find('.', begin), text.size());
    const Text octet = text.substr(begin, dot - begin);
    if (octet.empty() || octet.size() > 3 || !std::all_of(octet.begin(), octet.end(), is_digit))
      return false;
    canonical += (octets == 0 ? "" : ".") + without_leading_zeros(octet);
    begin = dot + 1;
  }
  in_addr address;
  return octets == 4 && inet_pton(AF_INET, canonical.c_str(), &address) == 1;
}

bool is_ipv4(Text value, std::size_t start, std::size_t end) {
  std::string canonical;
  if (!is_dotted(value.substr(start, end - start), canonical)) return false;
  if (is_alnum(byte_at(value, start - 1)) || is_alnum(byte_at(value, end))) return false;
  if (byte_at(value, start - 1) == '.' && is_digit(byte_at(value, start - 2))) return false;
  return !(byte_at(value, end) == '.' && is_digit(byte_at(value, end + 1)));
}

bool is_ipv6_text(Text text) {
  if (text.size() > 45 || std::none_of(text.begin(), text.end(), is_hex)) return false;
  std::string canonical(text);
  if (text.find('.') != Text::npos) {
    const std::size_t tail = text.rfind(':') + 1;
    std::string octets;
    if (!is_dotted(text.substr(tail), octets)) return false;
    canonical = std::string(text.substr(0, tail)) + octets;
  }
  in6_addr address;
  return inet_pton(AF_INET6, canonical.c_str(), &address) == 1;
}

void find_ipv6(Text value, std::vector<NaiveMatch>& found) {
  const auto is_part = [](char c) { return is_hex(c) || c == ':' || c == '.'; };
  for (std::size_t start = 0; start < value.size();) {
    if (!is_part(value[start])) {
      ++start;
      continue;
    }
    std::size_t end = start;
    while (end < value.size() && is_part(value[end])) ++end;
    Text run = value.substr(start, end - start);
    const std::size_t run_start = start;
    start = end;
    if (run.find(':') == Text::npos) continue;
    bool left = !is_alnum(byte_at(value, run_start - 1));
    bool right = !is_alnum(byte_at(value, end));
    std::size_t from = run_start;
    if (run.size() >= 2 && run[0] == ':' && run[1] != ':') {
      run.remove_prefix(1);
      ++from;
      left = true;
    }
    if (run.size() >= 2 &&
        (run.back() == '.' || (run.back() == ':' && run[run.size() - 2] != ':'))) {
      run.remove_suffix(1);
      right = true;
    }
    if (left && right && is_ipv6_text(run)) found.push_back({from, from + run.size(), 0});
  }
}

using Question = bool (*)(Text value, std::size_t start, std::size_t end);

/// Where a match may begin: what every question would deny is not asked.
using Beginning = bool (*)(Text value, std::size_t at);

bool begins_number(Text value, std::size_t at) {
  return is_digit(value[at]) && !is_digit(byte_at(value, at - 1));
}
bool begins_word(Text value, std::size_t at) {
  return is_alnum(value[at]) && !is_alnum(byte_at(value, at - 1));
}
bool is_plus(Text value, std::size_t at) {
  return value[at] == '+';
}
bool begins_national_phone(Text value, std::size_t at) {
  return value[at] == '(' || begins_word(value, at);
}

/// Asks about every piece of the value up to `longest` bytes that begins like that.
void ask_everywhere(Text value, std::size_t longest, Beginning begins, Question question,
                    std::vector<NaiveMatch>& found) {
  for (std::size_t start = 0; start < value.size(); ++start) {
    if (!begins(value, start)) continue;
    for (std::size_t end = start + 1; end <= std::min(value.size(), start + longest); ++end) {
      if (question(value, start, end)) found.push_back({start, end, 0});
    }
  }
}

}  // namespace

std::vector<NaiveMatch> naive_find(std::string_view builtin, std::string_view value) {
  std::vector<NaiveMatch> found;
  if (builtin == "payment-card") {
    ask_everywhere(value, 37, begins_number, is_payment_card, found);
    ask_everywhere(value, 25, begins_number, is_scientific_card, found);
  }
  if (builtin == "iban") ask_everywhere(value, 42, begins_word, is_iban, found);
  if (builtin == "us-ssn") ask_everywhere(value, 11, begins_number, is_us_ssn, found);
  if (builtin == "email") find_emails(value, found);
  if (builtin == "phone") {
    ask_everywhere(value, 60, is_plus, is_international_phone, found);
    ask_everywhere(value, 15, begins_national_phone, is_national_phone, found);
  }
  if (builtin == "jwt") find_jwts(value, found);
  if (builtin == "aws-key") ask_everywhere(value, 20, begins_word, is_aws_key, found);
  if (builtin == "bearer-token") find_bearer_tokens(value, found);
  if (builtin == "ip") {
    ask_everywhere(value, 15, begins_word, is_ipv4, found);
    find_ipv6(value, found);
  }
  return found;
}

}  // namespace sluice::testing
