#include "capability/git_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::capability {
namespace {

constexpr std::array kTrusted = {"config", "config.worktree", "hooks", "commondir"};

std::string below(const std::string& directory, std::string_view name) {
  return directory == "/" ? cat("/", name) : cat(directory, "/", name);
}

// A path that a small file of git's holds, absolute and canonical; nothing for anything else.
std::optional<std::string> path_in(const std::string& file, std::string_view prefix, const std::string& directory) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat st {};
  if (!fd.valid() || ::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
  std::array<char, 4096> content{};
  const ssize_t size = ::read(fd.get(), content.data(), content.size());
  if (size <= 0 || static_cast<std::size_t>(size) == content.size()) return std::nullopt;
  std::string_view text(content.data(), static_cast<std::size_t>(size));
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty() || text.find('\0') != text.npos) return std::nullopt;
  return canonicalize_existing_part(text.starts_with('/') ? std::string(text) : below(directory, text));
}

class Finder {
 public:
  explicit Finder(const std::vector<FsCapability>& grants) : grants_(grants) {}

  std::vector<Denial> find() {
    for (const FsCapability& grant : grants_) {
      if (grant.is_file || !writes(grant.access)) continue;
      at_root(grant.resolved);
      if (is_there(grant.resolved, "HEAD") && is_there(grant.resolved, "objects") && is_there(grant.resolved, "refs")) {
        repository(grant.resolved);
      }
    }
    return std::move(found_);
  }

 private:
  void at_root(const std::string& root) {
    const std::string path = below(root, ".git");
    Denial itself = Denial::literal(path, Closes::kChanges);
    itself.look();
    if (itself.found == Found::kNothing) {
      add(std::move(itself));
    } else if (S_ISDIR(itself.object->mode)) {
      repository(path);
    } else {
      const bool is_link = itself.found == Found::kLink;
      add(std::move(itself));
      const auto target = is_link ? canonicalize(path) : Result<std::string>(path);
      if (target) pointed_to(*target);
    }
  }

  // A `.git` file, or what a `.git` link points to.
  void pointed_to(const std::string& path) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0) return;
    if (S_ISDIR(st.st_mode)) return repository(path);
    add_existing(path);
    if (const auto directory = path_in(path, "gitdir: ", parent_of(path))) repository(*directory);
  }

  void repository(const std::string& directory) {
    for (const char* name : kTrusted) add_existing(below(directory, name));
    const auto common = path_in(below(directory, "commondir"), "", directory);
    if (!common) return;
    for (const char* name : kTrusted) add_existing(below(*common, name));
  }

  void add_existing(const std::string& path) {
    const auto is_around = [&](const FsCapability& grant) { return writes(grant.access) && grant.covers(path); };
    if (std::ranges::none_of(grants_, is_around)) return;  // nobody inside can change it
    Denial denial = Denial::literal(path, Closes::kChanges);
    denial.look();
    add(std::move(denial));
  }

  void add(Denial denial) {
    denial.protected_by = "git";
    const auto same = [&](const Denial& other) { return other.resolved == denial.resolved; };
    if (std::ranges::none_of(found_, same)) found_.push_back(std::move(denial));
  }

  static bool is_there(const std::string& directory, const char* name) {
    struct stat st {};
    return ::lstat(below(directory, name).c_str(), &st) == 0;
  }

  static std::string parent_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

  const std::vector<FsCapability>& grants_;
  std::vector<Denial> found_;
};

}  // namespace

std::vector<Denial> git_names_here(const std::vector<FsCapability>& grants) { return Finder(grants).find(); }

}  // namespace nono::capability
