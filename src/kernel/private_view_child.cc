// Runs between clone and exec in memory shared with the host: system calls only.
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <cerrno>

#include "kernel/private_view.h"
#include "kernel/raw.h"
#include "kernel/uapi.h"

namespace nono::kernel {
namespace {

using raw::address;
using raw::call;

constexpr std::size_t kMaxRoots = 64;

int write_file(const char* path, const char* text, std::size_t size) {
  const long fd = call(SYS_openat, AT_FDCWD, address(path), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return static_cast<int>(-fd);
  const long written = call(SYS_write, fd, address(text), static_cast<long>(size));
  call(SYS_close, fd);
  return written < 0 ? static_cast<int>(-written) : 0;
}

// A path as openat wants it below `top`, which stands for the root; AT_FDCWD: the root itself.
long path_below(int top, const ViewEntry& entry) { return address(top == AT_FDCWD ? entry.path : entry.path + 1); }

long open_place(const ViewEntry& entry, int top) {
  OpenHow how;
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = kResolveNoSymlinks | kResolveNoMagiclinks;
  return call(kNrOpenat2, top, path_below(top, entry), address(&how), sizeof how);
}

// The path as it is in this mount namespace, if it still is what was granted.
long open_root(const ViewEntry& root, int top = AT_FDCWD) {
  const long fd = open_place(root, top);
  if (fd < 0) return fd;
  struct statx st;
  const long ok = call(SYS_statx, fd, address(""), AT_EMPTY_PATH, STATX_INO, address(&st));
  const bool same = ok == 0 && st.stx_ino == root.inode &&
                    makedev(st.stx_dev_major, st.stx_dev_minor) == root.device;
  if (same) return fd;
  call(SYS_close, fd);
  return ok < 0 ? ok : -ESTALE;
}

// The map files above were open for writing, which keeps their mount busy. They are closed, but a
// command that another thread of the host is just starting may have a copy of them until its exec.
long make_root_read_only() {
  MountAttr read_only;
  read_only.attr_set = kMountAttrRdonly;
  constexpr int kTries = 200;
  const timespec pause{0, 100'000};
  for (int i = 0;; ++i) {
    const long r = call(kNrMountSetattr, AT_FDCWD, address("/"), kAtRecursive, address(&read_only),
                        sizeof read_only);
    if (r != -EBUSY || i == kTries) return r;
    call(SYS_nanosleep, address(&pause), 0);
  }
}

// One system call after the other, until one fails.
struct Steps {
  SetupFailure failure;
  long step(const char* what, long result) {
    if (result < 0 && failure.step == nullptr) failure = {what, static_cast<int>(-result)};
    return result;
  }
};

// Over its own place: who has it, has it under this name only.
SetupFailure pin(const ViewEntry& directory, int top) {
  Steps steps;
  const long place = steps.step("open a directory above a denied path", open_root(directory, top));
  if (place < 0) return steps.failure;
  const long tree = steps.step("open_tree", call(kNrOpenTree, place, address(""),
                                                 kOpenTreeClone | kAtEmptyPath | kAtRecursive | O_CLOEXEC));
  if (tree >= 0) {
    steps.step("move_mount", call(kNrMoveMount, tree, address(""), place, address(""),
                                  kMoveMountFEmptyPath | kMoveMountTEmptyPath));
    call(SYS_close, tree);
  }
  call(SYS_close, place);
  return steps.failure;
}

long new_tmpfs(Steps& steps, const char* mode, std::uint64_t attributes) {
  const long context = steps.step("fsopen(tmpfs)", call(kNrFsopen, address("tmpfs"), kFsopenCloexec));
  if (context < 0) return context;
  steps.step("fsconfig(mode)", call(kNrFsconfig, context, kFsconfigSetString, address("mode"), address(mode), 0));
  steps.step("fsconfig(size)", call(kNrFsconfig, context, kFsconfigSetString, address("size"), address("1m"), 0));
  steps.step("fsconfig(create)", call(kNrFsconfig, context, kFsconfigCmdCreate, 0, 0, 0));
  const long mount = steps.step("fsmount", call(kNrFsmount, context, kFsmountCloexec,
                                                static_cast<long>(kMountAttrNosuid | kMountAttrNodev | attributes)));
  call(SYS_close, context);
  return steps.failure.step == nullptr ? mount : -1;
}

// An empty directory that cannot be written to, and for all but the file system's owner not read.
long closed_directory(Steps& steps) { return new_tmpfs(steps, "000", kMountAttrRdonly | kMountAttrNoexec); }

// A device on a mount without devices: opening it is refused to everybody.
long closed_file(Steps& steps) {
  const long tree = steps.step("open_tree(/dev/null)", call(kNrOpenTree, AT_FDCWD, address("/dev/null"),
                                                            kOpenTreeClone | O_CLOEXEC));
  if (tree < 0) return tree;
  MountAttr closed;
  closed.attr_set = kMountAttrRdonly | kMountAttrNosuid | kMountAttrNodev | kMountAttrNoexec;
  steps.step("mount_setattr",
             call(kNrMountSetattr, tree, address(""), kAtEmptyPath, address(&closed), sizeof closed));
  return steps.failure.step == nullptr ? tree : -1;
}

SetupFailure cover(const ViewEntry& entry, int top) {
  Steps steps;
  const long place = steps.step("open a denied path", open_root(entry, top));
  if (place < 0) return steps.failure;
  struct statx st;
  steps.step("statx", call(SYS_statx, place, address(""), AT_EMPTY_PATH, STATX_TYPE, address(&st)));
  const long tree = S_ISDIR(st.stx_mode) ? closed_directory(steps) : closed_file(steps);
  if (steps.failure.step == nullptr) {
    steps.step("move_mount", call(kNrMoveMount, tree, address(""), place, address(""),
                                  kMoveMountFEmptyPath | kMoveMountTEmptyPath));
  }
  if (tree >= 0) call(SYS_close, tree);
  call(SYS_close, place);
  return steps.failure;
}

int add_rule(int ruleset, const ProcRule& rule) {
  const long fd = call(SYS_openat, AT_FDCWD, address(rule.path), O_PATH | O_CLOEXEC);
  if (fd < 0) return static_cast<int>(-fd);
  const LandlockPathBeneathAttr attr{rule.access, static_cast<std::int32_t>(fd)};
  const long added = call(kNrLandlockAddRule, ruleset, kLandlockRulePathBeneath, address(&attr), 0);
  call(SYS_close, fd);
  return added < 0 ? static_cast<int>(-added) : 0;
}

// What is pinned first has to be seen through what is pinned later: outermost first.
SetupFailure close_denied(const PrivateViewSetup& setup, int top) {
  for (std::size_t i = 0; i < setup.pinned_count; ++i) {
    if (const SetupFailure failure = pin(setup.pinned[i], top); failure.step != nullptr) return failure;
  }
  for (std::size_t i = 0; i < setup.covered_count; ++i) {
    if (const SetupFailure failure = cover(setup.covered[i], top); failure.step != nullptr) return failure;
  }
  return {};
}

SetupFailure restrict_root(const PrivateViewSetup& setup) {
  // A copy of each writable mount is taken before everything becomes read-only, and put over its
  // own place afterwards.
  if (setup.writable_count > kMaxRoots) return {"too many writable grants", E2BIG};
  int places[kMaxRoots];
  int trees[kMaxRoots];
  for (std::size_t i = 0; i < setup.writable_count; ++i) {
    const long place = open_root(setup.writable[i]);
    if (place < 0) return {"open a writable grant", static_cast<int>(-place)};
    const long tree = call(kNrOpenTree, place, address(""),
                           kOpenTreeClone | kAtEmptyPath | kAtRecursive | O_CLOEXEC);
    if (tree < 0) return {"open_tree", static_cast<int>(-tree)};
    places[i] = static_cast<int>(place);
    trees[i] = static_cast<int>(tree);
  }
  long r = make_root_read_only();
  if (r < 0) return {"make the root read-only", static_cast<int>(-r)};
  for (std::size_t i = 0; i < setup.writable_count; ++i) {
    r = call(kNrMoveMount, trees[i], address(""), places[i], address(""),
             kMoveMountFEmptyPath | kMoveMountTEmptyPath);
    if (r < 0) return {"move_mount", static_cast<int>(-r)};
    call(SYS_close, trees[i]);
    call(SYS_close, places[i]);
  }
  return close_denied(setup, AT_FDCWD);
}

// From the host's root to the same place in the new one.
void bind(const ViewStep& bound, int top, Steps& steps) {
  const long source = steps.step("open a grant", open_root(bound.entry));
  if (source < 0) return;
  const long tree = steps.step("open_tree", call(kNrOpenTree, source, address(""),
                                                 kOpenTreeClone | kAtEmptyPath | kAtRecursive | O_CLOEXEC));
  call(SYS_close, source);
  if (tree < 0) return;
  if (bound.kind == ViewStep::Kind::kBind) {
    MountAttr read_only;
    read_only.attr_set = kMountAttrRdonly;
    steps.step("mount_setattr", call(kNrMountSetattr, tree, address(""), kAtEmptyPath | kAtRecursive,
                                     address(&read_only), sizeof read_only));
  }
  const long place = steps.step("open a grant's place",
                                bound.in_grant ? open_root(bound.entry, top) : open_place(bound.entry, top));
  if (steps.failure.step == nullptr) {
    steps.step("move_mount", call(kNrMoveMount, tree, address(""), place, address(""),
                                  kMoveMountFEmptyPath | kMoveMountTEmptyPath));
  }
  if (place >= 0) call(SYS_close, place);
  call(SYS_close, tree);
}

void add(const ViewStep& wanted, int top, Steps& steps) {
  const long path = path_below(top, wanted.entry);
  switch (wanted.kind) {
    case ViewStep::Kind::kDirectory: steps.step("mkdir", call(SYS_mkdirat, top, path, 0755)); break;
    case ViewStep::Kind::kFile: steps.step("mknod", call(SYS_mknodat, top, path, S_IFREG | 0444, 0)); break;
    case ViewStep::Kind::kLink: steps.step("symlink", call(SYS_symlinkat, address(wanted.target), top, path)); break;
    case ViewStep::Kind::kBind:
    case ViewStep::Kind::kBindWritable: bind(wanted, top, steps); break;
  }
}

// The new root lies on top of the old one, which this process still goes through by name, until it is
// complete. Then nothing is left of the old one: nobody inside can uncover it, and no list of mounts shows it.
SetupFailure enter_own_root(const PrivateViewSetup& setup) {
  Steps steps;
  const long new_root = new_tmpfs(steps, "0755", 0);
  if (new_root < 0) return steps.failure;
  const int top = static_cast<int>(new_root);
  steps.step("move_mount(/)", call(kNrMoveMount, top, address(""), AT_FDCWD, address("/"), kMoveMountFEmptyPath));
  const long umask = call(SYS_umask, 0);
  for (std::size_t i = 0; i < setup.step_count && steps.failure.step == nullptr; ++i) add(setup.steps[i], top, steps);
  call(SYS_umask, umask);
  if (steps.failure.step != nullptr) return steps.failure;
  if (const SetupFailure failure = close_denied(setup, top); failure.step != nullptr) return failure;
  MountAttr read_only;
  read_only.attr_set = kMountAttrRdonly;
  steps.step("mount_setattr(/)",
             call(kNrMountSetattr, top, address(""), kAtEmptyPath, address(&read_only), sizeof read_only));
  steps.step("fchdir", call(SYS_fchdir, top));
  call(SYS_close, top);
  if (steps.failure.step != nullptr) return steps.failure;
  steps.step("pivot_root", call(SYS_pivot_root, address("."), address(".")));
  if (steps.failure.step == nullptr) steps.step("umount", call(SYS_umount2, address("."), MNT_DETACH));
  return steps.failure;
}

}  // namespace

SetupFailure make_private_view(const PrivateViewSetup& setup) {
  if (setup.user_namespace) {
    if (const int e = write_file("/proc/self/setgroups", "deny", 4)) return {"write setgroups", e};
    if (const int e = write_file("/proc/self/uid_map", setup.uid_map, setup.uid_map_size)) {
      return {"write uid_map", e};
    }
    if (const int e = write_file("/proc/self/gid_map", setup.gid_map, setup.gid_map_size)) {
      return {"write gid_map", e};
    }
  }
  const long r = call(SYS_mount, 0, address("/"), 0, MS_REC | MS_PRIVATE);
  if (r < 0) return {"make mounts private", static_cast<int>(-r)};
  return setup.own_root ? enter_own_root(setup) : restrict_root(setup);
}

SetupFailure mount_fresh_proc(const FreshProcSetup& setup) {
  const long r = call(SYS_mount, address("proc"), address("/proc"), address("proc"),
                      MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, 0);
  if (r < 0) return {"mount /proc", static_cast<int>(-r)};
  for (std::size_t i = 0; i < setup.rule_count; ++i) {
    if (const int e = add_rule(setup.ruleset, setup.rules[i])) return {"grant below /proc", e};
  }
  return {};
}

}  // namespace nono::kernel
