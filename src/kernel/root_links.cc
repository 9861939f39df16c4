#include "kernel/root_links.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/once.h"
#include "base/text.h"

namespace nono::kernel {
namespace {

std::vector<RootLink> read_links() {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  std::vector<RootLink> links;
  const std::unique_ptr<DIR, Close> root(::opendir("/"));
  if (root == nullptr) return links;
  while (const dirent* entry = ::readdir(root.get())) {
    const std::string path = cat("/", static_cast<const char*>(entry->d_name));
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    std::array<char, PATH_MAX> resolved{};
    if (size <= 0 || ::realpath(path.c_str(), resolved.data()) == nullptr) continue;
    links.push_back({path, {target.data(), static_cast<std::size_t>(size)}, resolved.data()});
  }
  std::ranges::sort(links, {}, &RootLink::path);
  return links;
}

}  // namespace

RootLinks root_links() {
  static constinit Once<RootLinks> links;
  return links.get([] { return std::make_shared<const std::vector<RootLink>>(read_links()); });
}

}  // namespace nono::kernel
