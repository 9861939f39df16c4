// Runs a seccomp program as the kernel would, for tests: no kernel, any architecture. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plan/seccomp_rules.h"

namespace nono::plan {

struct SeccompCall {
  std::uint32_t number = 0;
  std::uint32_t arch = 0;
  std::array<std::uint64_t, 6> arguments{};
};

// The program's return value; 0 (kill) for a program that runs off its end or is malformed.
[[nodiscard]] std::uint32_t evaluate_bpf(const std::vector<SockFilter>& program, const SeccompCall& call);

}  // namespace nono::plan
