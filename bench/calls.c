/* What calls cost that a supervisor has a say in. Prints microseconds for one call, the best of some rounds.

     calls            chmod, an open for reading by an absolute path, the same by a relative one, and an open that makes the
                      file or empties it: of "file" in the working directory. Each descriptor is closed again.
     calls floor      what a supervisor takes that has one thread and does next to nothing: a call that is answered at once
                      with a number; an open that the kernel is told to go on with; one that is answered at once with a
                      descriptor that the supervisor has already; and one for which the system calls are made that it takes to
                      open a file by a path that is read from the caller, with nothing between them. With
                      SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, in two processes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9, CALLS = 5000 };

static char absolute[PATH_MAX + 8];

static void change_mode(void) { chmod("file", 0600); }
static void open_absolute(void) { close(open(absolute, O_RDONLY)); }
static void open_relative(void) { close(open("file", O_RDONLY)); }
static void open_to_write(void) { close(open("file", O_WRONLY | O_CREAT | O_TRUNC, 0600)); }
static void get_parent(void) { syscall(SYS_getppid); }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void measure(void (*call)(void)) {
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    const double start = now();
    for (int i = 0; i < CALLS; ++i) call();
    const double taken = (now() - start) / CALLS;
    if (taken < best) best = taken;
  }
  printf("%.2f\n", best);
  fflush(stdout);
}

static int listen_to(int number) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void hand_over(int socket, int descriptor) {
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  sendmsg(socket, &message, 0);
}

static int take_over(int socket) {
  char byte, control[CMSG_SPACE(sizeof(int))];
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int descriptor = -1;
  if (recvmsg(socket, &message, 0) == 1) memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
  return descriptor;
}

enum answer { NUMBER, CONTINUE, DESCRIPTOR, OPENED };

static void give(int listener, unsigned long long id, int descriptor) {
  struct seccomp_notif_addfd handed = {.id = id, .flags = 1U << 1 /* SECCOMP_ADDFD_FLAG_SEND */, .srcfd = (unsigned)descriptor};
  ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &handed);
}

static int open_file(const struct seccomp_notif* request) {
  char path[256];
  struct iovec here = {path, sizeof path};
  struct iovec there = {(void*)request->data.args[1], sizeof path};
  process_vm_readv((pid_t)request->pid, &here, 1, &there, 1, 0);
  struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  const int opened = (int)syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof how);
  struct stat st;
  fstat(opened, &st);
  fcntl(opened, F_SETFL, O_RDONLY);
  return opened;
}

static void answer_call(int listener, const struct seccomp_notif* request, enum answer how) {
  if (how == DESCRIPTOR) return give(listener, request->id, STDIN_FILENO);
  if (how == OPENED) {
    const int opened = open_file(request);
    give(listener, request->id, opened);
    close(opened);
    return;
  }
  struct seccomp_notif_resp answer = {.id = request->id, .flags = how == CONTINUE ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void supervised(int number, void (*call)(void), enum answer how) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) exit(1);
  if (fork() == 0) {
    hand_over(ends[1], listen_to(number));
    measure(call);
    _exit(0);
  }
  const int listener = take_over(ends[0]);
  ioctl(listener, _IOW('!', 4, unsigned long long), 1UL);
  for (int i = 0; i < ROUNDS * CALLS; ++i) {
    struct seccomp_notif request = {0};
    struct pollfd waits = {listener, POLLIN, 0};
    if (how == OPENED) poll(&waits, 1, -1);  // which alone can be ended from outside
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) break;
    answer_call(listener, &request, how);
  }
  close(listener);
  wait(NULL);
}

int main(int argc, char** argv) {
  if (getcwd(absolute, PATH_MAX) == NULL) return 1;
  strcat(absolute, "/file");
  if (argc > 1 && strcmp(argv[1], "floor") == 0) {
    supervised(SYS_getppid, get_parent, NUMBER);
    supervised(SYS_openat, open_absolute, CONTINUE);
    supervised(SYS_openat, open_absolute, DESCRIPTOR);
    supervised(SYS_openat, open_absolute, OPENED);
    return 0;
  }
  measure(change_mode);
  measure(open_absolute);
  measure(open_relative);
  measure(open_to_write);
  return 0;
}
