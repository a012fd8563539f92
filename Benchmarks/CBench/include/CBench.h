// What bench needs of Linux and the Glibc module does not show: calls behind _GNU_SOURCE, variadic
// calls, macros. No logic.
#ifndef CBENCH_H
#define CBENCH_H

#include <stddef.h>
#include <stdint.h>

// accept4(2), non-blocking and close-on-exec; the peer's IPv4 address in host order, 0 for others.
int bench_accept(int listener, uint32_t *_Nonnull host);
// pipe2(2), close-on-exec.
int bench_pipe(int *_Nonnull reading, int *_Nonnull writing);
// timerfd_create(2) on CLOCK_MONOTONIC, non-blocking; set to an absolute time, 0 for never.
int bench_timer(void);
int bench_timer_set(int timer, uint64_t nanoseconds);
// memmem(3): the offset, or -1.
ptrdiff_t bench_find(
    const void *_Nonnull bytes, size_t count, const void *_Nonnull mark, size_t mark_count);
// sched_setaffinity(2) for the calling thread; bit i of the mask is core i.
int bench_set_cores(uint64_t mask);
uint64_t bench_cores(void);
// prctl(PR_SET_PDEATHSIG): SIGKILL when the thread that started this process ends.
int bench_die_with_parent(void);
// execv(3); the environment stays.
int bench_execute(const char *_Nonnull path, char *_Nullable const *_Nonnull arguments);
// mallinfo2(3): bytes that malloc has given out and not got back, mapped ones included.
size_t bench_allocated_bytes(void);

// seccomp(2), strict mode: from now on any system call but read, write and the calling thread's
// exit ends the process. 0, or -1 where the kernel doesn't know it.
int bench_allow_no_system_call(void);
// _exit(2) for the calling thread alone, which strict mode lets through.
void bench_exit_thread(void);

#endif
