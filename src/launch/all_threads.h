// Something done on every thread of this process, or on none: what the kernel offers for the calling
// thread only.
//
// Each other thread is sent a signal, answers from its handler, and is held there. Only when nobody is
// left who could start a thread are the steps run: first the caller's own, then the others', all at
// once. A thread that does not answer in time (it blocks even this signal, or sleeps where no signal
// wakes it) ends the attempt, and everybody goes on as before.
// The signal is the one by which glibc carries setuid() to all threads. No libc call blocks it, so a
// thread that blocks "all" signals is reached as well; what is glibc's own is passed on to glibc.
//
// Any thread, one at a time. From the first thread held to the last one released the caller must take no
// lock and no memory: a held thread may own it. So the steps make system calls only, by kernel/raw.h,
// and all_threads.cc is compiled and checked like what runs between clone and exec.
// A process of the same user can send the signal too: to a thread that was not asked it does nothing.
#pragma once

namespace nono::launch {

// Below 0 is a failure.
struct ThreadSteps {
  long (*probe)(void* argument) = nullptr;   // on each other thread when it is held; must change nothing
  long (*caller)(void* argument) = nullptr;  // on the calling thread, when all answered and none refused
  long (*other)(void* argument) = nullptr;   // on each other thread, when the caller's has not failed
  void* argument = nullptr;
};

struct ThreadsOutcome {
  enum class End {
    kDone,         // on all
    kBusy,         // another thread is at it; nobody was asked
    kSetup,        // no /proc of this PID namespace, no memory, ...; nobody was asked
    kUnreachable,  // `thread` did not answer, or (with `error`) cannot be sent the signal
    kRestless,     // the number of threads never stood still, or no signal could be queued (`error`)
    kProbe,        // `thread` refused with `error`
    kCaller,       // the caller's step failed with `error`
    kOther,        // `failed` others did, `thread` with `error`; the step has been run on all others
  };
  End end = End::kSetup;
  int threads = 0;  // of this process, with the calling one
  int failed = 0;
  int thread = 0;
  long error = 0;  // what a step answered, or minus an errno
};

[[nodiscard]] ThreadsOutcome on_every_thread(const ThreadSteps& steps);

}  // namespace nono::launch
