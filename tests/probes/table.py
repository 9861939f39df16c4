"""The attacks, row by row: what stops each, which programs try it, and what is still open.

Plain data: importable without pytest and without nono_py. Every row says why if nothing is tried:
  waits_for     the feature that the row is about is not there yet
  out_of_scope  it cannot be tried by a program in the sandbox, or is nothing that a sandbox holds
  tested_in     it is tried, but not in this way
"""

from __future__ import annotations

from dataclasses import dataclass

BLOCKED = ("blocked",)  # no network at all
LIMITED = ("blocked", "ports")  # ... and TCP to one port, of another server
ANY = ("blocked", "ports", "open")

PROC = ("read /proc",)
PROC_WRITE = ("write /proc", "unprotect git")  # nothing can be protected in /proc
PROTECT = ("protect",)
DENY_PATH = ("deny work/private/secret",)
DENY_PATTERN = ("deny **/.env",)
GRANTED_SOCKET = ("socket library/granted",)


@dataclass(frozen=True)
class Open:
    """A setting in which the attack is not stopped. None is any."""

    reason: str
    isolation: str | None = None  # "process", "namespaces", "strict"
    entry: str | None = None  # "sdk", "cli"
    identity: str | None = None  # "root", "user"


@dataclass(frozen=True)
class Attack:
    """One program in attacks/. Every sandbox may read the system's programs and write to `work`."""

    name: str
    stage: str = "exit_status"  # in a file of stages: what it is aimed at, and its judge
    networks: tuple[str, ...] = BLOCKED
    grants: tuple[str, ...] = ()  # what else is granted
    needs: str = ""  # "root", or what not every kernel or user has: without it there is nothing to stop
    open: tuple[Open, ...] = ()


@dataclass(frozen=True)
class Row:
    number: int
    title: str
    stopped_by: str = ""
    expected: str = ""
    attacks: tuple[Attack, ...] = ()
    waits_for: str = ""
    out_of_scope: str = ""
    tested_in: str = ""


STAT = tuple(Open("not hidden without strict", isolation) for isolation in ("process", "namespaces"))
OWN_REPOSITORY = (Open("a repository that the command made is its own"),)
NAME_GRANTED = (Open("what is granted is a name, and in a write grant anything may get it"),)
NAME_DENIED = (Open("a pattern is about names, and the file had another one before"),)
SECOND_MOUNT = tuple(Open("a mount view does not notice a second mount", isolation) for isolation in ("namespaces", "strict"))
MOUNTS = "mounts of one's own, which root has, and others where user namespaces are allowed"
XATTRS = "a file system with user attributes"
FILE_ATTRIBUTES = "Linux 6.17 and a file system that has them"


def many(names: str, *arguments: object, **more: object) -> tuple[Attack, ...]:
    """Attacks that differ in their names only."""
    return tuple(Attack(name, *arguments, **more) for name in names.split())  # type: ignore[arg-type]


