// While threads are held: system calls only (all_threads.h).
#include "launch/all_threads.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "launch/child_steps.h"

namespace nono::launch {
namespace {

using End = ThreadsOutcome::End;

constexpr int kSignal = 33;  // glibc's SIGSETXID
constexpr std::size_t kMostThreads = 1 << 16;
constexpr long kSecond = 1'000'000'000;
constexpr long kPatience = 3 * kSecond;
constexpr long kLookAgain = 2'000'000;  // a thread that ends tells nobody

enum State : int {
  kAsked,
  kComing,   // in the handler, probing
  kHeld,
  kDone,     // its step has been run
  kLeft,     // the handler
  kGone,     // it has ended
  kZombie,   // a first thread that has ended; it is listed as long as the process lives
  kGivenUp,  // if the signal still reaches it, it is too late
};
constexpr unsigned bit(State state) { return 1U << state; }

enum Order : int { kHold, kGo, kLeave };

struct Thread {
  std::atomic<int> id;
  std::atomic<int> state;
  long result;
};

// For ever: the signal of an attempt that was given up may come at any time, also in a process that was
// forked meanwhile.
struct Round {
  Thread* threads = nullptr;
  std::atomic<std::size_t> count{0};
  std::atomic<int> order{kLeave};
  std::atomic<int> answers{0};
  std::atomic<int> owner{0};  // process
  ThreadSteps steps;
  KernelSigaction before;
};
constinit Round round;

struct Files {
  int tasks = -1;  // /proc/self/task
  int stat = -1;   // /proc/self/stat: of the first thread, with the number of all
};

void wait_while(std::atomic<int>& word, int value) {
  while (word.load() == value) call(SYS_futex, address(&word), FUTEX_WAIT_PRIVATE, value, 0);
}

void wake(std::atomic<int>& word, int most) { call(SYS_futex, address(&word), FUTEX_WAKE_PRIVATE, most); }

void answer(Thread& thread, State state) {
  thread.state.store(state);
  round.answers.fetch_add(1);
  wake(round.answers, 1);
}

void pass_on(int number, siginfo_t* info, void* context) {
  const auto handler = reinterpret_cast<long>(round.before.handler);
  if (handler == 0 || handler == 1) return;  // SIG_DFL, SIG_IGN
  reinterpret_cast<void (*)(int, siginfo_t*, void*)>(round.before.handler)(number, info, context);
}

// Every other signal is blocked in here.
void on_signal(int number, siginfo_t* info, void* context) {
  if (info->si_code != SI_QUEUE) return pass_on(number, info, context);
  const auto index = static_cast<std::size_t>(info->si_value.sival_int);
  if (index >= round.count.load()) return;
  Thread& thread = round.threads[index];
  int asked = kAsked;
  if (thread.id.load() != call(SYS_gettid) || !thread.state.compare_exchange_strong(asked, kComing)) return;
  thread.result = round.steps.probe(round.steps.argument);
  answer(thread, kHeld);
  wait_while(round.order, kHold);
  if (round.order.load() == kGo) {
    thread.result = round.steps.other(round.steps.argument);
    answer(thread, kDone);
    wait_while(round.order, kGo);
  }
  answer(thread, kLeft);
}

long now() {
  timespec time{};
  call(SYS_clock_gettime, CLOCK_MONOTONIC, address(&time));
  return time.tv_sec * kSecond + time.tv_nsec;
}

// Field 3 and field 20 of /proc/.../stat: state and number of threads.
struct Stat {
  char state = '?';
  long threads = -1;
};

Stat read_stat(int file) {
  char text[1024];
  const long size = call(SYS_pread64, file, address(text), sizeof text, 0);
  long at = size - 1;
  while (at >= 0 && text[at] != ')') --at;  // the name may hold anything
  if (at < 0 || at + 2 >= size) return {};
  Stat stat{text[at + 2], 0};
  int field = 2;
  for (++at; at < size && field < 21; ++at) {
    if (text[at] == ' ') {
      ++field;
    } else if (field == 20) {
      stat.threads = stat.threads * 10 + (text[at] - '0');
    }
  }
  return field == 21 ? stat : Stat{};
}

bool is_zombie(const Files& files, int id) {
  if (id == call(SYS_getpid)) return read_stat(files.stat).state == 'Z';  // held, this works under Landlock
  char path[32] = "/stat";
  char* end = path + sizeof path - sizeof "/stat";
  for (std::size_t i = 0; i < sizeof "/stat"; ++i) end[i] = "/stat"[i];
  for (; id > 0; id /= 10) *--end = static_cast<char>('0' + id % 10);
  const long file = call(SYS_openat, files.tasks, address(end), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const char state = read_stat(static_cast<int>(file)).state;
  call(SYS_close, file);
  return state == 'Z' || state == 'X';
}

Thread* first_at(unsigned states) {
  const std::size_t count = round.count.load();
  for (std::size_t i = 0; i < count; ++i) {
    if ((states >> round.threads[i].state.load()) & 1) return &round.threads[i];
  }
  return nullptr;
}

int number_at(unsigned states) {
  int number = 0;
  const std::size_t count = round.count.load();
  for (std::size_t i = 0; i < count; ++i) {
    number += static_cast<int>((states >> round.threads[i].state.load()) & 1);
  }
  return number;
}

void note_the_ended(const Files& files, unsigned states) {
  const long process = call(SYS_getpid);
  const std::size_t count = round.count.load();
  for (std::size_t i = 0; i < count; ++i) {
    Thread& thread = round.threads[i];
    if (((states >> thread.state.load()) & 1) == 0) continue;
    if (call(SYS_tgkill, process, thread.id.load(), 0) == -ESRCH) {
      thread.state.store(kGone);
    } else if (is_zombie(files, thread.id.load())) {
      thread.state.store(kZombie);
    }
  }
}

void pause() {
  const timespec time{0, kLookAgain};
  call(SYS_nanosleep, address(&time), 0);
}

// Until nobody is at one of these states. False: somebody still is.
bool wait_for_all(const Files& files, unsigned states, long deadline) {
  for (;;) {
    const int answers = round.answers.load();
    if (first_at(states) == nullptr) return true;
    if (now() > deadline) return false;
    const timespec time{0, kLookAgain};
    const long waited = call(SYS_futex, address(&round.answers), FUTEX_WAIT_PRIVATE, answers, address(&time));
    if (waited == -ETIMEDOUT) note_the_ended(files, states);
  }
}

bool is_known(int id) {
  const std::size_t count = round.count.load();
  for (std::size_t i = 0; i < count; ++i) {
    // A number may be given again.
    if (round.threads[i].id.load() == id && round.threads[i].state.load() != kGone) return true;
  }
  return false;
}

long ask(int id) {
  const std::size_t index = round.count.load();
  if (index == kMostThreads) return -E2BIG;
  Thread& thread = round.threads[index];
  thread.id.store(id);
  thread.result = 0;
  thread.state.store(kAsked);
  round.count.store(index + 1);
  siginfo_t info{};
  info.si_signo = kSignal;
  info.si_code = SI_QUEUE;
  info.si_value.sival_int = static_cast<int>(index);
  const long process = call(SYS_getpid);
  const long sent = call(SYS_rt_tgsigqueueinfo, process, id, kSignal, address(&info));
  if (sent != 0) thread.state.store(kGone);  // or asked again under another number
  return sent == -ESRCH ? 0 : sent;
}

// Asks every thread that is listed and has not been asked.
long ask_all(const Files& files) {
  struct Entry {
    unsigned long inode;
    long next;
    unsigned short size;
    unsigned char type;
    char name[1];
  };
  const long self = call(SYS_gettid);
  alignas(Entry) char entries[4096];
  long size = call(SYS_lseek, files.tasks, 0, SEEK_SET);
  while (size >= 0) {
    size = call(SYS_getdents64, files.tasks, address(entries), sizeof entries);
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(entries + at);
      at += entry->size;
      int id = 0;
      for (const char* digit = entry->name; *digit >= '0' && *digit <= '9'; ++digit) id = id * 10 + (*digit - '0');
      if (id == 0 || id == self || is_known(id)) continue;
      if (const long asked = ask(id); asked != 0) return asked;
    }
  }
  return size;
}

// Holds them all. A listing alone proves nothing, threads come and go while it is read. The number of
// threads does: those held are alive, so when there are no more than those, there is no other.
ThreadsOutcome gather(const Files& files) {
  const long deadline = now() + kPatience;
  ThreadsOutcome outcome;
  for (;;) {
    outcome.error = ask_all(files);
    if (outcome.error != 0 && outcome.error != -EAGAIN) {
      outcome.end = outcome.error == -EPERM ? End::kUnreachable : End::kRestless;
      return outcome;
    }
    if (!wait_for_all(files, bit(kAsked) | bit(kComing), deadline)) {
      const Thread* silent = first_at(bit(kAsked) | bit(kComing));
      outcome.end = End::kUnreachable;
      outcome.thread = silent == nullptr ? 0 : silent->id.load();
      return outcome;
    }
    outcome.threads = 1 + number_at(bit(kHeld) | bit(kZombie));
    if (read_stat(files.stat).threads == outcome.threads) break;
    if (now() > deadline) {
      outcome.end = End::kRestless;
      return outcome;
    }
    pause();
  }
  outcome.threads = 1 + number_at(bit(kHeld));
  outcome.end = End::kDone;
  return outcome;
}

void note_failures(ThreadsOutcome& outcome, State state, End end) {
  const std::size_t count = round.count.load();
  for (std::size_t i = 0; i < count; ++i) {
    const Thread& thread = round.threads[i];
    if (thread.state.load() != state || thread.result >= 0) continue;
    outcome.end = end;
    outcome.thread = thread.id.load();
    outcome.error = thread.result;
    ++outcome.failed;
  }
}

void give_order(Order order) {
  round.order.store(order);
  wake(round.order, static_cast<int>(kMostThreads));
}

ThreadsOutcome hold_and_run(const Files& files) {
  ThreadsOutcome outcome = gather(files);
  if (outcome.end != End::kDone) return outcome;
  note_failures(outcome, kHeld, End::kProbe);
  if (outcome.end != End::kDone) return outcome;
  outcome.error = round.steps.caller(round.steps.argument);
  if (outcome.error < 0) {
    outcome.end = End::kCaller;
    return outcome;
  }
  give_order(kGo);
  wait_for_all(files, bit(kHeld), __LONG_MAX__);
  note_failures(outcome, kDone, End::kOther);
  return outcome;
}

void release(const Files& files) {
  const std::size_t count = round.count.load();
  for (std::size_t i = 0; i < count; ++i) {
    int asked = kAsked;
    round.threads[i].state.compare_exchange_strong(asked, kGivenUp);
  }
  give_order(kLeave);
  wait_for_all(files, bit(kComing) | bit(kHeld) | bit(kDone), __LONG_MAX__);
}

long set_action(const KernelSigaction* action, KernelSigaction* before) {
  return call(SYS_rt_sigaction, kSignal, address(action), address(before), kSigsetSize);
}

void take_signal() {
  KernelSigaction action{};
  action.handler = reinterpret_cast<void*>(on_signal);
  action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | kSaRestorer;
  action.restorer = reinterpret_cast<void*>(restore);
  action.mask = kAllSignals;
  KernelSigaction before{};
  set_action(nullptr, &before);
  // Ours already: this process was forked from one that was at it.
  if (before.handler != action.handler) round.before = before;
  set_action(&action, nullptr);
}

// A signal that is still pending for a thread must not meet the default, which ends the process: being
// ignored for a moment throws it away. glibc's handler does nothing with one that it has not sent.
void give_signal_back() {
  if (round.before.handler == nullptr) {
    KernelSigaction ignore{};
    ignore.handler = reinterpret_cast<void*>(1);  // SIG_IGN
    set_action(&ignore, nullptr);
  }
  set_action(&round.before, nullptr);
}

bool take_ownership() {
  const int process = static_cast<int>(call(SYS_getpid));
  int owner = 0;
  while (!round.owner.compare_exchange_weak(owner, process)) {
    if (owner == process) return false;  // of another process: that one was forked meanwhile
  }
  return true;
}

long open_proc(const char* path, int flags) {
  return call(SYS_openat, AT_FDCWD, address(path), O_RDONLY | O_CLOEXEC | flags);
}

ThreadsOutcome prepare_and_run() {
  ThreadsOutcome outcome;
  if (round.threads == nullptr) {
    const long memory = call(SYS_mmap, 0, kMostThreads * sizeof(Thread), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory < 0 && memory > -4096) {
      outcome.error = memory;
      return outcome;
    }
    round.threads = reinterpret_cast<Thread*>(memory);
  }
  const long tasks = open_proc("/proc/self/task", O_DIRECTORY);
  const long stat = open_proc("/proc/self/stat", 0);
  const Files files{static_cast<int>(tasks), static_cast<int>(stat)};
  if (tasks >= 0 && stat >= 0) {
    round.count.store(0);
    round.order.store(kHold);
    take_signal();
    outcome = hold_and_run(files);
    release(files);
    give_signal_back();
  } else {
    outcome.error = tasks < 0 ? tasks : stat;
  }
  if (tasks >= 0) call(SYS_close, tasks);
  if (stat >= 0) call(SYS_close, stat);
  return outcome;
}

}  // namespace

ThreadsOutcome on_every_thread(const ThreadSteps& steps) {
  if (!take_ownership()) {
    ThreadsOutcome busy;
    busy.end = End::kBusy;
    return busy;
  }
  round.steps = steps;
  const ThreadsOutcome outcome = prepare_and_run();
  round.owner.store(0);
  return outcome;
}

}  // namespace nono::launch
