/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a gateway's certificate may be believed. libcrypto builds and checks the chain; what it
 * leaves to its caller is checked behind it: strength, use and name.
 *
 * Which uses count (RFC 4945, 5.1.3.2 and 5.1.3.12): keyUsage, where there is one, has
 * digitalSignature or nonRepudiation. extendedKeyUsage, where there is one, has one of
 * - ipsecIKE (RFC 4945) and iKEIntermediate (what macOS and Cisco look for), made for IKE;
 * - serverAuth, which is what most CAs issue for gateways;
 * - ipsecEndSystem and ipsecTunnel (RFC 2459), which old CAs gave to IPsec gateways;
 * - anyExtendedKeyUsage.
 * clientAuth, emailProtection and the like are refused: else each employee's certificate would do.
 */
#include "ike/cert-key.h"
#include "ike/cert-name.h"
#include "ike/cert-trust.h"
#include "ike/constants.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

enum { SIGNATURE_SECURITY_MIN = 112 }; /* bits: SHA-224; SHA-1 and MD5 have less than 64 */

/* ---- what came ---- */

static bool push_cert(STACK_OF(X509) * certs, X509 *cert)
{
    if (cert != NULL && sk_X509_num(certs) < IKE_CHAIN_MAX && sk_X509_push(certs, cert) > 0)
        return true;
    X509_free(cert);
    return false;
}

/* RFC 2408, 3.9: all certificates of a chain in one payload, without an order. */
static bool push_wrapped(STACK_OF(X509) * certs, IkeSlice der)
{
    const uint8_t *p = der.bytes;
    PKCS7 *wrapped = d2i_PKCS7(NULL, &p, (long)der.n);
    bool ok = wrapped != NULL && p == der.bytes + der.n && PKCS7_type_is_signed(wrapped) == 1 &&
              wrapped->d.sign != NULL;
    const STACK_OF(X509) *inner = ok ? wrapped->d.sign->cert : NULL;

    for (int i = 0; i < sk_X509_num(inner) && ok; i++)
        ok = push_cert(certs, X509_dup(sk_X509_value(inner, i)));
    PKCS7_free(wrapped);
    return ok;
}

/* Other encodings (CRLs, DNS keys, Kerberos) are passed over. */
static bool read_payloads(STACK_OF(X509) * certs, const IkeCertPayload *payloads, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (payloads[i].encoding == IKE_CERT_X509_SIGNATURE &&
            !push_cert(certs, ike_cert_read(payloads[i].data)))
            return false;
        if (payloads[i].encoding == IKE_CERT_PKCS7 && !push_wrapped(certs, payloads[i].data))
            return false;
    }
    return true;
}

static bool issued_another(STACK_OF(X509) * certs, int i)
{
    const X509_NAME *name = X509_get_subject_name(sk_X509_value(certs, i));

    for (int j = 0; j < sk_X509_num(certs); j++)
        if (j != i && X509_NAME_cmp(name, X509_get_issuer_name(sk_X509_value(certs, j))) == 0)
            return true;
    return false;
}

/* The gateway's own stands first as a rule; in PKCS #7 it is the one that issued no other. */
static X509 *find_leaf(STACK_OF(X509) * certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++)
        if (!issued_another(certs, i))
            return sk_X509_value(certs, i);
    return sk_X509_value(certs, 0);
}

/* ---- the chain ---- */

static IkeDetail detail_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return IKE_DETAIL_CERT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return IKE_DETAIL_CERT_NOT_YET;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return IKE_DETAIL_CERT_ISSUER;
    case X509_V_ERR_CERT_REVOKED:
        return IKE_DETAIL_CERT_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
        return IKE_DETAIL_CERT_NO_CRL;
    default:
        return IKE_DETAIL_CERT_INVALID;
    }
}

static bool about_the_issuer(IkeDetail detail)
{
    return detail == IKE_DETAIL_CERT_ISSUER || detail == IKE_DETAIL_CERT_NO_CRL;
}

static int say(IkePeer *peer, IkeDetail detail, const X509 *cert)
{
    const X509_NAME *name =
        about_the_issuer(detail) ? X509_get_issuer_name(cert) : X509_get_subject_name(cert);

    ike_cert_format_name(name, peer->text, sizeof(peer->text));
    return (int)detail;
}

static int64_t wall_time(const IkeTrust *trust, uint64_t now)
{
    return (int64_t)(now / IKE_SECOND) + trust->wall_offset;
}

static int prepare(const IkeTrust *trust, X509_STORE_CTX *context, X509 *leaf,
                   STACK_OF(X509) * certs, uint64_t now)
{
    if (X509_STORE_CTX_init(context, trust->store, leaf, certs) != 1)
        return -ENOMEM;
    /* An anchor need not be self-signed. */
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_depth(context, IKE_CHAIN_MAX);
    X509_STORE_CTX_set_time(context, 0, (time_t)wall_time(trust, now));
    return 0;
}

