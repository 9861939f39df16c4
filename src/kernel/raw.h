// System calls without libc, for code that runs between clone and exec in memory shared with the
// host: no errno (it would be the host thread's), no allocation, no lock, no cancellation point.
//
// Every function returns what the kernel returns: a value, or minus an errno.
#pragma once

#include <sys/syscall.h>

namespace nono::kernel::raw {

#if defined(__x86_64__)

inline long call(long nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// clone(2) with a stack of the child's own: the child runs `entry(argument)` and must not return.
// `slot` is the place for CLONE_PIDFD, CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID.
inline long clone(unsigned long flags, void* stack_top, int* slot, void (*entry)(void*),
                  void* argument) {
  auto** stack = static_cast<void**>(stack_top);
  *--stack = argument;
  *--stack = reinterpret_cast<void*>(entry);
  long result;
  register long r10 asm("r10") = reinterpret_cast<long>(slot);
  register long r8 asm("r8") = 0;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "pop %%rax\n\t"
      "pop %%rdi\n\t"
      "and $-16, %%rsp\n\t"
      "call *%%rax\n\t"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "a"(static_cast<long>(SYS_clone)), "D"(flags), "S"(stack), "d"(slot), "r"(r10), "r"(r8)
      : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

inline long call(long nr, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long x8 asm("x8") = nr;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}

inline long clone(unsigned long flags, void* stack_top, int* slot, void (*entry)(void*),
                  void* argument) {
  auto** stack = static_cast<void**>(stack_top);
  *--stack = argument;
  *--stack = reinterpret_cast<void*>(entry);
  register long x8 asm("x8") = SYS_clone;
  register long x0 asm("x0") = static_cast<long>(flags);
  register long x1 asm("x1") = reinterpret_cast<long>(stack);
  register long x2 asm("x2") = reinterpret_cast<long>(slot);
  register long x3 asm("x3") = 0;
  register long x4 asm("x4") = reinterpret_cast<long>(slot);
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "mov x30, #0\n\t"
      "ldp x9, x0, [sp], #16\n\t"
      "blr x9\n\t"
      "brk #0\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
      : "x9", "x30", "memory");
  return x0;
}

#endif

// For a loop that waits for another processor, which may share a core with this one.
inline void relax() {
#if defined(__x86_64__)
  asm volatile("pause");
#else
  asm volatile("yield");
#endif
}

template <class T>
long address(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace nono::kernel::raw
