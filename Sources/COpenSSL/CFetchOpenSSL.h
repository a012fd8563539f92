// OpenSSL 3.0 and newer for Swift: its headers, and as inline functions what they offer only as
// macros. No logic. Used by the TLS and Crypto rooms and by the tests' own servers.
#ifndef CFETCHOPENSSL_H
#define CFETCHOPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "OpenSSL 3.0 or newer is needed"
#endif

// -- Contexts ----------------------------------------------------------------------------------

static inline long fetch_SSL_CTX_set_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_mode(context, mode);
}
static inline int fetch_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int fetch_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline long fetch_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}
// Takes no reference: the context makes its own.
static inline int fetch_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void fetch_SSL_CTX_set_tlsext_status_cb(
    SSL_CTX *context, int (*callback)(SSL *, void *)) {
    SSL_CTX_set_tlsext_status_cb(context, callback);
}
// Options are 64 bits behind a macro that Swift does not read.
static inline uint64_t fetch_SSL_OP_NO_RENEGOTIATION(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline uint64_t fetch_SSL_OP_NO_COMPRESSION(void) { return SSL_OP_NO_COMPRESSION; }
static inline uint64_t fetch_SSL_OP_NO_TICKET(void) { return SSL_OP_NO_TICKET; }

// -- Connections -------------------------------------------------------------------------------

static inline int fetch_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline int fetch_SSL_request_ocsp(SSL *ssl) {
    return (int)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}
// The length, or -1 without a staple; the bytes belong to `ssl`.
static inline long fetch_SSL_get_tlsext_status_ocsp_resp(SSL *ssl, const unsigned char **bytes) {
    return SSL_get_tlsext_status_ocsp_resp(ssl, bytes);
}
// Takes the bytes over, which OPENSSL_malloc has given.
static inline long fetch_SSL_set_tlsext_status_ocsp_resp(
    SSL *ssl, unsigned char *bytes, long count) {
    return SSL_set_tlsext_status_ocsp_resp(ssl, bytes, count);
}

// -- BIO ---------------------------------------------------------------------------------------

static inline void fetch_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void fetch_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline long fetch_BIO_get_mem_data(BIO *bio, char **bytes) {
    return BIO_get_mem_data(bio, bytes);
}

// -- Macros with casts -------------------------------------------------------------------------

static inline unsigned long fetch_XN_FLAG_RFC2253(void) { return XN_FLAG_RFC2253; }
static inline unsigned long fetch_ASN1_STRFLGS_ESC_MSB(void) { return ASN1_STRFLGS_ESC_MSB; }
// secure_getenv(3), which the header shows to _GNU_SOURCE alone.
extern char *secure_getenv(const char *name);

// -- Lists and errors --------------------------------------------------------------------------

static inline int fetch_sk_X509_num(const STACK_OF(X509) *list) { return sk_X509_num(list); }
static inline X509 *fetch_sk_X509_value(const STACK_OF(X509) *list, int index) {
    return sk_X509_value(list, index);
}
static inline int fetch_sk_GENERAL_NAME_num(const GENERAL_NAMES *list) {
    return sk_GENERAL_NAME_num(list);
}
static inline GENERAL_NAME *fetch_sk_GENERAL_NAME_value(const GENERAL_NAMES *list, int index) {
    return sk_GENERAL_NAME_value(list, index);
}
// A name's kind and, for names of hosts and addresses, its string.
static inline int fetch_GENERAL_NAME_type(const GENERAL_NAME *name) { return name->type; }
static inline const ASN1_STRING *fetch_GENERAL_NAME_string(const GENERAL_NAME *name) {
    return name->type == GEN_DNS      ? name->d.dNSName
           : name->type == GEN_IPADD ? name->d.iPAddress
                                     : NULL;
}
static inline int fetch_sk_ASN1_INTEGER_num(const TLS_FEATURE *list) {
    return sk_ASN1_INTEGER_num(list);
}
static inline ASN1_INTEGER *fetch_sk_ASN1_INTEGER_value(const TLS_FEATURE *list, int index) {
    return sk_ASN1_INTEGER_value(list, index);
}
static inline const EVP_MD *fetch_EVP_get_digestbyobj(const ASN1_OBJECT *object) {
    return EVP_get_digestbyobj(object);
}
static inline int fetch_ERR_lib(unsigned long code) { return ERR_GET_LIB(code); }
static inline int fetch_ERR_reason(unsigned long code) { return ERR_GET_REASON(code); }

#endif
