// `nono setup`: what this kernel can enforce, in words. Changes nothing; makes one short-lived
// process to find out about namespaces.
#pragma once

#include <string>

#include "kernel/host_facts.h"

namespace nono::cli {

// 0 when a sandbox can be made here.
[[nodiscard]] int setup();

// The words, for any kernel.
[[nodiscard]] std::string setup_text(const kernel::HostFacts& facts);

}  // namespace nono::cli