static int verify(X509_STORE_CTX *context, X509 *leaf, IkePeer *peer)
{
    if (X509_verify_cert(context) == 1 && X509_STORE_CTX_get_error(context) == X509_V_OK)
        return IKE_DETAIL_NONE;
    X509 *wrong = X509_STORE_CTX_get_current_cert(context);
    return say(peer, detail_of(X509_STORE_CTX_get_error(context)), wrong != NULL ? wrong : leaf);
}

/* ---- revocation ---- */

static bool is_signed_by_one(X509_CRL *list, const STACK_OF(X509) * chain)
{
    bool is = false;

    for (int i = 0; i < sk_X509_num(chain) && !is; i++) {
        X509 *cert = sk_X509_value(chain, i);
        EVP_PKEY *key = X509_get0_pubkey(cert);
        is = key != NULL &&
             X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(cert)) == 0 &&
             X509_CRL_verify(list, key) == 1;
    }
    return is;
}

/* Lists come from whoever answers at their address. libcrypto takes the newest that has the right
 * name and looks at its signature then: a forged one would hide the genuine one. So it gets only
 * those that somebody of the chain has signed. NULL: out of memory. */
static STACK_OF(X509_CRL) * believed_lists(const IkeTrust *trust, const STACK_OF(X509) * chain)
{
    STACK_OF(X509_CRL) *believed = sk_X509_CRL_new_null();

    for (int i = 0; i < sk_X509_CRL_num(trust->lists) && believed != NULL; i++) {
        X509_CRL *list = sk_X509_CRL_value(trust->lists, i);
        if (is_signed_by_one(list, chain) && sk_X509_CRL_push(believed, list) <= 0) {
            sk_X509_CRL_free(believed);
            return NULL;
        }
    }
    return believed;
}

/* Without RequireCRL a list that is missing, old or of other certificates (RFC 5280, 5.2.5) is no
 * reason to refuse; what such a one says is revoked stays revoked. The anchor is believed for being
 * one: no list is missed of who issued it. */
static int judge_list(int ok, X509_STORE_CTX *context)
{
    const IkeTrust *trust = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);
    bool anchor = X509_STORE_CTX_get_error_depth(context) ==
                  sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1;
    bool missing = error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED ||
                   error == X509_V_ERR_CRL_NOT_YET_VALID || error == X509_V_ERR_DIFFERENT_CRL_SCOPE;

    if (ok == 1 || (missing && (anchor || !trust->require_crl))) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    return 0;
}

/* The chain that `built` has found, a second time and now against the lists. */
static int check_lists(const IkeTrust *trust, const X509_STORE_CTX *built, uint64_t now,
                       IkePeer *peer)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(built);
    STACK_OF(X509_CRL) *lists = believed_lists(trust, X509_STORE_CTX_get0_chain(built));
    X509_STORE_CTX *context = lists != NULL ? X509_STORE_CTX_new() : NULL;
    int r = context != NULL
                ? prepare(trust, context, leaf, X509_STORE_CTX_get0_untrusted(built), now)
                : -ENOMEM;

    if (r == 0 && X509_STORE_CTX_set_app_data(context, (void *)trust) != 1)
        r = -ENOMEM;
    if (r == 0) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
        X509_STORE_CTX_set0_crls(context, lists);
        X509_STORE_CTX_set_verify_cb(context, judge_list);
        r = verify(context, leaf, peer);
    }
    X509_STORE_CTX_free(context);
    sk_X509_CRL_free(lists);
    return r;
}

/* ---- strength and use ---- */

