// Tells the thread sanitizer what a contended Mutex orders; loaded before the tests it watches.
//
// A Mutex that nobody waits for is one atomic exchange in the caller's code, which the sanitizer
// sees. For one that is held, or waited for, the standard library spins and asks the kernel in code
// that is not instrumented: what two holders do, one after the other, seems to be unordered then.
// These stand before the library's three functions for that case: whoever unlocks releases, whoever
// has got the lock acquires, on the address of the lock's word.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *word

// Absent in programs that are not watched, which a test starts.
extern void __tsan_acquire(void *word) __attribute__((weak));
extern void __tsan_release(void *word) __attribute__((weak));

typedef SWIFT void (*lock_function)(uint32_t thread, SELF);
typedef SWIFT bool (*try_lock_function)(SELF);
typedef SWIFT void (*unlock_function)(SELF);

SWIFT void lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock(SELF) __asm__(TRY_LOCK);
SWIFT void unlock(SELF) __asm__(UNLOCK);

SWIFT void lock(uint32_t thread, SELF) {
    ((lock_function)dlsym(RTLD_NEXT, LOCK))(thread, word);
    if (__tsan_acquire != NULL) __tsan_acquire(word);
}

SWIFT bool try_lock(SELF) {
    bool is_taken = ((try_lock_function)dlsym(RTLD_NEXT, TRY_LOCK))(word);
    if (is_taken && __tsan_acquire != NULL) __tsan_acquire(word);
    return is_taken;
}

SWIFT void unlock(SELF) {
    if (__tsan_release != NULL) __tsan_release(word);
    ((unlock_function)dlsym(RTLD_NEXT, UNLOCK))(word);
}
