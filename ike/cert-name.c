/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in certificates. An alternative name is compared with all its bytes or not at all:
 * libcrypto's own matching takes wildcards, falls back to the CN and has more than one way to say
 * yes, so it is not used.
 */
#include "ike/cert-name.h"

#include "ike/cert.h"
#include "ike/message.h"
#include "ike/payload-id.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509v3.h>

void ike_cert_format_name(const X509_NAME *name, char *text, size_t size)
{
    const unsigned long flags = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_CTRL |
                                ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_UTF8_CONVERT |
                                ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER;
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    text[0] = '\0';
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) > 0)
        n = BIO_read(bio, text, (int)size - 1);
    n = n > 0 ? n : 0;
    /* A cut must not halve a character. */
    if ((size_t)n == size - 1)
        while (n > 0 && ((uint8_t)text[n - 1] & 0x80) != 0)
            n--;
    text[n] = '\0';
    BIO_free(bio);
}

void ike_cert_format_der(IkeSlice name, char *text, size_t size)
{
    const uint8_t *p = name.bytes;
    X509_NAME *parsed = name.n <= IKE_MESSAGE_MAX ? d2i_X509_NAME(NULL, &p, (long)name.n) : NULL;

    text[0] = '\0';
    if (parsed != NULL)
        ike_cert_format_name(parsed, text, size);
    X509_NAME_free(parsed);
}

/* An alternative name as an identity; false where it is of a kind that IKE has none for. */
static bool identity_of(const GENERAL_NAME *name, IkeIdentity *id)
{
    int kind = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
    int n =
        kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_IPADD ? ASN1_STRING_length(value) : 0;

    if (n <= 0 || n > IKE_ID_MAX)
        return false;
    if (kind == GEN_IPADD && n != 4 && n != 16)
        return false;
    if (kind == GEN_DNS)
        id->type = IKE_ID_FQDN;
    else if (kind == GEN_EMAIL)
        id->type = IKE_ID_USER_FQDN;
    else
        id->type = n == 4 ? IKE_ID_IPV4 : IKE_ID_IPV6;
    id->n = (uint16_t)n;
    memcpy(id->bytes, ASN1_STRING_get0_data(value), (size_t)n);
    return true;
}

/* A name and nothing behind it; NULL where the bytes are anything else. */
static X509_NAME *read_name(const IkeIdentity *id)
{
    const uint8_t *p = id->bytes;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)id->n);

    if (name != NULL && p == id->bytes + id->n)
        return name;
    X509_NAME_free(name);
    return NULL;
}

/* RFC 5280, 7.1: whether a part is a PrintableString or a UTF8String, and the case and the blanks
 * in it, make no other name. So are the names compared that chain certificates. */
static bool is_subject(X509 *cert, const IkeIdentity *expected)
{
    X509_NAME *name = read_name(expected);
    bool is = name != NULL && X509_NAME_cmp(X509_get_subject_name(cert), name) == 0;

    X509_NAME_free(name);
    return is;
}

bool ike_cert_same_name(const IkeIdentity *a, const IkeIdentity *b)
{
    X509_NAME *one = read_name(a), *other = read_name(b);
    bool same = one != NULL && other != NULL && X509_NAME_cmp(one, other) == 0;

    X509_NAME_free(one);
    X509_NAME_free(other);
    return same;
}

static GENERAL_NAMES *alternative_names(X509 *cert, int *found)
{
    return X509_get_ext_d2i(cert, NID_subject_alt_name, found, NULL);
}

bool ike_cert_has_id(X509 *cert, const IkeIdentity *expected)
{
    GENERAL_NAMES *names = alternative_names(cert, NULL);
    bool has = expected->type == IKE_ID_DER_ASN1_DN && is_subject(cert, expected);
    IkeIdentity id;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !has; i++)
        has = identity_of(sk_GENERAL_NAME_value(names, i), &id) && ike_id_equal(&id, expected);
    GENERAL_NAMES_free(names);
    return has;
}

static bool has_nul(const GENERAL_NAME *name)
{
    int kind = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);

    if (kind != GEN_DNS && kind != GEN_EMAIL && kind != GEN_URI)
        return false;
    int n = ASN1_STRING_length(value);
    return n > 0 && memchr(ASN1_STRING_get0_data(value), '\0', (size_t)n) != NULL;
}

bool ike_cert_names_are_sound(X509 *cert)
{
    int found = 0;
    GENERAL_NAMES *names = alternative_names(cert, &found);
    bool sound = names != NULL || found == -1; /* -1: there is none; -2: there are several */

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && sound; i++)
        sound = !has_nul(sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return sound;
}
