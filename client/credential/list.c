/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revocation lists at addresses that the profile names. They come by HTTP, so anybody on the way
 * may put in what he likes: a list is taken only while it is in force, and where the profile has
 * the certificate of its issuer, only with that one's signature and never in place of a newer one.
 * Whether the gateway's authority issued it is judged where all lists are, in ike/cert.
 *
 * What was taken is kept. A server that can't be reached then keeps nobody out as long as the list
 * that it gave is in force; and what is missing is missing to who judges, as a file's would be.
 *
 * Nothing takes the place of a kept list that does not have as good a claim. One that is signed
 * gives way only to a newer one of the same authority, or ends. One that nobody here can vouch for,
 * an intermediate's, may be as forged as the next: both are handed on, and ike/cert finds the one
 * that is signed. So who stands in between for once can hide no revocation, then or later.
 */
#include "client/credential/private.h"

#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "client/common/i18n.h"

enum {
    FRESH = 3600,             /* seconds; a server is asked once in them */
    UNPROVEN_FOR = 7 * 86400, /* seconds; a forged list that never ends takes up room no longer */
};

typedef struct List {
    X509_CRL *parsed;
    GBytes *der;
    bool authentic; /* signed by one of the profile's own authorities */
} List;

static void list_clear(List *list)
{
    X509_CRL_free(list->parsed);
    if (list->der != NULL)
        g_bytes_unref(list->der);
    *list = (List){0};
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(List, list_clear)

/* ---- one list ---- */

/* One list and nothing behind it. */
static X509_CRL *parse_der(const guint8 *bytes, gsize n)
{
    const guint8 *at = bytes;
    X509_CRL *crl = n > 0 ? d2i_X509_CRL(NULL, &at, (long)n) : NULL;

    if (crl != NULL && at == bytes + n)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

/* The first block of PEM. PEM_read_bio_X509_CRL() would ask the terminal for a passphrase where
 * the block says that it is locked; this leaves it locked. */
static X509_CRL *parse_pem(const guint8 *bytes, gsize n)
{
    BIO *pem = n > 0 ? BIO_new_mem_buf(bytes, (int)n) : NULL;
    char *name = NULL, *header = NULL;
    guint8 *block = NULL;
    long block_n = 0;
    X509_CRL *crl = NULL;

    if (pem != NULL && PEM_read_bio(pem, &name, &header, &block, &block_n) == 1 &&
        strcmp(name, PEM_STRING_X509_CRL) == 0 && header[0] == '\0')
        crl = parse_der(block, (gsize)block_n);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(block);
    BIO_free(pem);
    return crl;
}

static X509_CRL *parse(GBytes *bytes)
{
    gsize n = 0;
    const guint8 *data = g_bytes_get_data(bytes, &n);
    X509_CRL *crl = parse_der(data, n);

    if (crl == NULL)
        crl = parse_pem(data, n);
    ERR_clear_error();
    return crl;
}

static GBytes *der_of(X509_CRL *crl)
{
    guint8 *der = NULL;
    int n = i2d_X509_CRL(crl, &der);
    GBytes *bytes = n > 0 ? g_bytes_new(der, (gsize)n) : NULL;

    OPENSSL_free(der);
    return bytes;
}

typedef enum Signature { SIGNATURE_UNKNOWN, SIGNATURE_GOOD, SIGNATURE_BAD } Signature;

/* UNKNOWN: none of the authorities has the issuer's name. */
static Signature signature_of(X509_CRL *crl, const GPtrArray *anchors)
{
    Signature found = SIGNATURE_UNKNOWN;

    for (guint i = 0; i < anchors->len && found != SIGNATURE_GOOD; i++) {
        gsize n = 0;
        const guint8 *der = g_bytes_get_data(anchors->pdata[i], &n);
        X509 *anchor = d2i_X509(NULL, &der, (long)n);
        if (anchor != NULL &&
            X509_NAME_cmp(X509_get_subject_name(anchor), X509_CRL_get_issuer(crl)) == 0)
            found = X509_CRL_verify(crl, X509_get0_pubkey(anchor)) == 1 ? SIGNATURE_GOOD
                                                                        : SIGNATURE_BAD;
        X509_free(anchor);
    }
    ERR_clear_error();
    return found;
}

/* RFC 5280, 5.1.2.5: nextUpdate is there in every list that conforms. 0 from X509_cmp_time() is a
 * date that can't be read. */
static bool is_in_force(const X509_CRL *crl)
{
    const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl), *until = X509_CRL_get0_nextUpdate(crl);

    return from != NULL && until != NULL && X509_cmp_current_time(from) < 0 &&
           X509_cmp_current_time(until) > 0;
}

/* RFC 5280, 5.2.4: one that says only what is new needs another beside it, and is none by itself.
 */
static bool is_delta(const X509_CRL *crl)
{
    return X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0;
}

/* RFC 5280, 5.2.5: an authority may have a list for each kind of its certificates. */
static bool has_same_scope(const X509_CRL *one, const X509_CRL *other)
{
    int at = X509_CRL_get_ext_by_NID(one, NID_issuing_distribution_point, -1);
    int other_at = X509_CRL_get_ext_by_NID(other, NID_issuing_distribution_point, -1);

    if (at < 0 || other_at < 0)
        return at < 0 && other_at < 0;
    return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_CRL_get_ext(one, at)),
                                 X509_EXTENSION_get_data(X509_CRL_get_ext(other, other_at))) == 0;
}

