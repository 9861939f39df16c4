// What a seccomp allow-list costs one command: compiling it, and installing it before /bin/true.
// For 0003-own-seccomp-compiler.md, which has the command line that builds and runs this.
//
// Both compilers get the calls that src/plan/syscalls.inc does not refuse outright. Ours looks at
// arguments besides, so it has more to say, not less.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "plan/seccomp_rules.h"

namespace {

using Clock = std::chrono::steady_clock;
using Program = std::vector<sock_filter>;

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

bool is_refused(nono::plan::Verdict verdict) {
  using enum nono::plan::Verdict;
  return verdict == kDeny || verdict == kAbsent || verdict == kWatch || verdict == kListen;
}

Program by_libseccomp(unsigned optimize) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
  seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
  if (optimize != 0) seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
  for (const nono::plan::Syscall& call : nono::plan::syscall_table()) {
    if (is_refused(call.verdict) || call.x86_64 < 0) continue;
    seccomp_rule_add(filter, SCMP_ACT_ALLOW, call.x86_64, 0);
  }
  const int file = memfd_create("bpf", 0);
  if (seccomp_export_bpf(filter, file) != 0) std::abort();
  seccomp_release(filter);
  Program program(static_cast<std::size_t>(lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
  if (pread(file, program.data(), program.size() * sizeof(sock_filter), 0) < 0) std::abort();
  close(file);
  return program;
}

Program by_nono() {
  nono::plan::SeccompRules rules;  // no network, Landlock ABI 3 to 8
  const auto compiled = nono::plan::compile_seccomp(rules);
  Program program;
  for (const auto& i : **compiled) program.push_back({i.code, i.jt, i.jf, i.k});
  return program;
}

// One /bin/true, from clone to reaped.
double start_true(const Program& program) {
  const sock_fprog installed{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  const auto start = Clock::now();
  const pid_t child = vfork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!program.empty() && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &installed) != 0) _exit(126);
    execl("/bin/true", "true", static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) std::abort();
  return since(start);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  struct Variant {
    const char* name;
    Program program;
    double compile = 0;
    std::vector<double> times;
  };
  std::vector<Variant> variants{{"no filter", {}, 0, {}}, {"libseccomp", {}, 0, {}},
                                {"libseccomp, binary tree", {}, 0, {}}, {"nono", {}, 0, {}}};
  for (std::size_t i = 1; i < variants.size(); ++i) {
    const auto start = Clock::now();
    variants[i].program = i == 3 ? by_nono() : by_libseccomp(i == 2 ? 2 : 0);
    variants[i].compile = since(start);
  }
  for (int round = 0; round < 400; ++round) {
    for (Variant& variant : variants) variant.times.push_back(start_true(variant.program));
  }
  std::printf("%-26s %14s %12s %22s\n", "", "compile, us", "instructions", "/bin/true median, us");
  for (const Variant& variant : variants) {
    std::printf("%-26s %14.0f %12zu %22.0f\n", variant.name, variant.compile, variant.program.size(), median(variant.times));
  }
}
