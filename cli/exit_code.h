// What the shell learns from a verb.
#pragma once

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

}  // namespace sluice::cli