FILES = (
    Row(
        1, "Symbolic link in the workspace to a file outside", "Landlock checks the object, not its name", "EACCES",
        many("row01_symlink_read row01_symlink_write row01_dot_dot", "file_outside"),
    ),
    Row(
        2, "Hard link to a file outside, then write", "Landlock REFER", "EXDEV or EACCES",
        many("row02_hard_link row02_hard_link_by_descriptor", "file_outside", grants=PROC),
    ),
    Row(
        3, "Rename to change what may be done", "Landlock REFER", "EXDEV or EACCES",
        (
            *many("row03_rename_in row03_exchange", "file_outside"),
            Attack("row03_rename_to_more_rights", "file_in_library", grants=("read library",)),
        ),
    ),
    Row(
        4, "Symbolic link swapped while a supervisor opens a path", "supervisor: opens once, decides about what it holds",
        "100,000 attempts change nothing outside, and read and make nothing that is denied",
        tested_in="tests/python/test_metadata.py: test_row04_a_link_that_is_swapped; "
        "tests/python/test_supervised_names.py: test_races_read_nothing_denied, test_races_make_nothing_protected",
    ),
    Row(
        5, "Files by way of /proc/*/root, cwd and fd", "Landlock checks the object, and who may trace whom",
        "EACCES or ENOENT",
        (
            Attack("row05_proc_self_root", "file_outside", grants=PROC),
            *many("row05_proc_root row05_proc_cwd row05_proc_fd", "victim", grants=PROC),
        ),
    ),
    Row(
        6, "Memory of another process by way of /proc/*/mem", "Landlock: who may trace whom", "EACCES or ENOENT",
        many("row06_read_mem row06_write_mem", "victim", grants=PROC_WRITE),
    ),
    Row(
        24, "Mode, owner, times, attributes and flags of files outside",
        "supervisor: performs such calls in write grants only; in a mount view all else is read-only",
        "EPERM or EROFS; nothing has changed",
        (
            *many("row24_chmod row24_chown row24_utimensat", "file_outside"),
            *many("row24_chmod_of_descriptor", "file_outside", grants=PROC),
            *many("row24_fchmodat2 row24_fchmodat2_descriptor", "file_outside", needs="Linux 6.6"),
            *many("row24_setxattr row24_removexattr", "file_outside", needs=XATTRS),
            Attack("row24_setxattrat", "file_outside", needs="Linux 6.13"),
            Attack("row24_file_setattr", "file_outside", needs=FILE_ATTRIBUTES),
            *many("row24_setflags row24_fchmod_of_open_file", "file_outside"),
            *many("row24_fchmod_of_open_file row24_setflags", "file_in_library", grants=("read library",)),
        ),
    ),
    Row(
        25, "Looking around outside",
        'Landlock READ_DIR; stat, access and readlink with `isolation="strict"`: only grants are in the mount view',
        "EACCES or ENOENT",
        (
            Attack("row25_list", "directory_outside"),
            *many("row25_stat row25_readlink", "directory_outside", open=STAT),
            Attack("row25_access", "directory_outside_by_status", open=STAT),
        ),
    ),
    Row(
        26, "Truncation of what may only be read", "Landlock TRUNCATE; below ABI 3 seccomp", "EACCES; same size",
        many("row26_truncate row26_open_truncate", "file_in_library", grants=("read library",)),
    ),
    Row(
        27, "ioctl on devices", "Landlock: the device cannot be opened", "EACCES",
        (Attack("row27_device_ioctl", needs="/dev/kvm, open for this user"),),
    ),
    Row(
        28, "Descriptors that the caller has open", "close_range: 0, 1 and 2 only", "EBADF",
        many("row28_inherited_file row28_inherited_directory", "inherited"),
    ),
    Row(
        29, "Replacing a program outside through a descriptor in /proc", "Landlock: who may trace whom",
        "EACCES or ENOENT", (Attack("row29_program_through_proc", "victim", grants=PROC_WRITE),),
    ),
    Row(
        30, "Start-up files and loader variables of the caller", "environment: built, not inherited", "no effect",
        (Attack("row30_startup_file", "environment"),),
    ),
    Row(
        31, "Hooks, editor settings and agents' own files in the workspace", "supervisor: protected names, also before they exist",
        "EACCES; by those names nothing else is found",
        (
            *many(
                "row31_hook row31_git_config row31_git_config_renamed row31_submodule_config row31_nested_hook "
                "row31_common_directory row31_direnv row31_direnv_linked row31_editor_tasks row31_editor_tasks_renamed "
                "row31_agent_settings row31_agent_settings_symlink row31_tool_servers row31_shell_start_file "
                "row31_interpreter", "repository", grants=PROTECT,
            ),
            *many("row31_file_without_name row31_opened_for_reading", "repository", grants=(*PROTECT, *PROC)),
            *many("row31_new_repository row31_new_repository_renamed", "workspace", grants=PROTECT),
            *many("row31_worktree_config row31_worktree_hook row31_worktree_pointer", "worktree",
                  grants=(*PROTECT, "write library")),
            *many("row31_repository_inside row31_bare_repository", "repository", grants=PROTECT, open=OWN_REPOSITORY),
        ),
    ),
    Row(
        32, "Moving the parent of a denied file", "supervisor; mount view: what leads to a denied path is a mount of its own",
        "EACCES or EBUSY",
        (
            *many("row32_parent_moved row32_parent_replaced row32_parent_exchanged", "denied_path", grants=DENY_PATH),
            *many("row32_parent_moved row32_parent_replaced row32_parent_exchanged", "denied_pattern", grants=DENY_PATTERN),
            *many(
                "row32_repository_moved row32_repository_linked row32_repository_exchanged row32_hooks_moved "
                "row32_nested_repository_moved row32_settled_elsewhere", "repository", grants=PROTECT,
            ),
            Attack("row32_around_nested_repository", "repository", grants=PROTECT, open=OWN_REPOSITORY),
        ),
    ),
    Row(
        33, "Other spellings of a denied name", "supervisor: asks the kernel for the name; the case of ASCII letters never counts",
        "EACCES",
        (
            Attack("row33_spellings", "denied_path", grants=DENY_PATH),
            Attack("row33_spellings", "denied_pattern", grants=DENY_PATTERN),
            Attack("row33_capitals", "denied_in_capitals", grants=DENY_PATTERN),
            Attack("row33_made_in_capitals", "workspace", grants=PROTECT),
            Attack("row33_folded", "folding", grants=(*DENY_PATTERN, "deny **/task")),
            Attack("row33_made_folded", "folding", grants=PROTECT),
        ),
    ),
    Row(
        34, "Other names of a denied file", "supervisor: compares the file, too, where a path is denied", "EACCES",
        (
            *many("row34_hard_link row34_renamed row34_symlink row34_exchanged", "denied_pattern", grants=DENY_PATTERN),
            *many("row34_hard_link row34_renamed row34_symlink row34_exchanged", "denied_path", grants=DENY_PATH),
            Attack("row34_descriptor", "denied_path", grants=(*DENY_PATH, *PROC)),
            Attack("row34_descriptor", "denied_pattern", grants=(*DENY_PATTERN, *PROC)),
            Attack("row34_known_before", "second_link", grants=DENY_PATH),
            Attack("row34_known_before", "second_link_beside_pattern", grants=DENY_PATTERN, open=NAME_DENIED),
            Attack("row34_known_before", "second_mount", grants=DENY_PATH, open=SECOND_MOUNT),
        ),
    ),
    Row(
        80, "inotify and fanotify on directories outside", "seccomp", "EACCES or EPERM",
        (
            Attack("row80_inotify", "directory_outside_by_status"),
            Attack("row80_fanotify", "directory_outside_by_status", needs="fanotify for this user"),
        ),
    ),
    Row(
        81, "Temporary files of the sandbox left behind", "there are none: descriptors only",
        "/tmp is as it was", tested_in="test_probes.py: test_nothing_is_left_in_temporary_directories",
    ),
    Row(
        82, "A granted directory inside another one replaced by a link",
        "grants are descriptors; one whose path has changed is refused", "exit status 126",
        (
            Attack(
                "row82_replace_inner_grant", "inner_grant", grants=("write work/inner",),
            ),
        ),
    ),
)  # fmt: skip

