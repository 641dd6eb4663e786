/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's certificate: which of a file's it is, who issued it, and whether it can be used at
 * all. The gateway decides whether it believes it; what is looked at here is what no gateway would
 * take, and what the user should know before the gateway says no.
 */
#include "client/credential/private.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "client/common/i18n.h"
#include "client/common/report.h"
#include "client/common/text.h"

enum { DEPTH_MAX = 8, SUBJECT_MAX = 512, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096 };

static bool issued(X509 *issuer, X509 *subject)
{
    return X509_check_issued(issuer, subject) == X509_V_OK;
}

static bool issued_any(X509 *issuer, const GPtrArray *certificates)
{
    for (guint i = 0; i < certificates->len; i++)
        if (certificates->pdata[i] != issuer && issued(issuer, certificates->pdata[i]))
            return true;
    return false;
}

X509 *credential_chain_leaf(const GPtrArray *certificates, EVP_PKEY *key)
{
    for (guint i = 0; i < certificates->len; i++) {
        X509 *candidate = certificates->pdata[i];
        EVP_PKEY *public_key = X509_get0_pubkey(candidate);
        bool ours = key != NULL ? public_key != NULL && EVP_PKEY_eq(public_key, key) == 1
                                : !issued_any(candidate, certificates);
        if (ours)
            return candidate;
    }
    return NULL;
}

static X509 *issuer_of(X509 *subject, const GPtrArray *certificates)
{
    for (guint i = 0; i < certificates->len; i++)
        if (certificates->pdata[i] != subject && issued(certificates->pdata[i], subject))
            return certificates->pdata[i];
    return NULL;
}

static void append_der(GPtrArray *chain, X509 *certificate)
{
    guint8 *der = NULL;
    int n = i2d_X509(certificate, &der);

    if (n > 0)
        g_ptr_array_add(chain, g_bytes_new(der, (gsize)n));
    OPENSSL_free(der);
}

/* A root is left out: whoever believes in it has it, and others won't begin to. */
GPtrArray *credential_chain_of(X509 *leaf, const GPtrArray *certificates)
{
    GPtrArray *chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    X509 *next = leaf;

    append_der(chain, leaf);
    for (guint depth = 1; depth < DEPTH_MAX && !issued(next, next); depth++) {
        next = issuer_of(next, certificates);
        if (next == NULL || issued(next, next))
            break;
        append_der(chain, next);
    }
    return chain;
}

/* ---- what is shown ---- */

static gint64 seconds_of(const ASN1_TIME *time)
{
    struct tm parts;

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return 0;
    g_autoptr(GDateTime) date =
        g_date_time_new_utc(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                            parts.tm_min, MIN(parts.tm_sec, 59));
    return date != NULL ? g_date_time_to_unix(date) : 0;
}

static char *text_of(const X509_NAME *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long n = 0;

    if (text != NULL &&
        X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_get_mem_data(text, &bytes);
    char *clean =
        dialtone_text_clean(n > 0 ? bytes : "", (gsize)MAX(n, 0), SUBJECT_MAX, DIALTONE_TEXT_LINE);
    BIO_free(text);
    return clean;
}

char *credential_subject(X509 *certificate)
{
    return text_of(X509_get_subject_name(certificate));
}

static char *key_of(EVP_PKEY *key)
{
    const char *kind = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
    const int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

    if (kind != NULL && strcmp(kind, "EC") == 0)
        return g_strdup_printf("ECDSA P-%d", bits);
    return kind != NULL ? g_strdup_printf("%s %d", kind, bits) : g_strdup("");
}

/* Case does not count in names of hosts; for addresses gateways differ, and most ignore it. */
static bool is_name(const GENERAL_NAME *name, int type, const char *value)
{
    if (name->type != type)
        return false;
    const ASN1_IA5STRING *text = type == GEN_EMAIL ? name->d.rfc822Name : name->d.dNSName;
    gsize n = (gsize)ASN1_STRING_length(text);
    return n == strlen(value) &&
           strncasecmp((const char *)ASN1_STRING_get0_data(text), value, n) == 0;
}

static bool names_id(X509 *certificate, const DialtoneId *id)
{
    int type = id->kind == DIALTONE_ID_EMAIL ? GEN_EMAIL : GEN_DNS;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = id->kind == DIALTONE_ID_KEYID; /* which no certificate names */

    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++)
        found = is_name(sk_GENERAL_NAME_value(names, i), type, id->value);
    GENERAL_NAMES_free(names);
    return found;
}

DialtoneCertificate *credential_certificate_new(X509 *leaf, const DialtoneProfile *profile)
{
    DialtoneCertificate *certificate = g_new0(DialtoneCertificate, 1);
    EVP_PKEY *key = X509_get0_pubkey(leaf);

    certificate->subject = credential_subject(leaf);
    certificate->issuer = text_of(X509_get_issuer_name(leaf));
    certificate->key = key_of(key);
    certificate->not_before = seconds_of(X509_get0_notBefore(leaf));
    certificate->not_after = seconds_of(X509_get0_notAfter(leaf));
    certificate->names_id = names_id(leaf, &profile->id);
    if (key != NULL && EVP_PKEY_is_a(key, "EC") == 1)
        certificate->curve_bits = EVP_PKEY_get_bits(key);
    return certificate;
}

void dialtone_certificate_free(DialtoneCertificate *certificate)
{
    if (certificate == NULL)
        return;
    g_free(certificate->subject);
    g_free(certificate->issuer);
    g_free(certificate->key);
    g_free(certificate);
}

char *dialtone_certificate_date(gint64 time)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(time);

    return date != NULL ? g_date_time_format(date, "%Y-%m-%d") : g_strdup("?");
}

char *dialtone_certificate_warning(const DialtoneCertificate *certificate, gint64 now)
{
    gint64 left = certificate->not_after - now;
    g_autofree char *date = dialtone_certificate_date(certificate->not_after);

    if (left > DIALTONE_EXPIRES_SOON)
        return NULL;
    if (left <= 0)
        return g_strdup_printf(_("your certificate (%s) ended on %s; ask the administrator for a "
                                 "new one, or set the computer's clock"),
                               certificate->subject, date);
    guint days = (guint)(left / 86400);
    return g_strdup_printf(ngettext("your certificate (%s) ends on %s, in %u day; ask the "
                                    "administrator for a new one",
                                    "your certificate (%s) ends on %s, in %u days; ask the "
                                    "administrator for a new one",
                                    days),
                           certificate->subject, date, days);
}

/* ---- kinds of keys ---- */

static char *rsa_problem(int bits)
{
    if (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX)
        return NULL;
    return g_strdup_printf(_("its RSA key has %d bits, and it takes %d to %d; ask the "
                             "administrator for another certificate"),
                           bits, RSA_BITS_MIN, RSA_BITS_MAX);
}

char *credential_key_problem(EVP_PKEY *key)
{
    char curve[64] = "";

    if (EVP_PKEY_is_a(key, "RSA") == 1)
        return rsa_problem(EVP_PKEY_get_bits(key));
    if (EVP_PKEY_is_a(key, "EC") == 1 &&
        EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
        credential_curve_bytes(curve) > 0)
        return NULL;
    return g_strdup(_("IKEv1 can't sign with this kind of key; ask the administrator for a "
                      "certificate with RSA, or ECDSA on P-256, P-384 or P-521"));
}