static bool has_same_issuer(const List *list, const List *other)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(list->parsed), X509_CRL_get_issuer(other->parsed)) ==
           0;
}

static bool is_older(const List *list, const List *than)
{
    return ASN1_TIME_compare(X509_CRL_get0_lastUpdate(list->parsed),
                             X509_CRL_get0_lastUpdate(than->parsed)) < 0;
}

/* NULL, or what is wrong with it. */
static const char *read_list(List *list, GBytes *bytes, const GPtrArray *anchors)
{
    list->parsed = parse(bytes);
    list->der = list->parsed != NULL ? der_of(list->parsed) : NULL;
    if (list->der == NULL || is_delta(list->parsed))
        return _("what it gives is no revocation list");
    Signature signature = signature_of(list->parsed, anchors);
    list->authentic = signature == SIGNATURE_GOOD;
    if (signature == SIGNATURE_BAD)
        return _("the list that it gives was not signed by the authority in CA");
    return is_in_force(list->parsed) ? NULL : _("the list that it gives is not in force");
}

/* All of it crosses to the tunnel in one message; a server must not make it too large for that. */
static bool fits(const List *list, const GPtrArray *anchors, const GPtrArray *crls)
{
    const gsize room = DIALTONE_CREDENTIAL_BYTES_MAX - DIALTONE_CREDENTIAL_TEXT_MAX;

    return crls->len < DIALTONE_CREDENTIAL_CRLS_MAX &&
           credential_bytes_of(anchors) + credential_bytes_of(crls) + g_bytes_get_size(list->der) <=
               room;
}

/* ---- what is kept ---- */

static char *path_of(const DialtoneCredentialAccess *access, const char *url)
{
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, url, -1);

    return access->cache != NULL ? g_strdup_printf("%s/%s.crl", access->cache, name) : NULL;
}

/* False: there is none that could be used. *fresh: it need not be asked for. */
static bool read_kept(List *list, const char *path, const GPtrArray *anchors, bool *fresh)
{
    g_autofree char *content = NULL;
    GStatBuf info;
    gsize n = 0;

    if (path == NULL || g_stat(path, &info) != 0 || info.st_size > DIALTONE_CREDENTIAL_LIST_MAX ||
        !g_file_get_contents(path, &content, &n, NULL))
        return false;
    g_autoptr(GBytes) bytes = g_bytes_new(content, n);
    if (read_list(list, bytes, anchors) != NULL) {
        list_clear(list);
        return false;
    }
    gint64 age = g_get_real_time() / G_USEC_PER_SEC - info.st_mtime;
    *fresh = list->authentic && age >= 0 && age < FRESH;
    if (!list->authentic && (age < 0 || age > UNPROVEN_FOR))
        list_clear(list);
    return list->parsed != NULL;
}

