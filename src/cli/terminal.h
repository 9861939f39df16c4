// Text to the user: whole, unbuffered, and escaped wherever a stranger may have had a say.
#pragma once

#include <string_view>

#include "base/error.h"

namespace nono::cli {

inline constexpr int kExitTimeout = 124;
inline constexpr int kExitNoSandbox = 126;
inline constexpr int kExitNotFound = 127;

// As it is, to stdout or stderr. What cannot be written is lost; false says so.
bool print(std::string_view text);
bool print_error(std::string_view text);

// "nono: MESSAGE" and, on a line of its own, what to change. Returns the exit code for it.
int report(const Error& error);

}  // namespace nono::cli
