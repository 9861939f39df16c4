#include "launch/apply.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "base/text.h"
#include "kernel/landlock.h"
#include "kernel/signals.h"
#include "launch/all_threads.h"
#include "launch/bind_thread.h"
#include "launch/keeper.h"
#include "launch/rulesets.h"

namespace nono::launch {
namespace {

using End = ThreadsOutcome::End;

constexpr const char* kBeforeThreads =
    "Call apply() before other threads start, or run the work with sandboxed_exec.";
// Landlock's second erratum: a thread could not signal its own process's threads in other domains.
constexpr std::uint32_t kErratumSignalsInProcess = 1U << 1;

tl::unexpected<Error> refuse(std::string what, std::string hint = {}) {
  return fail(ErrorKind::kSandboxInit, cat("Sandbox initialization failed: ", what), std::move(hint));
}

Result<int> count_threads() {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> tasks(::opendir("/proc/self/task"));
  if (tasks == nullptr) {
    return refuse(cat("cannot count this process's threads: /proc/self/task: ", os_error(errno)));
  }
  int count = 0;
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

// A line of /proc/self/task/ID/status.
std::string status_of(int thread, const std::string& name) {
  std::ifstream file(cat("/proc/self/task/", thread, "/status"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return line.substr(name.size());
  }
  return {};
}

std::string name_of(int thread) { return cat("thread ", thread, " (", escape(status_of(thread, "Name:\t")), ")"); }

std::string why_silent(int thread) {
  constexpr unsigned long long kOurs = 1ULL << 32;  // signal 33
  if ((std::strtoull(status_of(thread, "SigBlk:\t").c_str(), nullptr, 16) & kOurs) != 0) {
    return "it blocks every signal, the C library's own included";
  }
  const std::string state = status_of(thread, "State:\t");
  return state.starts_with('D') ? "it sleeps where no signal wakes it" : cat("its state is ", escape(state));
}

std::string step_text(long result) {
  const int error = failed_errno(result);
  const std::string reason = error == 0 ? std::string() : cat(": ", os_error(error));
  switch (failed_step(result)) {
    case BindStep::kNone: break;
    case BindStep::kSeveral: break;
    case BindStep::kNoNewPrivs: return cat("no_new_privs", reason);
    case BindStep::kSeccomp: return cat("seccomp", reason);
    case BindStep::kLandlock: return cat("landlock_restrict_self", reason);
    case BindStep::kCapabilities: return cat("capset", reason);
    case BindStep::kProof: return "no_new_privs or the seccomp filter is not there";
  }
  return reason;
}

// The caller's own steps failed. Only Landlock and what follows come after a change for all.
tl::unexpected<Error> caller_failed(const Binding& binding, long result) {
  if (binding.unlike_thread != 0) {
    return refuse(cat("seccomp: ", name_of(binding.unlike_thread), " has a filter of its own; no thread is restricted"),
                  kBeforeThreads);
  }
  const BindStep step = failed_step(result);
  if (step == BindStep::kNoNewPrivs || step == BindStep::kSeccomp) return refuse(step_text(result));
  return refuse(cat(step_text(result), "; the seccomp filter holds on every thread already"),
                "End this process: it is restricted in part.");
}

Result<Applied> outcome_of(const ThreadsOutcome& outcome, const Binding& binding) {
  const char* unchanged = "; nothing has changed";
  const int error = static_cast<int>(-outcome.error);
  switch (outcome.end) {
    case End::kDone: return Applied{outcome.threads};
    case End::kBusy: return refuse("another thread is applying a sandbox");
    case End::kSetup: return refuse(cat("cannot see this process's threads in /proc/self: ", os_error(error)));
    case End::kUnreachable:
      return refuse(outcome.error != 0
                        ? cat("cannot signal this process's threads: ", os_error(error), unchanged)
                        : cat(name_of(outcome.thread), " cannot be reached: ", why_silent(outcome.thread), unchanged),
                    kBeforeThreads);
    case End::kRestless:
      return refuse(outcome.error != 0 ? cat("cannot signal every thread: ", os_error(error), unchanged)
                                       : cat("threads start faster than they can be held", unchanged),
                    kBeforeThreads);
    case End::kProbe:
      if (failed_step(outcome.error) == BindStep::kSeveral) {
        return refuse("this kernel's Landlock would keep the threads from signalling each other; nothing has changed",
                      cat(kBeforeThreads, " Linux 6.15 has the correction (Landlock erratum 2)."));
      }
      return refuse(cat(name_of(outcome.thread), ": ", step_text(outcome.error), unchanged), kBeforeThreads);
    case End::kCaller: return caller_failed(binding, outcome.error);
    case End::kOther:
      return refuse(cat(outcome.failed, " of ", outcome.threads, " threads could not be bound, among them ",
                        outcome.thread, ": ", step_text(outcome.error),
                        "; the others are, and the seccomp filter holds on every thread"),
                    "End this process: it is restricted in part.");
  }
  return refuse("unknown outcome");
}

// Would landlock_restrict_self succeed now? A thread that ends at once tries (16 domains at most lie in
// each other), so that a failure changes nothing.
Status try_on_a_thread(const Fd& ruleset) {
  struct Trial {
    const Fd& ruleset;
    Status result;
  } trial{ruleset, {}};
  const auto attempt = [](void* argument) -> void* {
    auto& it = *static_cast<Trial*>(argument);
    it.result = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                    ? Status(refuse(cat("prctl: ", os_error(errno))))
                    : kernel::landlock_restrict_self(it.ruleset, 0);
    return nullptr;
  };
  pthread_t thread{};
  if (pthread_create(&thread, nullptr, attempt, &trial) != 0) return {};  // then the thing itself will tell
  pthread_join(thread, nullptr);
  return std::move(trial.result);
}

}  // namespace

Result<Applied> apply(const plan::Plan& plan) {
  const struct Afterwards {
    ~Afterwards() { kernel::forget_host_facts(); }
  } afterwards;
  Keeper::discard_kept();  // they are not bound by what follows
  for (const auto& grant : plan.grants) {
    if (Status same = capability::check_unchanged(grant); !same) return tl::unexpected(same.error());
  }
  const Fd ruleset = NONO_TRY(make_ruleset(plan.landlock));
  // A handler of the host's could wait for a held thread, or run on the trial's.
  const kernel::BlockAllSignals blocked;
  if (Status ok = try_on_a_thread(ruleset); !ok) return tl::unexpected(ok.error());

  const SeccompInstall filter{static_cast<unsigned short>(plan.seccomp_program->size()), plan.seccomp_program->data()};
  Binding binding;
  binding.ruleset = ruleset.get();
  binding.kept_capabilities = plan.kept_capabilities;
  binding.filter = &filter;
  const bool scoped = (plan.landlock.scoped & kernel::kScopeSignal) != 0;
  binding.may_be_several = !scoped || (plan.facts.landlock_errata & kErratumSignalsInProcess) != 0;

  if (plan.facts.landlock_abi >= 8 && plan.facts.capabilities == 0) {
    const int threads = NONO_TRY(count_threads());
    binding.caller_flags = kernel::kLandlockRestrictSelfTsync;
    if (const long bound = bind_caller(&binding); bound < 0) return caller_failed(binding, bound);
    return Applied{threads};
  }
  return outcome_of(on_every_thread({can_bind, bind_caller, bind_other, &binding}), binding);
}

}  // namespace nono::launch
