#include "launch/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace nono::launch {
namespace {

Result<std::string> canonical(const std::string& name, const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) {
    return fail(ErrorKind::kProgramNotFound,
                cat("Cannot resolve program path '", escape(name), "': ", os_error(errno)));
  }
  return std::string(resolved);
}

bool is_executable_file(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string host_search_path() {
  const char* path = ::getenv("PATH");
  return path == nullptr ? std::string{} : std::string(path);
}

Result<std::string> find_program(const std::string& name, const std::string& search_path) {
  if (name.find('\0') != std::string::npos) {
    return fail(ErrorKind::kProgramNotFound, cat("Program not found: ", escape(name)));
  }
  if (name.find('/') != std::string::npos) {
    struct stat st {};
    if (::stat(name.c_str(), &st) != 0) {
      return fail(ErrorKind::kProgramNotFound, cat("Program not found: ", escape(name)));
    }
    return canonical(name, name);
  }
  std::string_view rest = search_path;
  while (!name.empty() && !rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string_view directory = rest.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
    if (directory.empty()) continue;
    const std::string candidate = cat(directory, "/", name);
    if (is_executable_file(candidate)) return canonical(name, candidate);
  }
  return fail(ErrorKind::kProgramNotFound, cat("Program not found in PATH: ", escape(name)));
}

}  // namespace nono::launch
