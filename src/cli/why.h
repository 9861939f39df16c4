// `nono why`: what the plan of `nono run` with the same flags says about one path, one host or one Unix socket.
#pragma once

#include "cli/args.h"

namespace nono::cli {

// 0 allowed, 1 denied, another code for a plan that cannot be made.
[[nodiscard]] int why(const WhyArguments& arguments);

}  // namespace nono::cli