static void keep(const DialtoneCredentialAccess *access, const char *path, const List *list)
{
    g_autoptr(GError) error = NULL;
    gsize n = 0;
    const char *der = g_bytes_get_data(list->der, &n);

    if (path == NULL)
        return;
    if (g_mkdir_with_parents(access->cache, 0700) != 0 ||
        !g_file_set_contents_full(path, der, (gssize)n, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &error))
        g_debug("a revocation list can't be kept: %s",
                error != NULL ? error->message : access->cache);
}

/* ---- one address ---- */

/* NULL, or why there is nothing new. */
static char *download(const DialtoneCredentialAccess *access, const char *url,
                      const GPtrArray *anchors, const List *kept, List *list)
{
    g_autoptr(GBytes) bytes = NULL;
    char *problem = access->download(url, &bytes, access->data);

    if (problem != NULL)
        return problem;
    const char *wrong = read_list(list, bytes, anchors);
    if (wrong == NULL && kept->authentic && !has_same_issuer(list, kept))
        wrong = _("the list that it gives is of another authority than the one that it gave "
                  "before");
    else if (wrong == NULL && kept->authentic && !has_same_scope(list->parsed, kept->parsed))
        wrong = _("the list that it gives is about other certificates than the one that it gave "
                  "before");
    else if (wrong == NULL && kept->authentic && is_older(list, kept))
        wrong = _("the list that it gives is older than the one that it gave before");
    return g_strdup(wrong);
}

static void tell(const DialtoneCredentialAccess *access, const char *url, const char *problem,
                 bool kept)
{
    g_autofree char *line =
        g_strdup_printf(kept ? _("warning: no new revocation list from %s: %s. The one that was "
                                 "fetched before is in force, and is used.")
                             : _("warning: no revocation list from %s: %s."),
                        url, problem);

    access->tell(line, access->data);
}

static bool is_unproven(const List *list)
{
    return list->parsed != NULL && !list->authentic;
}

/* The new one in place of the kept, or beside it; NULL, or why not. */
static char *take(const GPtrArray *anchors, GPtrArray *crls, const List *kept, const List *got)
{
    const bool beside = is_unproven(kept);

    if (beside)
        g_ptr_array_add(crls, g_bytes_ref(kept->der));
    if (beside && g_bytes_equal(kept->der, got->der))
        return NULL;
    if (!fits(got, anchors, crls)) {
        if (beside)
            g_ptr_array_remove_index(crls, crls->len - 1);
        return g_strdup(_("the list that it gives is too large beside the others"));
    }
    g_ptr_array_add(crls, g_bytes_ref(got->der));
    return NULL;
}

void credential_download_list(const DialtoneCredentialAccess *access, const char *url,
                              const GPtrArray *anchors, GPtrArray *crls)
{
    g_autofree char *path = path_of(access, url);
    g_auto(List) kept = {0};
    g_auto(List) got = {0};
    bool fresh = false;

    if (access->download == NULL)
        return;
    bool has = read_kept(&kept, path, anchors, &fresh);
    if (has && !fits(&kept, anchors, crls)) {
        list_clear(&kept);
        has = false;
    }
    if (!has || !fresh) {
        g_autofree char *problem = download(access, url, anchors, &kept, &got);
        if (problem == NULL)
            problem = take(anchors, crls, &kept, &got);
        if (problem == NULL && !is_unproven(&kept))
            keep(access, path, &got);
        if (problem == NULL)
            return;
        tell(access, url, problem, has);
    }
    if (has)
        g_ptr_array_add(crls, g_bytes_ref(kept.der));
}
