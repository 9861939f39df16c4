#include "launch/setup_failure.h"

#include "base/text.h"

namespace nono::launch {
namespace {

const char* limit_name(int resource) {
  switch (resource) {
    case RLIMIT_CORE: return "core";
    case RLIMIT_AS: return "max_memory_bytes";
    case RLIMIT_NPROC: return "max_processes";
    case RLIMIT_CPU: return "max_cpu_seconds";
    case RLIMIT_FSIZE: return "max_file_size_bytes";
    case RLIMIT_NOFILE: return "max_open_files";
    default: return "limit";
  }
}

std::string reason(const Failure& failure, const Launch& launch) {
  const std::string error = os_error(failure.error);
  const auto sandbox = [&](const char* what) {
    return cat("sandbox apply failed: Sandbox initialization failed: ", what, ": ", error);
  };
  switch (failure.step.load()) {
    case Step::kNone: return "the command's keeper was killed from outside";
    case Step::kHostGone: return "the calling process ended";
    case Step::kKeeper: return cat("keeper setup failed: ", error);
    case Step::kView: return sandbox(failure.detail);
    case Step::kNoNewPrivs: return sandbox("prctl");
    case Step::kScope: return sandbox("landlock_restrict_self (signal scope)");
    case Step::kScopeProof:
      return sandbox("the Landlock signal scope does not hold, so the tree could not be ended safely");
    case Step::kClone: return cat("clone failed: ", error);
    case Step::kStdio: return cat("failed to set up standard streams: ", error);
    case Step::kDescriptors: return cat("failed to close inherited file descriptors: ", error);
    case Step::kDirectory: return "failed to chdir";
    case Step::kLimit:
      return cat("failed to set resource limit (", limit_name(launch.limits[failure.index].resource),
                 ": ", error, ")");
    case Step::kGroups: return cat("failed to drop privileges: setgroups: ", error);
    case Step::kGid: return cat("failed to drop privileges: setgid(", launch.gid, "): ", error);
    case Step::kUid: return cat("failed to drop privileges: setuid(", launch.uid, "): ", error);
    case Step::kCapabilities: return cat("failed to drop privileges: capset: ", error);
    case Step::kLandlock: return sandbox("landlock_restrict_self");
    case Step::kSeccomp: return sandbox("seccomp");
    case Step::kExec: return cat("exec failed: ", error);
  }
  return "unknown failure";
}

}  // namespace

SetupFailure describe_setup_failure(const Failure& failure, const Launch& launch) {
  return {failure.step.load() == Step::kExec ? 127 : 126, cat("nono: ", reason(failure, launch), "\n")};
}

}  // namespace nono::launch
