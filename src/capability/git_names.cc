#include "capability/git_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
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

// What a directory was when names in it were looked up, and what was found. Each command asks, and nearly always nothing
// has been made, renamed or removed in it since: that would have changed its times.
struct Seen {
  struct stat directory {};
  std::vector<Denial> found;

  [[nodiscard]] bool holds_for(const struct stat& now) const {
    const auto same = [](const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; };
    return directory.st_dev == now.st_dev && directory.st_ino == now.st_ino && same(directory.st_mtim, now.st_mtim) &&
           same(directory.st_ctim, now.st_ctim);
  }
};

// Whatever changes in the directory from now on gives it other times. Those of most kernels go by their ticks, of up to
// 10 ms, so what has just changed may do so again and look the same.
bool is_settled(const struct stat& directory) {
  constexpr long kSettles = 50'000'000;  // ns
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto is_past = [&](const timespec& time) {  // which may be any: whoever owns a file sets it
    if (time.tv_sec > now.tv_sec || time.tv_sec < now.tv_sec - 1) return time.tv_sec < now.tv_sec;
    return (now.tv_sec - time.tv_sec) * 1'000'000'000 + (now.tv_nsec - time.tv_nsec) > kSettles;
  };
  return is_past(directory.st_mtim) && is_past(directory.st_ctim);
}

// By path. At most so many: a host may grant another one for every command.
constexpr std::size_t kMostSeen = 128;
ForkSafeMutex seen_mutex;
Immortal<std::map<std::string, Seen>> seen_before;

class Finder {
 public:
  explicit Finder(const std::vector<FsCapability>& grants) : grants_(grants) { found_.reserve(8); }

  std::vector<Denial> find() {
    for (const FsCapability& grant : grants_) {
      if (grant.is_file || !writes(grant.access)) continue;
      struct stat now {};
      const bool is_held = ::fstat(directory_of(grant), &now) == 0;
      if (is_held && add_seen(grant.resolved, now)) continue;
      const bool may_be_kept = is_held && is_settled(now);
      const bool has_git = at_root(grant);
      if (is_bare(grant)) repository(grant.resolved);
      else if (!has_git && may_be_kept) keep(grant.resolved, {now, {no_git(grant)}});
    }
    return std::move(found_);
  }

 private:
  // Names in the granted directory are looked up there: this is done for every command, and shorter.
  static int directory_of(const FsCapability& grant) { return grant.handle->fd.get(); }

  static bool is_bare(const FsCapability& grant) {
    const int root = directory_of(grant);
    return is_there(root, "HEAD") && is_there(root, "objects") && is_there(root, "refs");
  }

  static Denial no_git(const FsCapability& grant) {
    Denial denial = Denial::literal(below(grant.resolved, ".git"), Closes::kChanges);
    denial.saw(nullptr);
    return denial;
  }

  // Is there a .git?
  bool at_root(const FsCapability& grant) {
    Denial itself = no_git(grant);
    struct stat st {};
    if (::fstatat(directory_of(grant), ".git", &st, AT_SYMLINK_NOFOLLOW) != 0) {
      add(std::move(itself));
      return false;
    }
    if (S_ISDIR(st.st_mode)) {
      repository_in(grant, st);
      return true;
    }
    const std::string path = itself.resolved;
    itself.saw(&st);
    add(std::move(itself));
    const auto target = S_ISLNK(st.st_mode) ? canonicalize(path) : Result<std::string>(path);
    if (target) pointed_to(*target);
    return true;
  }

  // The usual case: a granted directory with a .git directory.
  void repository_in(const FsCapability& grant, const struct stat& now) {
    const std::string git = below(grant.resolved, ".git");
    if (add_seen(git, now)) return;
    const bool may_be_kept = is_settled(now);
    Seen seen{now, {}};
    for (const char* name : kTrustedBelow) {
      seen.found.push_back(Denial::literal(below(grant.resolved, name), Closes::kChanges));
      seen.found.back().look_at(directory_of(grant), name);
      add(seen.found.back());
    }
    if (seen.found.back().found != Found::kNothing) return common_of(git);  // which may change by itself
    if (may_be_kept) keep(git, std::move(seen));
  }

  // False: it has to be looked at.
  bool add_seen(const std::string& directory, const struct stat& now) {
    const std::lock_guard lock(seen_mutex);
    const auto known = seen_before->find(directory);
    if (known == seen_before->end() || !known->second.holds_for(now)) return false;
    for (const Denial& denial : known->second.found) add(denial);
    return true;
  }

  static void keep(const std::string& directory, Seen seen) {
    const std::lock_guard lock(seen_mutex);
    if (seen_before->size() >= kMostSeen) seen_before->clear();
    (*seen_before)[directory] = std::move(seen);
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
