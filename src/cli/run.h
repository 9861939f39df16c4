// `nono run`: launches, relays, explains. Returns the exit code of the whole program.
#pragma once

#include "cli/args.h"

namespace nono::cli {

[[nodiscard]] int run(const RunArguments& arguments);

}  // namespace nono::cli
