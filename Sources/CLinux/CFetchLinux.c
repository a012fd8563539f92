// The few lines behind CFetchLinux.h that can't be inline. No logic.
#define _GNU_SOURCE
#include "CFetchLinux.h"

#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// -- The calling thread ------------------------------------------------------------------------

__thread uint64_t fetch_thread_number_of_this = 0;
__thread const void *fetch_reactor_of_this = NULL;

uint64_t fetch_new_thread_number(void) {
    static _Atomic uint64_t last = 0;
    return atomic_fetch_add(&last, 1) + 1;
}

int fetch_name_thread(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

bool fetch_is_main_thread(void) { return gettid() == getpid(); }

// linux/sched/types.h, whose name for it is the C library's in newer versions.
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t slice, deadline, period;
};

int fetch_give_way(int niceness, uint64_t slice) {
    struct scheduling wanted = {
        .size = sizeof wanted, .policy = SCHED_OTHER, .niceness = niceness, .slice = slice};
    return (int)syscall(SYS_sched_setattr, 0, &wanted, 0);
}

// -- fork(2) -----------------------------------------------------------------------------------

uint64_t fetch_forks = 0;

// In the child, on its only thread: nothing else can be reading.
static void forked(void) {
    fetch_forks += 1;
    fetch_thread_number_of_this = 0;
    fetch_reactor_of_this = NULL;
}

static void watch_forks(void) { pthread_atfork(NULL, NULL, forked); }

void fetch_watch_forks(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
}

pid_t fetch_fork(void) { return fork(); }

// -- Sockets -----------------------------------------------------------------------------------

int fetch_accept(int listener, struct sockaddr *peer, unsigned int *length) {
    return accept4(listener, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#define SWIFT __attribute__((swiftcall))

// -- Swift's tasks ------------------------------------------------------------------------------

// libswift_Concurrency's (its runtime/Concurrency.h).
extern SWIFT void *swift_task_addCancellationHandler(
    SWIFT void (*handler)(__attribute__((swift_context)) void *), void *context);
extern SWIFT void swift_task_removeCancellationHandler(void *record);

// What a handler is told with. The record lives in the task, which may not be cancelled any more
// when it is gone; this lives on the heap, so that it has a place whose address stays.
struct handler {
    fetch_cancelled_function cancelled;
    const void *listener;
    uint64_t number;
    void *record;
};

static SWIFT void task_cancelled(__attribute__((swift_context)) void *context) {
    struct handler *handler = context;
    handler->cancelled(handler->listener, handler->number);
}

void *fetch_add_cancellation_handler(
    fetch_cancelled_function cancelled, const void *listener, uint64_t number) {
    struct handler *handler = malloc(sizeof *handler);
    if (!handler) abort();
    handler->cancelled = cancelled;
    handler->listener = listener;
    handler->number = number;
    handler->record = swift_task_addCancellationHandler(task_cancelled, handler);
    return handler;
}

void fetch_remove_cancellation_handler(void *added) {
    struct handler *handler = added;
    swift_task_removeCancellationHandler(handler->record);
    free(handler);
}

// -- Swift's global executor -------------------------------------------------------------------

typedef SWIFT void (*original_enqueue)(void *job);
typedef SWIFT void (*original_delay)(unsigned long long nanoseconds, void *job);
typedef SWIFT void (*original_deadline)(
    long long seconds, long long nanoseconds, long long tolerance_seconds,
    long long tolerance_nanoseconds, int clock, void *job);

// libswift_Concurrency's variables and functions (its runtime/Concurrency.h).
extern SWIFT void (*swift_task_enqueueGlobal_hook)(void *job, original_enqueue original);
extern SWIFT void (*swift_task_enqueueGlobalWithDelay_hook)(
    unsigned long long nanoseconds, void *job, original_delay original);
extern SWIFT void (*swift_task_enqueueGlobalWithDeadline_hook)(
    long long seconds, long long nanoseconds, long long tolerance_seconds,
    long long tolerance_nanoseconds, int clock, void *job, original_deadline original);
extern SWIFT void swift_task_enqueueGlobalWithDelay(unsigned long long nanoseconds, void *job);

static fetch_enqueue_function enqueue_function;
static fetch_delay_function delay_function;

static SWIFT void enqueue_hook(void *job, original_enqueue original) { enqueue_function(job); }

static SWIFT void delay_hook(
    unsigned long long nanoseconds, void *job, original_delay original) {
    delay_function(job, nanoseconds > INT64_MAX ? INT64_MAX : (int64_t)nanoseconds);
}

// The clock is 1 for Swift's continuous clock (CLOCK_BOOTTIME), 2 for its suspending one.
static SWIFT void deadline_hook(
    long long seconds, long long nanoseconds, long long tolerance_seconds,
    long long tolerance_nanoseconds, int clock, void *job, original_deadline original) {
    int64_t deadline, delay;
    int64_t now = fetch_nanoseconds(clock == 1 ? CLOCK_BOOTTIME : CLOCK_MONOTONIC);
    if (__builtin_mul_overflow(seconds, (int64_t)1000000000, &deadline) ||
        __builtin_add_overflow(deadline, nanoseconds, &deadline) ||
        __builtin_sub_overflow(deadline, now, &delay))
        delay = seconds < 0 ? 0 : INT64_MAX;
    delay_function(job, delay < 0 ? 0 : delay);
}

bool fetch_install_global_executor(fetch_enqueue_function enqueue, fetch_delay_function delay) {
    if (swift_task_enqueueGlobal_hook || swift_task_enqueueGlobalWithDelay_hook ||
        swift_task_enqueueGlobalWithDeadline_hook)
        return false;
    enqueue_function = enqueue;
    delay_function = delay;
    swift_task_enqueueGlobalWithDelay_hook = delay_hook;
    swift_task_enqueueGlobalWithDeadline_hook = deadline_hook;
    swift_task_enqueueGlobal_hook = enqueue_hook;
    return true;
}

void fetch_remove_global_executor(void) {
    swift_task_enqueueGlobal_hook = NULL;
    swift_task_enqueueGlobalWithDelay_hook = NULL;
    swift_task_enqueueGlobalWithDeadline_hook = NULL;
}

void fetch_enqueue_global_with_delay(void *job, int64_t nanoseconds) {
    swift_task_enqueueGlobalWithDelay((unsigned long long)nanoseconds, job);
}

size_t fetch_allocated_bytes(void) {
    struct mallinfo2 all = mallinfo2();
    return all.uordblks + all.hblkhd;
}
