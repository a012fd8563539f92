// What Linux, glibc and Swift's runtime offer only as macros, thread-local variables or calling
// conventions, said once in C. No logic. Used by the Reactor and Transport rooms.
#ifndef CFETCHLINUX_H
#define CFETCHLINUX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <time.h>

// epoll(7)'s constants are an enum's members or casts in the header; these are their values.
static const uint32_t fetch_EPOLLIN = 0x1;
static const uint32_t fetch_EPOLLOUT = 0x4;
static const uint32_t fetch_EPOLLERR = 0x8;
static const uint32_t fetch_EPOLLHUP = 0x10;
static const uint32_t fetch_EPOLLRDHUP = 0x2000;
static const uint32_t fetch_EPOLLET = 1u << 31;

// -- The calling thread ------------------------------------------------------------------------

// A number that no other thread of this process has or ever had; 0 until the thread adopts one.
// initial-exec: one load from the thread's block, without a call into the dynamic linker.
extern __thread uint64_t fetch_thread_number_of_this
    __attribute__((tls_model("initial-exec")));
// The reactor that is running on this thread, or NULL.
extern __thread const void *_Nullable fetch_reactor_of_this
    __attribute__((tls_model("initial-exec")));

static inline uint64_t fetch_thread_number(void) { return fetch_thread_number_of_this; }
static inline void fetch_set_thread_number(uint64_t number) {
    fetch_thread_number_of_this = number;
}
static inline const void *_Nullable fetch_current_reactor(void) { return fetch_reactor_of_this; }
static inline void fetch_set_current_reactor(const void *_Nullable reactor) {
    fetch_reactor_of_this = reactor;
}
// A number for a thread that has none yet.
uint64_t fetch_new_thread_number(void);
// pthread_setname_np(3), which the header shows to _GNU_SOURCE alone. At most 15 bytes.
int fetch_name_thread(pthread_t thread, const char *_Nonnull name);
// Whether the caller is the thread that the process began with.
bool fetch_is_main_thread(void);
// Lets other threads go first: sched_setattr(2), which older C libraries lack, with a niceness and
// a time slice in nanoseconds, which Linux heeds from 6.12 on. Returns 0, or -1 and errno.
int fetch_give_way(int niceness, uint64_t slice);

// -- fork(2) -----------------------------------------------------------------------------------

// How many forks lie between the first process and this one. The child also loses its thread
// number and its reactor, so that whatever was bound to the parent's thread is bound to nobody's.
extern uint64_t fetch_forks;
static inline uint64_t fetch_fork_count(void) { return fetch_forks; }
// Asks for the above by pthread_atfork(3); needed once, repeated calls do nothing.
void fetch_watch_forks(void);
// fork(2), which Swift's Glibc module hides.
pid_t fetch_fork(void);

// -- Time --------------------------------------------------------------------------------------

// A counter that costs a few cycles to read, and how much of it is about a millisecond or less.
// It tells whether a call was long, never what time it is.
static inline uint64_t fetch_ticks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}
static inline uint64_t fetch_ticks_of_a_long_call(void) {
#if defined(__x86_64__)
    return 1u << 20;  // 1 ms at 1 GHz, 0.25 ms at 4 GHz
#elif defined(__aarch64__)
    uint64_t frequency;
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency >> 10;
#else
    return 1000000;
#endif
}
static inline int64_t fetch_nanoseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// -- Dispatch's main queue ---------------------------------------------------------------------

// libdispatch's door for run loops: a descriptor that is readable when the main queue has work,
// and the call that runs it. Neither makes a thread.
int _dispatch_get_main_queue_handle_4CF(void);
void _dispatch_main_queue_callback_4CF(void *_Null_unspecified message);

// -- Sockets -----------------------------------------------------------------------------------

// accept4(2), which the header shows to _GNU_SOURCE alone: non-blocking and closed on exec from its
// first moment. Returns what accept4 returns.
struct sockaddr;
int fetch_accept(int listener, struct sockaddr *_Nonnull peer, unsigned int *_Nonnull length);

// -- The allocator -----------------------------------------------------------------------------

// Bytes that malloc has handed out and not got back, its own headers and mapped pieces included:
// mallinfo2(3), whose header the Glibc module lacks.
size_t fetch_allocated_bytes(void);

// -- Swift's tasks ------------------------------------------------------------------------------

// Called when the task is cancelled, on whatever thread does it, or at once if that has happened.
typedef void (*fetch_cancelled_function)(const void *_Nonnull listener, uint64_t number);
// Adds a handler to the current task: what withTaskCancellationHandler does around its closure.
// `listener` must stay valid until the handler is removed, by the same task, last come first gone.
void *_Nonnull fetch_add_cancellation_handler(
    fetch_cancelled_function _Nonnull cancelled, const void *_Nonnull listener, uint64_t number);
void fetch_remove_cancellation_handler(void *_Nonnull handler);

// -- Swift's global executor -------------------------------------------------------------------

// The runtime's hooks have the Swift calling convention, which C can speak and Swift can't name.
// `enqueue` gets the job; `delay` the job and the nanoseconds until it is due.
typedef void (*fetch_enqueue_function)(void *_Nonnull job);
typedef void (*fetch_delay_function)(void *_Nonnull job, int64_t nanoseconds);
// Returns false, and changes nothing, if somebody's hooks are there already.
bool fetch_install_global_executor(
    fetch_enqueue_function _Nonnull enqueue, fetch_delay_function _Nonnull delay);
void fetch_remove_global_executor(void);
// The runtime's own delayed queue, once the hooks are gone.
void fetch_enqueue_global_with_delay(void *_Nonnull job, int64_t nanoseconds);

#endif
