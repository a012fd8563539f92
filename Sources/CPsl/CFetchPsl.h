// libpsl as the PublicSuffix room sees it. No logic.
#ifndef CFETCHPSL_H
#define CFETCHPSL_H

#include <libpsl.h>

#if PSL_VERSION_NUMBER < 0x001000
#error "libpsl 0.16 or newer is needed"
#endif

// By the list that was built into the library. The answer points into `name`; null for none.
static inline const char *_Nullable fetch_psl_registrable_domain(const char *_Nonnull name) {
    const psl_ctx_t *list = psl_builtin();
    return list ? psl_registrable_domain(list, name) : 0;
}

#endif
