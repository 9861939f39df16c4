"""What runs between clone and exec calls nothing but the kernel.

Reads the symbols that the object files below need from elsewhere. They run in memory shared with the
host: an allocator, a lock, errno or a sanitizer's run-time there would be the host thread's. Usage: check_child_main.py BUILD_DIRECTORY
"""

import pathlib
import subprocess
import sys

OBJECTS = (
    "src/launch/command_main.cc.o",
    "src/launch/keeper_main.cc.o",
    "src/kernel/private_view_child.cc.o",
    # While the other threads are held, who may own any lock.
    "src/launch/all_threads.cc.o",
    "src/launch/bind_thread.cc.o",
)
ALLOWED = {
    "nono::launch::command_main(void*)",
    "nono::launch::receive_request(nono::launch::KeeperStart&)",
    "nono::launch::receive_ruleset(nono::launch::KeeperStart&)",
    "nono::kernel::make_private_view(nono::kernel::PrivateViewSetup const&)",
    "nono::kernel::mount_fresh_proc(nono::kernel::FreshProcSetup const&)",
    "_GLOBAL_OFFSET_TABLE_",
    # What a compiler may make of an assignment: plain memory, no state.
    "memcpy",
    "memset",
}


def needed(build: pathlib.Path, name: str) -> set[str]:
    found = [path for path in build.rglob("*.o") if str(path).endswith(name)]
    if not found:
        sys.exit(f"check_child_main: no object file of {name} below {build}")
    output = subprocess.run(["nm", "-uC", found[0]], check=True, capture_output=True, text=True).stdout
    return {line.split(maxsplit=1)[1] for line in output.splitlines() if line.strip().startswith("U ")}


def main() -> None:
    build = pathlib.Path(sys.argv[1])
    bad = {name: sorted(needed(build, name) - ALLOWED) for name in OBJECTS}
    for name, symbols in bad.items():
        for symbol in symbols:
            print(f"{name} needs {symbol}, which is not async-signal-safe in a child that shares memory")
    if any(bad.values()):
        sys.exit(1)
    print("between clone and exec: system calls only")


if __name__ == "__main__":
    main()
