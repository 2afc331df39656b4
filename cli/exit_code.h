// What the shell learns from a verb.
#pragma once

#include <array>
#include <string_view>

namespace sluice::cli {

enum class ExitCode : int {
  ok = 0,
  failed = 1,  ///< The world: a file, a socket, a gateway that does not answer.
  usage = 2,
  bad_configuration = 3,
  not_verified = 4,  ///< The evidence is not what was signed.
  denied = 5,        ///< The caller may not do this.
  try_again = 75,    ///< EX_TEMPFAIL: the same command may work later.
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view meaning;
};

/// As help and manual pages say it.
inline constexpr std::array exit_code_meanings{
    ExitCodeMeaning{ExitCode::ok, "ok"},
    ExitCodeMeaning{ExitCode::failed, "failed"},
    ExitCodeMeaning{ExitCode::usage, "usage"},
    ExitCodeMeaning{ExitCode::bad_configuration, "bad configuration"},
    ExitCodeMeaning{ExitCode::not_verified, "not verified"},
    ExitCodeMeaning{ExitCode::denied, "denied"},
    ExitCodeMeaning{ExitCode::try_again, "try again"},
};

}  // namespace sluice::cli
