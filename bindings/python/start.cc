#include "start.h"

#include <sys/stat.h>

#include "host.h"

namespace nono::python {

std::optional<std::string> obstacle(const Request& request) {
  struct stat st {};
  if (::stat(request.command.directory.c_str(), &st) == 0 && !S_ISDIR(st.st_mode)) return "failed to chdir";
  return std::nullopt;
}

Result<std::unique_ptr<launch::Child>> start(Request request) {
  plan::Plan plan = NONO_TRY(plan_here(request.capabilities, request.options));
  return launch::Child::launch(std::move(plan), std::move(request.command));
}

}  // namespace nono::python
