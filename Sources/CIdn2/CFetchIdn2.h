// libidn2 as the IDN room sees it: its flags are an enum's members. No logic.
#ifndef CFETCHIDN2_H
#define CFETCHIDN2_H

#include <idn2.h>
#include <stdint.h>

#if IDN2_VERSION_NUMBER < 0x02000000
#error "libidn2 2.0 or newer is needed"
#endif

// Unicode's TR46 mapping without its transitional rules, which turned "ß" into "ss".
static inline int fetch_idn2_lookup(
    const uint8_t *_Nonnull name, uint8_t *_Nullable *_Nonnull ascii) {
    return idn2_lookup_u8(name, ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
}

#endif
