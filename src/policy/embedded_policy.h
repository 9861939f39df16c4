// The policy document that comes with nono, embedded at build time from embedded_policy.json.
//
// The text is part of the program, so parse_policy() of it cannot fail (a test holds that). It is
// the place to read which paths a group opens or closes, and why. Valid for the whole program.
#pragma once

#include <string_view>

namespace nono::policy {

[[nodiscard]] std::string_view embedded_policy_json();

}  // namespace nono::policy
