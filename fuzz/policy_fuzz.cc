// parse_policy on arbitrary bytes: a project's own policy file is written by a stranger.

#include <cstdint>
#include <cstdlib>

#include "policy/expand_path.h"
#include "policy/policy_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace policy = nono::policy;
  const auto parsed = policy::parse_policy({reinterpret_cast<const char*>(data), size});
  if (!parsed) {
    if (parsed.error().message.size() > 8192) std::abort();  // an error must not repeat the document
    return 0;
  }
  for (const std::string& name : parsed->group_names()) {
    const policy::Group* group = parsed->find_group(name);
    if (group == nullptr || !parsed->group_description(name)) std::abort();
    if (static_cast<bool>(parsed->validate_group_exclusions({name})) == group->required) std::abort();
    const auto deny = group->deny.value_or(policy::Deny{});
    for (const std::string& path : deny.access) (void)policy::expand_path(path, {"/home/u", {}});
  }
  return 0;
}
