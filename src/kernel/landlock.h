// Landlock's three system calls, by their man-page names. Any thread; nothing is cached.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"
#include "kernel/uapi.h"

namespace nono::kernel {

// The ABI version the kernel offers; 0 when Landlock is absent or disabled. `error` (may be null)
// receives the errno that said so.
[[nodiscard]] int landlock_abi(int* error = nullptr);

// The kernel's errata mask (bit n-1 = erratum n fixed); 0 when it cannot tell.
[[nodiscard]] std::uint32_t landlock_errata();

[[nodiscard]] Result<Fd> landlock_create_ruleset(const LandlockRulesetAttr& attr);
[[nodiscard]] Status landlock_add_path_rule(const Fd& ruleset, int path_fd, std::uint64_t access);
[[nodiscard]] Status landlock_add_port_rule(const Fd& ruleset, std::uint16_t port, std::uint64_t access);

// Binds the calling thread, or with kLandlockRestrictSelfTsync every thread of the process.
[[nodiscard]] Status landlock_restrict_self(const Fd& ruleset, std::uint32_t flags);

}  // namespace nono::kernel
