#include "capability/git_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "base/fork_safe.h"
#include "base/immortal.h"
#include "base/text.h"
#include "capability/path_resolution.h"

namespace nono::capability {
namespace {

constexpr std::array kTrusted = {"config", "config.worktree", "hooks", "commondir"};
constexpr std::array kTrustedBelow = {".git/config", ".git/config.worktree", ".git/hooks", ".git/commondir"};

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

// What a .git directory was when its entries were looked at, and what was found. Each command asks, and nearly always
// nothing has been made, renamed or removed in it since: that would have changed its times.
struct Seen {
  struct stat directory {};
  std::vector<Denial> found;

  [[nodiscard]] bool holds_for(const struct stat& now) const {
    const auto same = [](const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; };
    return directory.st_dev == now.st_dev && directory.st_ino == now.st_ino && same(directory.st_mtim, now.st_mtim) &&
           same(directory.st_ctim, now.st_ctim);
  }
};

// By granted directory. At most so many: a host may grant another one for every command.
constexpr std::size_t kMostSeen = 64;
ForkSafeMutex seen_mutex;
Immortal<std::map<std::string, Seen>> seen_before;

class Finder {
 public:
  explicit Finder(const std::vector<FsCapability>& grants) : grants_(grants) { found_.reserve(8); }

  std::vector<Denial> find() {
    for (const FsCapability& grant : grants_) {
      if (grant.is_file || !writes(grant.access)) continue;
      at_root(grant);
      const int root = directory_of(grant);
      if (is_there(root, "HEAD") && is_there(root, "objects") && is_there(root, "refs")) repository(grant.resolved);
    }
    return std::move(found_);
  }

 private:
  // Names in the granted directory are looked up there: this is done for every command, and shorter.
  static int directory_of(const FsCapability& grant) { return grant.handle->fd.get(); }

  void at_root(const FsCapability& grant) {
    const std::string path = below(grant.resolved, ".git");
    struct stat st {};
    const bool exists = ::fstatat(directory_of(grant), ".git", &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && S_ISDIR(st.st_mode)) return repository_in(grant, st);
    Denial itself = Denial::literal(path, Closes::kChanges);
    itself.saw(exists ? &st : nullptr);
    add(std::move(itself));
    if (!exists) return;
    const auto target = S_ISLNK(st.st_mode) ? canonicalize(path) : Result<std::string>(path);
    if (target) pointed_to(*target);
  }

  // The usual case: a granted directory with a .git directory.
  void repository_in(const FsCapability& grant, const struct stat& now) {
    const std::lock_guard lock(seen_mutex);
    auto& all_seen = *seen_before;
    const auto known = all_seen.find(grant.resolved);
    if (known != all_seen.end() && known->second.holds_for(now)) {
      for (const Denial& denial : known->second.found) add(denial);
      return;
    }
    Seen seen{now, {}};
    for (const char* name : kTrustedBelow) {
      seen.found.push_back(Denial::literal(below(grant.resolved, name), Closes::kChanges));
      seen.found.back().look_at(directory_of(grant), name);
      add(seen.found.back());
    }
    if (seen.found.back().found != Found::kNothing) return common_of(below(grant.resolved, ".git"));  // which may change by itself
    if (all_seen.size() >= kMostSeen) all_seen.clear();
    all_seen[grant.resolved] = std::move(seen);
  }

  // A `.git` file, or what a `.git` link points to.
  void pointed_to(const std::string& path) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0) return;
    if (S_ISDIR(st.st_mode)) return repository(path);
    add_writable(path);
    if (const auto directory = path_in(path, "gitdir: ", parent_of(path))) repository(*directory);
  }

  void repository(const std::string& directory) {
    for (const char* name : kTrusted) add_writable(below(directory, name));
    common_of(directory);
  }

  void common_of(const std::string& directory) {
    const auto common = path_in(below(directory, "commondir"), "", directory);
    if (!common) return;
    for (const char* name : kTrusted) add_writable(below(*common, name));
  }

  void add_writable(const std::string& path) {
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

  static bool is_there(int directory, const char* name) {
    struct stat st {};
    return ::fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  }

  const std::vector<FsCapability>& grants_;
  std::vector<Denial> found_;
};

}  // namespace

std::vector<Denial> git_names_here(const std::vector<FsCapability>& grants) { return Finder(grants).find(); }

}  // namespace nono::capability