PROCESSES = (
    Row(
        7, "ptrace of other processes", "seccomp; Landlock: who may trace whom", "EPERM",
        (Attack("row07_ptrace_attach", "victim"), Attack("row07_ptrace_seize", "victim_by_status")),
    ),
    Row(
        8, "Memory and descriptors of other processes by system calls", "seccomp", "EPERM",
        (
            *many("row08_process_vm_readv row08_process_vm_writev row08_pidfd_getfd", "victim"),
            Attack("row08_kcmp", "victim_by_status", needs="kcmp"),
            Attack("row08_process_madvise", "victim_by_status", needs="root"),
        ),
    ),
    Row(
        9, "Signals to processes outside", "Landlock signal scope, or PID namespace", "EPERM or ESRCH",
        many("row09_kill row09_kill_group row09_tgkill row09_sigqueue row09_pidfd_send_signal row09_sigio", "victim"),
    ),
    Row(
        14, "Set-user-id programs and other gains of privilege", "no_new_privs; capabilities dropped", "no gain",
        (
            Attack("row14_setuid", "setuid_program", needs="a set-user-id program that takes effect here"),
            Attack("row14_exec_gives_capabilities", needs="root"),
        ),
    ),
    Row(
        15, "Typing into the terminal of the caller", "a session without it; seccomp on the low 32 bits", "EPERM",
        (
            *many("row15_tiocsti row15_tiocsti_high_bits", "terminal", needs="TIOCSTI (dev.tty.legacy_tiocsti)"),
            Attack("row15_tioclinux", "console", needs="a virtual console that this user may open"),
        ),
    ),
    Row(16, "Escape sequences in what a user is asked to approve", waits_for="approvals"),
    Row(
        17, "io_uring, to walk past system call filters", "seccomp", "EPERM",
        (Attack("row17_io_uring", needs="io_uring (kernel.io_uring_disabled)"),),
    ),
    Row(
        18, "Programs run by the loader or from memory", "Landlock: they inherit what their parent may", "EACCES",
        many("row18_loader row18_memfd", "file_outside"),
    ),
    Row(
        19, "Namespaces and mounts of one's own", "seccomp; Landlock", "EPERM",
        (
            Attack("row19_unshare_user", needs="user namespaces"),
            *many("row19_unshare_mount row19_unshare_net row19_unshare_pid row19_unshare_ipc", needs="root"),
            Attack("row19_clone_user", needs="user namespaces"),
            Attack("row19_setns", "victim_by_status", grants=PROC, needs="root"),
            Attack("row19_setns_pidfd", "victim_by_status", needs="root"),
            *many("row19_mount row19_fsopen row19_fspick row19_mount_setattr row19_umount", needs=MOUNTS),
            *many("row19_bind_mount row19_open_tree", "file_outside", needs=MOUNTS),
            Attack("row19_open_tree_attr", "file_outside_by_status", needs=f"Linux 6.15 and {MOUNTS}"),
        ),
    ),
    Row(
        20, "clone3 hides its flags behind a pointer", "seccomp: ENOSYS, so libraries use clone", "ENOSYS",
        (Attack("row20_clone3", needs="user namespaces"),),
    ),
    Row(
        21, "int 0x80: i386 numbers, socketcall", "seccomp compares the architecture", "ENOSYS",
        many("row21_int80 row21_socketcall", "udp", LIMITED, needs="32-bit system calls"),
    ),
    Row(
        22, "x32: numbers with one more bit", "seccomp: above every known number", "ENOSYS",
        (Attack("row22_x32", networks=LIMITED, needs="a kernel with the x32 ABI"),),
    ),
    Row(
        23, "System calls newer than the filter", "seccomp is an allow-list", "ENOSYS",
        (Attack("row23_unknown_calls", needs="a kernel newer than the table of system calls"),),
    ),
    Row(
        52, "Secrets in the environment", "built, not inherited; Landlock: who may trace whom", "not there",
        (
            Attack("row52_environment", "environment"),
            Attack("row52_environ_of_another", "victim", grants=PROC),
        ),
    ),
    Row(
        53, "Memory changed between check and use by a supervisor", "supervisor: reads once, performs the call itself",
        "100,000 attempts change nothing outside, and read and make nothing that is denied",
        tested_in="tests/python/test_metadata.py: test_row53_memory_that_changes; "
        "tests/python/test_supervised_names.py: test_races_read_nothing_denied, test_races_make_nothing_protected",
    ),
    Row(
        54, "Process number used again while a supervisor looks", "supervisor: asks whether the call still waits",
        "nothing is done for another process", tested_in="tests/python/test_metadata.py: test_row54_a_caller_that_is_killed",
    ),
    Row(
        55, "Stalling a supervisor", "one for each command; several calls at a time", "others go on",
        tested_in="tests/python/test_metadata.py: test_row55_others_are_served_while_one_floods",
    ),
    Row(
        56, "Calls interrupted before a supervisor has seen them", "few calls are supervised; not interrupted once received",
        "pipelines complete", tested_in="tests/python/test_metadata.py: test_row56_pipelines_complete",
    ),
    Row(
        57, "Killing who holds the sandbox", "keeper; PID namespace", "the tree ends with it",
        tested_in="tests/python/test_endurance.py: test_nothing_is_left_of_a_host_that_is_killed",
    ),
    Row(
        58, "A filter of one's own, to mask the one that is there", "seccomp: no listener; the strictest filter wins",
        "EPERM",
        (Attack("row58_listener"), Attack("row58_later_filter", "udp", LIMITED)),
    ),
    Row(
        59, "A thread started before apply()", "Landlock TSYNC from ABI 8 on; below, a signal to every thread", "every thread bound",
        tested_in="tests/python/test_apply.py",
    ),
    Row(
        60, "Keyrings", "seccomp", "EPERM",
        (
            Attack("row60_read_key", "key", needs="keyrings, and a session that may read the user's"),
            *many("row60_add_key row60_session_to_parent", needs="keyrings"),
            Attack("row60_request_key", "key_by_status", needs="keyrings, and a session that may read the user's"),
        ),
    ),
    Row(
        61, "Calls for the administrator of a kernel", "seccomp; capabilities dropped", "EPERM",
        (
            Attack("row61_bpf", needs="bpf for this user (kernel.unprivileged_bpf_disabled)"),
            Attack("row61_perf_event_open", needs="perf for this user (kernel.perf_event_paranoid)"),
            Attack("row61_userfaultfd", needs="userfaultfd"),
            Attack("row61_syslog", needs="the kernel's log for this user (kernel.dmesg_restrict)"),
            Attack("row61_quotactl", needs="disk quotas"),
            Attack("row61_kexec_load", needs="root, and kexec in the kernel"),
            Attack("row61_init_module", needs="root, and modules in the kernel"),
            Attack("row61_acct", needs="root, and process accounting in the kernel"),
            *many("row61_swapon row61_reboot", needs="root"),
        ),
    ),
    Row(
        62, "Weakening the own process: personality, modify_ldt, iopl", "seccomp", "EPERM",
        (
            *many("row62_read_implies_exec row62_no_randomization"),
            Attack("row62_modify_ldt", needs="modify_ldt"),
            Attack("row62_iopl", needs="root, and iopl in the kernel"),
        ),
    ),
    Row(
        63, "System V and POSIX memory, messages and semaphores outside", "seccomp", "EPERM",
        (
            *many("row63_shared_memory row63_new_shared_memory row63_message row63_semaphore", "system_v"),
            Attack("row63_posix_message", "message_queue"),
        ),
    ),
    Row(
        64, "Core files", "RLIMIT_CORE is 1: no file, and no program in core_pattern", "no file",
        (Attack("row64_core_file", "core_files", needs="core files next to the program (core_pattern, limits)"),),
    ),
    Row(
        65, "Fork bombs, memory, disk, descriptors, CPU", "rlimits; there is none on disk space", "as limited",
        tested_in="tests/python/test_exec.py, tests/python/test_limited.py",
    ),
    Row(
        66, "Leaving its control group", "Landlock: /sys is not granted", "EACCES",
        (Attack("row66_new_cgroup", "cgroup", needs="control groups that this user may change"),),
    ),
    Row(
        67, "Outliving the command: two forks, a session", "keeper and signal scope, or PID namespace", "killed",
        (Attack("row67_daemon", "survivor"),),
    ),
    Row(
        73, "FUSE in the workspace", "seccomp: no mounts; Landlock", "EACCES or EPERM",
        (Attack("row73_fuse", needs="/dev/fuse, open for this user"),),
    ),
    Row(
        74, "All sixteen Landlock layers used up before", "the command is not started", "exit status 126",
        tested_in="test_probes.py: test_no_layer_left",
    ),
    Row(
        75, "Other terminals, and /dev/shm to meet at", "Landlock", "EACCES",
        (
            Attack("row75_other_terminal", "other_terminal"),
            *many("row75_shared_memory_read row75_shared_memory_write", "shared_memory_directory"),
        ),
    ),
    Row(76, "A kernel without Landlock", out_of_scope="another kernel; unit tests of src/plan make plans for one"),
    Row(
        77, "Rights of root", "capabilities dropped; seccomp; Landlock", "EPERM or EACCES",
        (
            Attack("row77_environ", "victim", grants=PROC),
            *many("row77_chroot row77_hostname row77_set_uid row77_block_device", needs="root"),
            Attack("row77_file_handle", "file_outside", needs="root"),
            Attack("row77_kernel_settings", grants=PROC, needs="root"),
        ),
    ),
    Row(
        78, "A process in the background holds the output open", "the tree ends with its command", "returns at once",
        (Attack("row78_held_pipe", "waiting_caller"),),
    ),
    Row(
        79, "Limits, priority and CPUs of processes outside", "seccomp: no process but itself, or PID namespace",
        "EPERM or ESRCH; nothing has changed",
        many(
            "row79_prlimit row79_setpriority row79_setpriority_group row79_sched_setaffinity "
            "row79_sched_setscheduler row79_sched_setattr row79_ioprio_set row79_ioprio_set_group", "victim",
        ),
    ),
    Row(
        83, "Output that breaks its reader", "bytes stay bytes", "all of it arrives",
        (Attack("row83_cut_character", "text_reader"),),
    ),
)  # fmt: skip

