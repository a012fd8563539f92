// c-ares as the Transport room sees it: macros as constants, options that only some releases know,
// and calls whose C types differ between releases. No logic. 1.18 (Debian 12) is the oldest release
// that builds; Transport asks the library that is loaded as well.
#ifndef CFETCHARES_H
#define CFETCHARES_H

// Newer releases call ares_query deprecated; older ones have nothing else.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#if ARES_VERSION < 0x011200
#error "c-ares 1.18 or newer is needed"
#endif

// The oldest release that works, in ARES_VERSION's form.
static const int fetch_ares_oldest = 0x011200;

// Macros in older releases, an enum's members in newer ones.
static const int fetch_ARES_SUCCESS = ARES_SUCCESS;
static const int fetch_ARES_ENODATA = ARES_ENODATA;
static const int fetch_ARES_ENOTFOUND = ARES_ENOTFOUND;
static const int fetch_ARES_ESERVFAIL = ARES_ESERVFAIL;
static const int fetch_ARES_ECONNREFUSED = ARES_ECONNREFUSED;
static const int fetch_ARES_ETIMEOUT = ARES_ETIMEOUT;
static const int fetch_ARES_EBADNAME = ARES_EBADNAME;
static const int fetch_ARES_ENOMEM = ARES_ENOMEM;
static const int fetch_ARES_EDESTRUCTION = ARES_EDESTRUCTION;
static const int fetch_ARES_ECANCELLED = ARES_ECANCELLED;

static inline int fetch_ares_loaded(void) {
    int version = 0;
    ares_version(&version);
    return version;
}

// A channel that reads no file of its own and asks 127.0.0.1 until it is told whom to ask. What
// resolv.conf says is parsed elsewhere and handed in here; the cache of newer releases is off,
// because it would hide the records' lifetimes.
static inline int fetch_ares_open(
    ares_channel *_Nonnull channel, int milliseconds, int tries, int flags, bool rotate,
    ares_sock_state_cb _Nonnull socketState, void *_Nonnull data) {
    struct ares_options options;
    memset(&options, 0, sizeof options);
    char none[] = "/dev/null";
    char dns[] = "b";
    options.flags = flags;
    options.timeout = milliseconds;
    options.tries = tries;
    options.ndots = 1;
    options.lookups = dns;
    options.resolvconf_path = none;
    options.sock_state_cb = socketState;
    options.sock_state_cb_data = data;
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
               ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB |
               (rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE);
#if ARES_VERSION >= 0x011700
    mask |= ARES_OPT_QUERY_CACHE;
    options.qcache_max_ttl = 0;
#endif
    return ares_init_options(channel, &options, mask);
}

static inline int fetch_ares_set_servers(
    ares_channel _Nonnull channel, const char *_Nonnull list) {
    return ares_set_servers_ports_csv(channel, list);
}

// Internet class; `type` is 1 for A and 28 for AAAA.
static inline void fetch_ares_ask(
    ares_channel _Nonnull channel, const char *_Nonnull name, int type,
    ares_callback _Nonnull callback, void *_Nullable data) {
    ares_query(channel, name, 1, type, callback, data);
}

// Milliseconds until the channel wants to be looked at, rounded up; -1 for never.
static inline long fetch_ares_milliseconds(ares_channel _Nonnull channel) {
    struct timeval wait;
    if (ares_timeout(channel, NULL, &wait) == NULL) return -1;
    return (long)wait.tv_sec * 1000 + (wait.tv_usec + 999) / 1000;
}

#endif
