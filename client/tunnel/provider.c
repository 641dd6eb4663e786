/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before anything is sent: may this system do what the profile asks for?
 *
 * In FIPS mode IKEv1's aggressive mode is refused as a whole: keys come out of a PRF that no
 * validated module offers for it, and the hash that proves the preshared key crosses the network in
 * the clear. Outside of it a system's policy may have switched off single algorithms (md5, des,
 * sha1): the setting that names one is said, rather than an errno in the middle of an exchange.
 */
#include "client/tunnel/provider.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

static bool kernel_is_fips(const char *flag)
{
    g_autofree char *text = NULL;
    return g_file_get_contents(flag, &text, NULL, NULL) && text[0] == '1';
}

static bool openssl_is_fips(void)
{
    /* The configuration says it (default_properties), and is read at first use only. */
    return OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 &&
           EVP_default_properties_is_fips_enabled(NULL) == 1;
}

static bool refuse_fips(const char *who, GError **error)
{
    dialtone_failure_set(
        error, DIALTONE_FAILURE_POLICY,
        _("FIPS mode allows no IKEv1 aggressive mode. Ask the administrator for a "
          "gateway that speaks IKEv2, or use a computer that is not in FIPS mode."),
        _("This computer is in FIPS mode (%s), which forbids IKEv1 in aggressive "
          "mode."),
        who);
    return false;
}

static bool has_cipher(const IkeCipher *row)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, row->openssl, NULL);
    EVP_CIPHER_free(cipher);
    return cipher != NULL;
}

static bool has_hash(const IkeHash *row)
{
    EVP_MD *md = EVP_MD_fetch(NULL, row->openssl, NULL);
    EVP_MD_free(md);
    return md != NULL;
}

/* The first algorithm of a list that libcrypto has not; NULL: it has all. */
static const char *missing(const GArray *proposals)
{
    for (guint i = 0; i < proposals->len; i++) {
        const DialtoneProposal *proposal = &g_array_index(proposals, DialtoneProposal, i);
        if (!has_cipher(proposal->cipher))
            return proposal->cipher->name;
        if (proposal->hash != NULL && !has_hash(proposal->hash))
            return proposal->hash->name;
    }
    return NULL;
}

static bool check_list(const GArray *proposals, const char *setting, GError **error)
{
    const char *name = missing(proposals);
    if (name == NULL)
        return true;
    g_autofree char *advice = g_strdup_printf(
        _("Remove the proposals with %s from %s and choose stronger ones, or ask this computer's "
          "administrator to allow it (OpenSSL's configuration, openssl.cnf)."),
        name, setting);
    dialtone_failure_set(error, DIALTONE_FAILURE_POLICY, advice,
                         _("This computer's OpenSSL does not offer %s, which %s names."), name,
                         setting);
    return false;
}

bool tunnel_provider_check(const DialtoneProfile *profile, const char *flag, GError **error)
{
    if (kernel_is_fips(flag))
        return refuse_fips(_("the kernel's flag fips_enabled"), error);
    if (openssl_is_fips())
        return refuse_fips(_("OpenSSL's configuration"), error);
    return check_list(profile->phase1_proposals, "[Phase1] Proposals", error) &&
           check_list(profile->phase2_proposals, "[Phase2] Proposals", error);
}