UNIX = (
    "supervisor: connects to what the command has bound and what is granted; seccomp: no datagrams without a grant; "
    "from Landlock ABI 9 on Landlock"
)
NETWORK = (
    Row(
        10, "Abstract Unix sockets", "Landlock scope; supervisor: connects and sends to none; seccomp: no datagrams without a grant", "EPERM",
        (
            Attack("row10_abstract_stream", "abstract_stream", ANY),
            *many(
                "row10_abstract_datagram_sendto row10_abstract_datagram_sendmsg row10_abstract_datagram_sendmmsg "
                "row10_abstract_datagram_connect row10_abstract_socketpair_sendto row10_abstract_socketpair_connect",
                "abstract_datagram",
            ),
            *many(
                "row10_abstract_datagram_sendto row10_abstract_datagram_sendmsg row10_abstract_datagram_sendmmsg "
                "row10_abstract_datagram_connect row10_abstract_socketpair_sendto row10_abstract_socketpair_connect",
                "abstract_datagram_beside_granted", grants=GRANTED_SOCKET,
            ),
        ),
    ),
    Row(
        11, "Unix sockets by path: container engines, agents for keys, desktops", UNIX,
        "EACCES; datagrams EPERM, with a grant for another socket EACCES",
        (
            Attack("row11_path_stream", "unix_stream", ANY),
            *many("row11_hard_link row11_symlink row11_renamed row11_own_name row11_changing_address", "unix_stream"),
            Attack("row11_renamed_at_bind", "unix_stream"),
            Attack("row11_swapped_at_bind", "unix_stream_outside"),
            Attack("row11_descriptor", "unix_stream", grants=PROC),
            Attack("row11_path_seqpacket", "unix_seqpacket"),
            *many("row11_path_stream row11_hard_link", "unix_stream_beside_granted", grants=GRANTED_SOCKET),
            *many("row11_renamed_to_granted row11_linked_to_granted", "unix_stream_beside_free_name",
                  grants=("socket work/granted",), open=NAME_GRANTED),
            *many(
                "row11_path_datagram_sendto row11_path_datagram_sendmsg row11_path_datagram_sendmmsg "
                "row11_path_datagram_connect row11_path_socketpair_sendto row11_path_socketpair_connect", "unix_datagram",
            ),
            *many(
                "row11_path_datagram_sendto row11_path_datagram_sendmsg row11_path_datagram_sendmmsg "
                "row11_path_datagram_connect row11_path_socketpair_sendto row11_path_socketpair_connect",
                "unix_datagram_beside_granted", grants=GRANTED_SOCKET,
            ),
        ),
    ),
    Row(
        12, "D-Bus: services started outside", "as row 11; its address is not inherited", "EACCES",
        (Attack("row12_dbus", "unix_stream"),),
    ),
    Row(
        13, "Descriptors from a helper outside", "as row 11", "EACCES",
        (Attack("row13_scm_rights", "descriptor_server"),),
    ),
    Row(
        35, "UDP, and with it DNS and QUIC", "seccomp: no datagram sockets", "EPERM",
        (
            *many(
                "row35_udp_sendto row35_udp_connected row35_udp_sendmsg row35_udp_sendmmsg row35_udp_flags",
                "udp", LIMITED,
            ),
            Attack("row35_udp_mapped", "udp", LIMITED, needs="IPv6"),
            Attack("row35_udplite", "udplite", ANY, needs="UDP-Lite"),
        ),
    ),
    Row(
        36, "Names resolved by a daemon outside", "as row 11", "EACCES",
        (Attack("row36_resolver_socket", "unix_stream"),),
    ),
    Row(
        37, "Other kinds of sockets", "seccomp: family, type and protocol", "EPERM",
        (
            Attack("row37_mptcp", "tcp", ANY, needs="MPTCP"),
            Attack("row37_netlink_route", "interfaces", LIMITED),
            *many("row37_raw row37_raw_v6 row37_raw_header row37_packet row37_packet_old", networks=ANY,
                  needs="root"),
            Attack("row37_ping", networks=LIMITED, needs="ICMP sockets for this user (net.ipv4.ping_group_range)"),
            *many("row37_netlink_diag row37_netlink_uevent row37_netlink_generic", networks=ANY, needs="netlink"),
            Attack("row37_vsock", networks=ANY, needs="vsock"),
            Attack("row37_alg", networks=ANY, needs="AF_ALG"),
            Attack("row37_sctp", networks=ANY, needs="SCTP"),
            Attack("row37_dccp", networks=ANY, needs="DCCP"),
            *many("row37_smc row37_smc_protocol", networks=ANY, needs="SMC"),
            Attack("row37_bluetooth", networks=ANY, needs="Bluetooth"),
            Attack("row37_tipc", networks=ANY, needs="TIPC"),
            Attack("row37_kcm", networks=ANY, needs="KCM"),
            Attack("row37_xdp", networks=ANY, needs="root, and AF_XDP"),
            Attack("row37_can", networks=ANY, needs="CAN"),
            Attack("row37_key", networks=ANY, needs="root, and AF_KEY"),
            Attack("row37_l2tp", networks=ANY, needs="L2TP"),
            Attack("row37_rds", networks=ANY, needs="RDS"),
        ),
    ),
    Row(
        38, "TCP Fast Open: a connection without connect", "seccomp: MSG_FASTOPEN; Landlock", "EPERM or EACCES",
        (
            *many(
                "row38_fast_open_sendto row38_fast_open_sendmsg row38_fast_open_sendmmsg row38_fast_open_connect",
                "tcp", LIMITED, needs="TCP Fast Open (net.ipv4.tcp_fastopen)",
            ),
            Attack("row38_fast_open_v6", "tcp", LIMITED, needs="IPv6 and TCP Fast Open"),
        ),
    ),
    Row(39, "Another host on the port of the proxy", waits_for="network proxy"),
    Row(40, "Other local services, other users of the proxy", waits_for="network proxy"),
    Row(
        41, "Waiting to be called: bind and listen, listen without bind", "Landlock BIND_TCP; seccomp: no listen",
        "EPERM or EACCES", many("row41_bind row41_listen", "visitor", LIMITED),
    ),
    Row(
        42, "Other spellings of an address, and sockets connected again", "seccomp; Landlock CONNECT_TCP",
        "EPERM or EACCES",
        (
            *many("row42_connect row42_any_address row42_reconnect", "tcp", LIMITED),
            Attack("row42_mapped", "tcp", LIMITED, needs="IPv6"),
        ),
    ),
    Row(43, "Metadata services of clouds", waits_for="network proxy"),
    Row(44, "Names that change their address", waits_for="network proxy"),
    Row(45, "Host names that two parsers read differently", waits_for="network proxy"),
    Row(46, "Suffixes of host names", waits_for="network proxy"),
    Row(47, "One name for the connection and another one for the request", waits_for="network proxy"),
    Row(48, "Request smuggling", waits_for="network proxy"),
    Row(49, "Forms of a request that skip the rules", waits_for="network proxy"),
    Row(50, "A relay inside for somebody else", waits_for="network proxy"),
    Row(51, "Injected credentials that come back", waits_for="network proxy"),
)  # fmt: skip

RECORDS = (
    Row(68, "Writing to the sandbox's own records", waits_for="audit"),
    Row(69, "Changing the audit log afterwards", waits_for="audit"),
    Row(70, "Restoring a snapshot to somewhere else", waits_for="snapshots"),
    Row(71, "Text of the attacker's choice in a diff or a question", waits_for="snapshots"),
    Row(72, "One path approved, another one used", waits_for="approvals"),
)

ROWS = tuple(sorted((*FILES, *PROCESSES, *NETWORK, *RECORDS), key=lambda row: row.number))
