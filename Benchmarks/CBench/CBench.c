// The lines behind CBench.h. No logic.
#define _GNU_SOURCE
#include "CBench.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int bench_accept(int listener, uint32_t *host) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int descriptor =
        accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    *host = address.sin_family == AF_INET ? ntohl(address.sin_addr.s_addr) : 0;
    return descriptor;
}

int bench_pipe(int *reading, int *writing) {
    int ends[2];
    int result = pipe2(ends, O_CLOEXEC);
    *reading = ends[0];
    *writing = ends[1];
    return result;
}

int bench_timer(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

int bench_timer_set(int timer, uint64_t nanoseconds) {
    struct itimerspec due = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &due, NULL);
}

ptrdiff_t bench_find(const void *bytes, size_t count, const void *mark, size_t mark_count) {
    const char *found = memmem(bytes, count, mark, mark_count);
    return found ? found - (const char *)bytes : -1;
}

int bench_set_cores(uint64_t mask) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int core = 0; core < 64; core++)
        if (mask >> core & 1) CPU_SET(core, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

uint64_t bench_cores(void) {
    cpu_set_t set;
    uint64_t mask = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    for (int core = 0; core < 64; core++)
        if (CPU_ISSET(core, &set)) mask |= (uint64_t)1 << core;
    return mask;
}

int bench_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

int bench_execute(const char *path, char *const *arguments) { return execv(path, arguments); }

size_t bench_allocated_bytes(void) {
    struct mallinfo2 facts = mallinfo2();
    return facts.uordblks + facts.hblkhd;
}

int bench_allow_no_system_call(void) { return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT); }

void bench_exit_thread(void) { syscall(SYS_exit, 0); }