/* keyUsage and extendedKeyUsage of the gateway's own; see the top of this file. */
static bool is_for_gateways(X509 *cert, bool ca)
{
    static const int uses[] = {NID_ipsec_IKE, NID_ipsecEndSystem, NID_ipsecTunnel, NID_server_auth,
                               NID_anyExtendedKeyUsage};
    EXTENDED_KEY_USAGE *found = NULL;
    int place = 0;
    uint32_t usage = X509_get_key_usage(cert); /* all ones where there is none */

    if (!ca && (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
        return false;
    found = X509_get_ext_d2i(cert, NID_ext_key_usage, &place, NULL);
    if (found == NULL)
        return place == -1;
    bool ok = false;
    ASN1_OBJECT *intermediate = OBJ_txt2obj("1.3.6.1.5.5.8.2.2", 1);
    for (int i = 0; i < sk_ASN1_OBJECT_num(found) && !ok; i++) {
        const ASN1_OBJECT *use = sk_ASN1_OBJECT_value(found, i);
        ok = intermediate != NULL && OBJ_cmp(use, intermediate) == 0;
        for (size_t j = 0; j < sizeof(uses) / sizeof(uses[0]) && !ok; j++)
            ok = OBJ_obj2nid(use) == uses[j];
    }
    ASN1_OBJECT_free(intermediate);
    EXTENDED_KEY_USAGE_free(found);
    return ok;
}

static bool is_signed_strongly(X509 *cert)
{
    int security = 0;

    return X509_get_signature_info(cert, NULL, NULL, &security, NULL) == 1 &&
           security >= SIGNATURE_SECURITY_MIN;
}

/* One certificate of a chain that libcrypto found whole. The anchor is believed for being one: how
 * it was signed, and for which use, is nothing to us. */
static IkeDetail check_link(X509 *cert, bool leaf, bool anchor)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);

    if (key == NULL)
        return IKE_DETAIL_CERT_MALFORMED;
    if (!ike_key_is_strong(key) || (!anchor && !is_signed_strongly(cert)))
        return IKE_DETAIL_CERT_WEAK;
    /* libcrypto takes CAs of version 1, too, and those that only keyUsage says to be some. */
    if (!leaf && !anchor && X509_check_ca(cert) != 1)
        return IKE_DETAIL_CERT_INVALID;
    if ((leaf || !anchor) && !is_for_gateways(cert, !leaf))
        return IKE_DETAIL_CERT_USE;
    return IKE_DETAIL_NONE;
}

static int check_links(const STACK_OF(X509) * chain, IkePeer *peer)
{
    const int n = sk_X509_num(chain);

    for (int i = 0; i < n; i++) {
        X509 *cert = sk_X509_value(chain, i);
        IkeDetail detail = check_link(cert, i == 0, i == n - 1);
        if (detail != IKE_DETAIL_NONE)
            return say(peer, detail, cert);
    }
    return IKE_DETAIL_NONE;
}

static int check_chain(const IkeTrust *trust, X509 *leaf, STACK_OF(X509) * certs, uint64_t now,
                       IkePeer *peer)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int r = context != NULL ? prepare(trust, context, leaf, certs, now) : -ENOMEM;

    if (r == 0)
        r = verify(context, leaf, peer);
    if (r == 0)
        r = check_links(X509_STORE_CTX_get0_chain(context), peer);
    if (r == 0 && (trust->require_crl || sk_X509_CRL_num(trust->lists) > 0))
        r = check_lists(trust, context, now, peer);
    X509_STORE_CTX_free(context);
    return r;
}

/* ---- the gateway's own ---- */

static bool fill_info(X509 *leaf, IkeCertificateInfo *info)
{
    unsigned n = 0;
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok =
        epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(leaf)) == 1 &&
        X509_digest(leaf, EVP_sha256(), info->fingerprint, &n) == 1 && n == IKE_FINGERPRINT_SIZE;

    ASN1_TIME_free(epoch);
    info->not_after = (int64_t)days * 86400 + seconds;
    ike_cert_format_name(X509_get_subject_name(leaf), info->subject, sizeof(info->subject));
    ike_cert_format_name(X509_get_issuer_name(leaf), info->issuer, sizeof(info->issuer));
    return ok;
}

static int take_leaf(X509 *leaf, const IkeIdentity *expected, IkePeer *peer)
{
    EVP_PKEY *key = X509_get0_pubkey(leaf);

    if (key == NULL || !ike_cert_names_are_sound(leaf) || !fill_info(leaf, &peer->info))
        return say(peer, IKE_DETAIL_CERT_MALFORMED, leaf);
    peer->kind = ike_key_kind(key);
    if (peer->kind == IKE_KEY_NONE)
        return say(peer, IKE_DETAIL_CERT_WEAK, leaf);
    if (!ike_cert_has_id(leaf, expected))
        return say(peer, IKE_DETAIL_CERT_ID, leaf);
    if (EVP_PKEY_up_ref(key) != 1)
        return -ENOMEM;
    peer->key = key;
    return say(peer, IKE_DETAIL_NONE, leaf);
}

int ike_trust_check(const IkeTrust *trust, const IkeCertPayload *payloads, size_t n, uint64_t now,
                    IkePeer *peer)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int r = -ENOMEM;

    *peer = (IkePeer){0};
    if (certs == NULL)
        return r;
    if (!read_payloads(certs, payloads, n)) {
        r = IKE_DETAIL_CERT_MALFORMED;
    } else if (sk_X509_num(certs) == 0) {
        r = IKE_DETAIL_CERT_NONE;
    } else {
        X509 *leaf = find_leaf(certs);
        r = check_chain(trust, leaf, certs, now, peer);
        if (r == 0)
            r = take_leaf(leaf, &trust->expected, peer);
        if (r != 0)
            ike_peer_clear(peer);
    }
    sk_X509_pop_free(certs, X509_free);
    return r;
}

void ike_peer_clear(IkePeer *peer)
{
    EVP_PKEY_free(peer->key);
    peer->key = NULL;
}
