# Turns src/policy/embedded_policy.json into a source file of the library: the bundled policy needs
# no file at run time. Done while configuring; an edit of the document configures again.
set(NONO_POLICY_DOCUMENT ${CMAKE_CURRENT_LIST_DIR}/../src/policy/embedded_policy.json)
set(NONO_POLICY_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/generated/embedded_policy.cc)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${NONO_POLICY_DOCUMENT})

file(READ ${NONO_POLICY_DOCUMENT} NONO_POLICY_TEXT)
file(CONFIGURE OUTPUT ${NONO_POLICY_SOURCE} @ONLY CONTENT [==[
// Generated from src/policy/embedded_policy.json.
#include "policy/embedded_policy.h"

namespace nono::policy {

std::string_view embedded_policy_json() {
  return R"nono_policy(@NONO_POLICY_TEXT@)nono_policy";
}

}  // namespace nono::policy
]==])
target_sources(nono PRIVATE ${NONO_POLICY_SOURCE})
